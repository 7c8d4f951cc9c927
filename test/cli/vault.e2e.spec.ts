import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  certifiedKey,
  freshKey,
  register,
  registerBrand,
  registerModel,
  startVault,
  type RunningVault,
  type TestModel,
} from '../vault/vault-kit.js';
import { CliUser } from './support/run-cli.js';

let vault: RunningVault;
let model: TestModel;
let user: CliUser;

/** `brandstore vault …` as the factory floor runs it. */
beforeAll(async () => {
  vault = await startVault();
  await registerBrand(vault);
  const signingKeyId = await certifiedKey(vault);
  model = await registerModel(vault, 'acme-floor', { signingKeyId, enrolment: { list: true } });
  user = new CliUser({ BRANDSTORE_VAULT_URL: vault.url, BRANDSTORE_VAULT_TOKEN: vault.token });
});
afterAll(() => vault?.stop());

it('imports an order, shows how it stands, lets a held device in and prints the log', async () => {
  const file = join(user.configDir, 'order.csv');
  writeFileSync(file, 'serial,batch\nF-1,B\nno serial,B\n');
  const refused = await user.run(['vault', 'import', 'acme-floor', file, '--order', 'PO-1']);
  expect(refused.status).toBe(1);
  expect(refused.err).toContain('line 3: "no serial" is no serial');
  writeFileSync(file, 'serial,batch\nF-1,B\nF-2,B\n');
  const taken = await user.run([
    'vault',
    'import',
    'acme-floor',
    file,
    '--order',
    'PO-1',
    '--json',
  ]);
  expect([taken.err, taken.json()]).toEqual(['', { given: 2, added: 2 }]);

  await register(vault, model, freshKey(), 'F-1');
  const second = freshKey();
  expect((await register(vault, model, second, 'F-1')).status).toBe(202);
  const status = (await user.run(['vault', 'status', '--json'])).json<Record<string, unknown[]>>();
  expect(status.orders).toEqual([{ model: 'acme-floor', name: 'PO-1', listed: 2, registered: 1 }]);
  expect(status.pending).toMatchObject([{ serial: 'F-1', deviceKeyId: second.publicKey.id }]);
  expect((await user.run(['vault', 'status'])).out).toMatch(/acme-floor.*PO-1.*2.*1/);

  const none = await user.run(['vault', 'approve', 'F-9', '--reason', 'seen']);
  expect([none.status, none.err]).toEqual([1, expect.stringContaining('cannot find F-9')]);
  const approved = await user.run(['vault', 'approve', 'F-1', '--reason', 'repaired', '--json']);
  expect(approved.json()).toMatchObject({ serial: 'F-1', state: 'approved' });
  expect((await register(vault, model, second, 'F-1')).status).toBe(200);

  const log = await user.run(['vault', 'log', '--serial', 'F-1', '--json']);
  const rows = log.out.trimEnd().split('\n');
  expect(rows.map((row) => (JSON.parse(row) as { outcome: string }).outcome)).toEqual([
    'signed',
    'approved',
    'pending',
    'signed',
  ]);
  const csv = await user.run(['vault', 'log', '--outcome', 'approved']);
  expect(csv.out.split('\r\n')).toHaveLength(3);
});

it('says what is missing, and prints the hook of a gadget', async () => {
  expect((await new CliUser().run(['vault', 'status'])).status).toBe(2);
  const hook = await user.run(['gadget', 'hook', 'acme-floor']);
  expect(hook).toMatchObject({ status: 0, err: '' });
  expect(hook.out).toContain(`snapctl set device-service.url='${vault.url}/v1/'`);
  expect(hook.out).toContain('whoever can download this gadget can read it');
  const unknown = await user.run(['gadget', 'hook', 'acme-nothing']);
  expect([unknown.status, unknown.err]).toEqual([1, expect.stringContaining('acme-nothing')]);
});
