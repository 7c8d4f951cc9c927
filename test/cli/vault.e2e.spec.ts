import { createPublicKey } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { publicKeyFromKeyObject } from '#libs/assertions';
import { totpCode } from '#libs/auth';
import { LoginProvider, visit } from '../vault/support/login-provider.js';
import { loggedIn } from '../vault/support/people.js';
import {
  BRAND,
  certifiedKey,
  freshKey,
  mutate,
  register,
  registerBrand,
  registerModel,
  startVault,
  type RunningVault,
  type TestModel,
} from '../vault/vault-kit.js';
import { CliUser } from './support/run-cli.js';
import { cheapKey } from '../../tools/clients/cheap-keys.js';

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

let files = 0;
const fileOf = async (csv: string): Promise<string> => {
  const path = join(user.configDir, `line-${++files}.csv`);
  await writeFile(path, csv);
  return path;
};

const sessionOf = async ({ configDir }: CliUser): Promise<string> => {
  const text = await readFile(join(configDir, 'brandstore/vault-sessions.json'), 'utf8');
  return (
    (JSON.parse(text) as { sessions: Record<string, { token: string }> }).sessions[vault.url]
      ?.token ?? ''
  );
};

it('imports an order, shows how it stands, lets a held device in and prints the log', async () => {
  const file = await fileOf('serial,batch\nF-1,B\nno serial,B\n');
  const refused = await user.run(['vault', 'import', 'acme-floor', file, '--order', 'PO-1']);
  expect(refused.status).toBe(1);
  expect(refused.err).toContain('line 3: "no serial" is no serial');
  await writeFile(file, 'serial,batch\nF-1,B\nF-2,B\n');
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

  const approve = ['vault', 'approve', 'F-1', '--reason', 'repaired', '--json'];
  const byToken = await user.run(approve);
  expect([byToken.status, byToken.err]).toEqual([1, expect.stringContaining('a person must')]);
  const aron = await loggedIn(vault, ['approver']);
  const login = ['vault', 'login', '--email', aron.email, '--brand', 'acme', '--password-stdin'];
  const wrong = await user.run(login, 'some other password');
  expect([wrong.status, wrong.err]).toEqual([1, expect.stringContaining('wrong brand')]);
  expect(await user.run(login, `${aron.password}\n`)).toMatchObject({ status: 0, err: '' });

  const none = await user.run(['vault', 'approve', 'F-9', '--reason', 'seen']);
  expect([none.status, none.err]).toEqual([1, expect.stringContaining('cannot find F-9')]);
  const approved = await user.run(approve);
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

it('says of each serial whether it would be signed and whether it may leave the line, and compares an order with what was built', async () => {
  await user.run([
    'vault',
    'import',
    'acme-floor',
    await fileOf('serial\nL-1\nL-2\n'),
    '--order',
    'PO-2',
  ]);
  const dry = async (serial: string): Promise<{ status: number | null; out: string }> =>
    user.run(['vault', 'would-sign', 'acme-floor', serial]);
  const good = await dry('L-1');
  expect([good.status, good.out]).toEqual([0, expect.stringMatching(/would be.*signed/)]);
  const stranger = await dry('L-9');
  expect(stranger.out).toMatch(/would be.*refused/);
  expect(stranger.out).toMatch(/why.*no production order/);

  expect((await register(vault, model, freshKey(), 'L-1')).status).toBe(200);
  const go = await user.run(['vault', 'go', 'acme-floor', 'L-1', 'L-2', '--json']);
  expect([go.status, go.err]).toEqual([1, expect.stringContaining('no go for 2 of 2')]);
  expect(go.json<{ missing: string }[]>().map(({ missing }) => missing)).toEqual([
    expect.stringMatching(/^cannot ask the store/),
    expect.stringMatching(/^no serial issued, cannot ask the store/),
  ]);

  const built = await fileOf('serial\nL-1\nL-3\n');
  const compared = await user.run(['vault', 'reconcile', 'acme-floor', built, '--order', 'PO-2']);
  expect(compared.err).toBe('');
  const findings = compared.out.trimEnd().split('\r\n').slice(1);
  expect(findings.map((line) => [line.split(',')[0], line.split(',').at(-1)])).toEqual([
    ['L-1', 'ok'],
    ['L-2', 'not built'],
    ['L-3', 'not on the order'],
  ]);
});

it('swaps a board, refuses who waits, and logs in with an invitation and a second factor, and out', async () => {
  await user.run([
    'vault',
    'import',
    'acme-floor',
    await fileOf('serial\nB-1\n'),
    '--order',
    'PO-3',
  ]);
  expect((await register(vault, model, freshKey(), 'B-1')).status).toBe(200);
  const swap = ['vault', 'swap', 'acme-floor', 'B-1', 'B-2', '--reason', 'burnt'];
  const swapped = await user.run(swap);
  expect([swapped.status, swapped.out]).toEqual([0, expect.stringMatching(/goes.*B-2/)]);
  expect((await register(vault, model, freshKey(), 'B-1')).status).toBe(403);
  expect((await register(vault, model, freshKey(), 'B-2')).status).toBe(200);
  const twice = await user.run(swap);
  expect([twice.status, twice.err]).toEqual([1, expect.stringContaining('revoked')]);

  const person = new CliUser({ BRANDSTORE_VAULT_URL: vault.url, BRANDSTORE_BRAND: 'acme' });
  const rita = await loggedIn(vault, ['approver']);
  const { invitation } = await mutate<{ invitation: string }>(
    vault,
    vault.token,
    `inviteMember(brand: "${BRAND}", id: "${rita.id}")`,
    'Invitation',
    'invitation',
  );
  const login = ['vault', 'login', '--email', rita.email, '--password-stdin'];
  const joined = await person.run([...login, '--invitation', invitation], 'her own new password');
  expect([joined.status, joined.err]).toEqual([0, '']);
  expect((await register(vault, model, freshKey(), 'B-2')).status).toBe(202);
  const refuse = await person.run(['vault', 'refuse', 'B-2', '--reason', 'a clone', '--json']);
  expect(refuse.json()).toMatchObject({ serial: 'B-2', state: 'refused' });

  const token = await sessionOf(person);
  const act = <T>(call: string, type: string, fields: string): Promise<T> =>
    mutate<T>(vault, token, call, type, fields);
  const { secret } = await act<{ secret: string }>('beginSecondFactor', 'SecondFactor', 'secret');
  const code = totpCode(secret, new Date());
  const { codes } = await act<{ codes: string[] }>(
    `confirmSecondFactor(secret: "${secret}", password: "her own new password", otp: "${code}")`,
    'RecoveryCodes',
    'codes',
  );
  expect(await person.run(['vault', 'logout'])).toMatchObject({ status: 0, err: '' });
  expect((await person.run(['vault', 'status'])).status).toBe(1);
  const unasked = await person.run(login, 'her own new password');
  expect([unasked.status, unasked.err]).toEqual([1, expect.stringContaining('second factor')]);
  const otp = ['--otp', codes[0] ?? ''];
  expect((await person.run([...login, ...otp], 'her own new password')).status).toBe(0);
  expect((await person.run(['vault', 'status'])).status).toBe(0);
});

it('logs in by a provider: a browser comes back to this machine, and the session is kept as after a password', async () => {
  const provider = await LoginProvider.start();
  await vault.restart(provider.env);
  try {
    const person = new CliUser({ BRANDSTORE_VAULT_URL: vault.url, BRANDSTORE_BRAND: 'acme' });
    const sven = await loggedIn(vault, ['approver']);
    provider.people.set('sven', { email: sven.email, email_verified: true });
    /** A browser, as soon as the address to open is shown; before it another page of the machine tries. */
    const browsing: Promise<Response>[] = [];
    const browse = (err: string): void => {
      const [, address = ''] = /^ {2}(http\S+)\n/m.exec(err) ?? [];
      if (address !== '' && browsing.length === 0) browsing.push(cameBack(address));
    };
    const cameBack = async (address: string): Promise<Response> => {
      const back = await visit(address, { login: 'sven' });
      const foreign = await fetch(`${back.origin}${back.pathname}?code=x&state=of-another`);
      expect(foreign.status).toBe(404);
      return fetch(back);
    };
    const login = await person.run(['vault', 'login', '--oidc', '--json'], '', browse);
    expect([login.status, login.json()]).toEqual([
      0,
      expect.objectContaining({ email: sven.email }),
    ]);
    expect(await browsing[0]?.then((page) => page.text())).toContain('Go back to the terminal');
    expect(login.err).toMatch(/ssh -L (\d+):127\.0\.0\.1:\1 /);
    expect((await person.run(['vault', 'status'])).status).toBe(0);
    expect(await person.run(['vault', 'logout'])).toMatchObject({ status: 0, err: '' });

    await vault.restart();
    const none = await person.run(['vault', 'login', '--oidc']);
    expect([none.status, none.err]).toEqual([1, expect.stringContaining('this vault has none')]);
    const port = await person.run(['vault', 'login', '--oidc', '--port', '70000']);
    expect(port.status).toBe(2);
  } finally {
    await provider.leave();
  }
});

it('brings a signing key that is locked with a passphrase, and shows what the store is to certify', async () => {
  const locked = { cipher: 'aes-256-cbc', passphrase: 'horse' } as const;
  const own = cheapKey(4096);
  const pem = own.export({ type: 'pkcs8', format: 'pem', ...locked }).toString();
  const [key, open] = [await fileOf(pem), await fileOf('horse\n')];
  const bring = ['vault', 'import-key', 'brought', key];
  const refused = await user.run(bring);
  expect([refused.status, refused.err]).toEqual([1, expect.stringContaining('passphrase')]);
  const taken = await user.run([...bring, '--passphrase-file', open, '--json']);
  expect([taken.status, taken.err]).toEqual([0, '']);
  const { keyId, accountKeyRequest } = taken.json<{ keyId: string; accountKeyRequest: string }>();
  expect(keyId).toBe(publicKeyFromKeyObject(createPublicKey(own)).id);
  expect(accountKeyRequest).toContain(`public-key-sha3-384: ${keyId}`);
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
