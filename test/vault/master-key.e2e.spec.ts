import { randomBytes } from 'node:crypto';
import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ask } from '../../tools/clients/http.js';
import {
  BRAND,
  certifiedKey,
  codeOf,
  freshKey,
  mutate,
  query,
  register,
  serialIn,
  type RunningVault,
  type TestModel,
} from './vault-kit.js';
import { startVaultWithModel } from './support/start.js';
import { decide } from './support/people.js';

let vault: RunningVault;
let model: TestModel;
beforeAll(async () => {
  ({ vault, model } = await startVaultWithModel('acme-sealed'));
});
afterAll(() => vault?.stop());

const change = (): Promise<{ resealed: number }> =>
  mutate(vault, vault.token, 'changeMasterKey', 'MasterKeyChange', 'resealed');

it('V69 the master key is changed under load: no registration fails, and the former key opens nothing', async () => {
  await expect(change()).rejects.toThrow('.former');
  const file = vault.env.MASTER_KEY_FILE ?? '';
  const sealed = async (): Promise<string[]> =>
    (await vault.sql<{ sealed: string }>('SELECT sealed FROM vault.signing_keys')).map(
      (row) => row.sealed,
    );
  const before = await sealed();
  const statuses: number[] = [];
  const load = { isOn: true };
  let number = 0;
  const worker = async (): Promise<void> => {
    while (load.isOn)
      statuses.push((await register(vault, model, freshKey(), `LOAD-${++number}`)).status);
  };
  const workers = Array.from({ length: 6 }, worker);
  await expect.poll(() => statuses.length, { timeout: 60_000 }).toBeGreaterThan(3);
  const during = statuses.length;
  // Several times, since what is under way when a signer is relieved is what could get lost.
  for (let round = 0; round < 4; round++) {
    copyFileSync(file, `${file}.former`);
    writeFileSync(file, randomBytes(32).toString('base64'), { mode: 0o600 });
    expect(await change()).toEqual({ resealed: 1, __typename: 'MasterKeyChange' });
    rmSync(`${file}.former`);
  }
  const after = statuses.length;
  await expect.poll(() => statuses.length, { timeout: 60_000 }).toBeGreaterThan(after + 3);
  load.isOn = false;
  await Promise.all(workers);
  expect(new Set(statuses)).toEqual(new Set([200]));
  expect(after).toBeGreaterThan(during);
  expect((await sealed()).some((text) => before.includes(text))).toBe(false);
  // A key made now is sealed with the new one, as a process shows that knows no other.
  await certifiedKey(vault, 'made-after');
  await vault.restart();
  expect((await register(vault, model, freshKey(), 'AFTER-1')).status).toBe(200);
}, 240_000);

it('a master key in the environment opens what the same one in a file has sealed, and is changed by another start', async () => {
  const first = readFileSync(vault.env.MASTER_KEY_FILE ?? '', 'utf8');
  const second = randomBytes(32).toString('base64');
  const serialOf = async (name: string): Promise<number> =>
    (await register(vault, model, freshKey(), name)).status;
  await vault.restart({ MASTER_KEY_FILE: '', MASTER_KEY: first });
  expect(await serialOf('ENV-1')).toBe(200);
  await expect(change()).rejects.toThrow('MASTER_KEY_FORMER');
  await vault.restart({ MASTER_KEY_FILE: '', MASTER_KEY: second, MASTER_KEY_FORMER: first });
  expect((await change()).resealed).toBe(2);
  await vault.restart({ MASTER_KEY_FILE: '', MASTER_KEY: second });
  expect(await serialOf('ENV-2')).toBe(200);
  await expect(vault.restart()).rejects.toThrow('cannot open');
  writeFileSync(vault.env.MASTER_KEY_FILE ?? '', second, { mode: 0o600 });
  await vault.restart();
});

it('V65 a process without the master key can open no signing key: it signs nothing, and does all else', async () => {
  const device = freshKey();
  const first = await register(vault, model, device, 'STRIPPED-1');
  await vault.restart({ MASTER_KEY_FILE: '' });
  const waiting = freshKey();
  const refused = await register(vault, model, waiting, 'STRIPPED-2');
  expect([refused.status, codeOf(refused)]).toEqual([503, 'signing-failed']);
  // What was signed before is given again, since that needs no key.
  const again = await register(vault, model, device, 'STRIPPED-1');
  expect(serialIn(again.text).bytes).toEqual(serialIn(first.text).bytes);
  expect((await register(vault, model, freshKey(), 'STRIPPED-1')).status).toBe(202);
  const held = await query<{ pending: { id: string }[]; signingLog: { items: unknown[] } }>(
    vault,
    vault.token,
    `{ pending(brand: "${BRAND}") { id } signingLog(brand: "${BRAND}") { items { seq } }
       models(brand: "${BRAND}") { model } signingKeys(brand: "${BRAND}") { keyId isCertified }
       wouldSign(brand: "${BRAND}", model: "acme-sealed", serial: "X-1") { outcome } }`,
  );
  expect(held.signingLog.items.length).toBeGreaterThan(3);
  const inBrand = `brand: "${BRAND}"`;
  await decide(vault, 'approve', held.pending[0]?.id);
  const list = `listSerials(${inBrand}, model: "acme-sealed", serials: ["X-1"])`;
  await mutate(vault, vault.token, list, 'ListedSerials', 'added');
  const revoke = `revokeDevice(${inBrand}, model: "acme-sealed", serial: "STRIPPED-1", reason: "r")`;
  await mutate(vault, vault.token, revoke, 'Device', 'serial');
  await expect(
    mutate(vault, vault.token, `createSigningKey(${inBrand}, name: "no")`, 'SigningKey', 'keyId'),
  ).rejects.toThrow();
  expect((await ask(`${vault.url}/_status/check`)).json()).toEqual({ database: 'OK' });
  await vault.restart();
  expect((await register(vault, model, waiting, 'STRIPPED-2')).status).toBe(200);
});
