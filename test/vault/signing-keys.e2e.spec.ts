import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  accountKeyOf,
  decodeAssertion,
  publicKeyFromKeyObject,
  verifySelfSigned,
} from '#libs/assertions';
import {
  BRAND,
  certify,
  certifiedKey,
  codeOf,
  freshKey,
  modelAssertion,
  mutate,
  register,
  registerModel,
  serialIn,
  type RunningVault,
  type TestModel,
} from './vault-kit.js';
import { startVaultWithModel } from './support/start.js';
import { importKey } from './support/import-key.js';
import { loggedIn } from './support/people.js';
import { ask } from '../../tools/clients/http.js';
import { cheapKey } from '../../tools/clients/cheap-keys.js';

let vault: RunningVault;
let model: TestModel;
beforeAll(async () => {
  ({ vault, model } = await startVaultWithModel('acme-admin'));
});
afterAll(() => vault?.stop());

const remove = (key: string): Promise<unknown> =>
  mutate(
    vault,
    vault.token,
    `deleteSigningKey(brand: "${BRAND}", keyId: "${key}")`,
    'SigningKey',
    'keyId',
  );

/** How often an operator was told. */
async function alarms(name: string): Promise<number> {
  const { text } = await ask(`${vault.opsUrl()}/metrics`);
  const line = new RegExp(`^brandstore_alarms_total\\{alarm="${name}".*\\} (\\d+)$`, 'm');
  return Number(line.exec(text)?.[1] ?? 0);
}

const readSchema = (): Promise<string> =>
  readFile(new URL('../../apps/serial-vault/schema.graphql', import.meta.url), 'utf8');

it('makes a key that proves itself, and takes only the account-key of a key of its own', async () => {
  const made = await mutate<{ keyId: string; accountKeyRequest: string; isCertified: boolean }>(
    vault,
    vault.token,
    `createSigningKey(brand: "${BRAND}", name: "second-serials")`,
    'SigningKey',
    'keyId accountKeyRequest isCertified',
  );
  const request = decodeAssertion(Buffer.from(made.accountKeyRequest));
  expect(request.headers).toMatchObject({
    'account-id': BRAND,
    name: 'second-serials',
    'public-key-sha3-384': made.keyId,
  });
  const { publicKey } = accountKeyOf(request);
  expect(publicKey.bits).toBe(4096);
  expect(verifySelfSigned(request, publicKey)).toEqual({ valid: true });
  expect(made.isCertified).toBe(false);
  await expect(registerModel(vault, 'acme-early', { signingKeyId: made.keyId })).rejects.toThrow(
    'not certified',
  );
  const importing = (text: string): Promise<unknown> =>
    mutate(
      vault,
      vault.token,
      `importAccountKey(brand: "${BRAND}", assertions: $a)`,
      'SigningKey',
      'isCertified',
      { a: ['String!', text] },
    );
  const accountKey = await certify(request);
  await expect(
    importing(accountKey.bytes.toString().replace('second-serials', 'third-serials')),
  ).rejects.toThrow('cannot trust');
  await expect(importing('garbage')).rejects.toThrow('Invalid');
  expect(await importing(accountKey.bytes.toString())).toMatchObject({ isCertified: true });
  await expect(
    mutate(
      vault,
      vault.token,
      `createSigningKey(brand: "${BRAND}", name: "second-serials")`,
      'SigningKey',
      'keyId',
    ),
  ).rejects.toThrow('Conflict');
});

it('of two who make a key of one name at once, one is told that the name is taken; an account is an id', async () => {
  const make = (args: string) =>
    mutate(
      vault,
      vault.token,
      `createSigningKey(brand: "${BRAND}", ${args})`,
      'SigningKey',
      'keyId',
    );
  const outcomes = await Promise.allSettled([
    make('name: "twin-serials"'),
    make('name: "twin-serials"'),
  ]);
  const refusals = outcomes.flatMap((one) =>
    one.status === 'rejected' ? [String(one.reason)] : [],
  );
  expect(refusals).toEqual([expect.stringContaining('Conflict')]);
  await expect(make('name: "third-serials", account: "a b"')).rejects.toThrow('Invalid');
});

it('V72 a model cannot be saved with a key whose account-key belongs to another account', async () => {
  const made = await mutate<{ keyId: string; accountKeyRequest: string }>(
    vault,
    vault.token,
    `createSigningKey(brand: "${BRAND}", name: "delegated", account: "selfroot")`,
    'SigningKey',
    'keyId accountKeyRequest',
  );
  const accountKey = await certify(decodeAssertion(Buffer.from(made.accountKeyRequest)));
  await mutate(
    vault,
    vault.token,
    `importAccountKey(brand: "${BRAND}", assertions: $a)`,
    'SigningKey',
    'isCertified',
    {
      a: ['String!', accountKey.bytes.toString()],
    },
  );
  await expect(
    registerModel(vault, 'acme-delegating', { signingKeyId: made.keyId }),
  ).rejects.toThrow('serial-authority');
  const change = `setModelPolicy(brand: "${BRAND}", model: "${model.name}", policy: { signingKeyId: "${made.keyId}" })`;
  await expect(mutate(vault, vault.token, change, 'Model', 'model')).rejects.toThrow(
    'serial-authority',
  );
  // V37's other half: the model that names the account takes it, and the device gets its serial.
  const allowing = await modelAssertion('acme-delegating', { 'serial-authority': ['selfroot'] });
  const delegating = await registerModel(
    vault,
    'acme-delegating',
    { signingKeyId: made.keyId },
    allowing,
  );
  const answer = await register(vault, delegating, freshKey(), 'DEL-1');
  expect(answer.status).toBe(200);
  expect(serialIn(answer.text).headers['authority-id']).toBe('selfroot');
  // A device that shows an older model without that entry gets nothing.
  const older = { ...delegating, assertion: await modelAssertion('acme-delegating') };
  const refused = await register(vault, older, freshKey(), 'DEL-2');
  expect([refused.status, codeOf(refused)]).toEqual([503, 'signing-key-unavailable']);
});

it('V70 a serial outside the constraints of the account-key is not signed', async () => {
  const constrained = await certifiedKey(vault, 'constrained', {
    format: '1',
    constraints: [{ headers: { type: 'serial', model: 'acme-inside-.*' } }],
  });
  const inside = await registerModel(vault, 'acme-inside-1', { signingKeyId: constrained });
  const outside = await registerModel(vault, 'acme-outside-1', { signingKeyId: constrained });
  expect((await register(vault, inside, freshKey(), 'C-1')).status).toBe(200);
  const refused = await register(vault, outside, freshKey(), 'C-1');
  expect([refused.status, codeOf(refused)]).toEqual([503, 'signing-key-unavailable']);
  // Before the signer is asked.
  expect(refused.json<{ message: string }>().message).toContain('do not admit this serial');
  expect(await vault.sql(`SELECT 1 FROM vault.devices WHERE model = 'acme-outside-1'`)).toEqual([]);
});

it('V67 a key in use is disabled by two: each names its models and sees their devices; then requests get 503, and an alarm goes out', async () => {
  const key = await certifiedKey(vault, 'to-disable');
  const dependent = await registerModel(vault, 'acme-dependent', { signingKeyId: key });
  expect((await register(vault, dependent, freshKey(), 'D-0')).status).toBe(200);
  expect((await register(vault, model, freshKey(), 'D-9')).status).toBe(200);
  const inBrand = `brand: "${BRAND}", keyId: "${key}"`;
  const fields = 'isEnabled disabling { by dependents { model devices } }';
  const act = (bearer: string, call: string): Promise<{ isEnabled: boolean }> =>
    mutate(vault, bearer, call, 'SigningKey', fields);
  const propose = (bearer: string, models: string): Promise<{ isEnabled: boolean }> =>
    act(bearer, `setSigningKeyEnabled(${inBrand}, isEnabled: false, confirmModels: [${models}])`);
  const confirm = (bearer: string, models: string): Promise<{ isEnabled: boolean }> =>
    act(bearer, `confirmKeyDisabling(${inBrand}, confirmModels: [${models}])`);
  const listed = 'acme-dependent (1 devices)';
  const [first, second] = [
    await loggedIn(vault, ['key-custodian']),
    await loggedIn(vault, ['key-custodian']),
  ];

  await expect(confirm(second.token, '"acme-dependent"')).rejects.toThrow('nobody proposed');
  await expect(propose(first.token, '')).rejects.toThrow(listed);
  const proposed = await propose(first.token, '"acme-dependent"');
  const dependents = [{ model: 'acme-dependent', devices: 1 }];
  expect(proposed).toMatchObject({
    isEnabled: true,
    disabling: { by: `person:${first.id}`, dependents },
  });
  expect((await register(vault, dependent, freshKey(), 'D-1')).status).toBe(200);
  // Nobody is two: not at another login, not by a token, and a token is nobody's eyes.
  await expect(confirm(first.token, '"acme-dependent"')).rejects.toThrow('a second person must');
  await expect(confirm(vault.token, '"acme-dependent"')).rejects.toThrow('a person must do it');
  await expect(confirm(second.token, '')).rejects.toThrow('acme-dependent (2 devices)');
  const before = await alarms('signing-key-unavailable');
  expect(await confirm(second.token, '"acme-dependent"')).toMatchObject({
    isEnabled: false,
    disabling: null,
  });
  const refused = await register(vault, dependent, freshKey(), 'D-2');
  expect([refused.status, codeOf(refused)]).toEqual([503, 'signing-key-unavailable']);
  expect(await alarms('signing-key-unavailable')).toBe(before + 1);

  await act(vault.token, `setSigningKeyEnabled(${inBrand}, isEnabled: true)`);
  expect((await register(vault, dependent, freshKey(), 'D-2')).status).toBe(200);
  // What was taken back is confirmed by nobody; what nothing depends on needs no second one.
  await propose(vault.token, '"acme-dependent"');
  await act(vault.token, `setSigningKeyEnabled(${inBrand}, isEnabled: true)`);
  await expect(confirm(second.token, '"acme-dependent"')).rejects.toThrow('nobody proposed');
  const idle = await certifiedKey(vault, 'idle');
  const off = `setSigningKeyEnabled(brand: "${BRAND}", keyId: "${idle}", isEnabled: false)`;
  expect(await act(second.token, off)).toMatchObject({ isEnabled: false });
});

it('V64 a sealed key in the row of another signs nothing', async () => {
  const [left, right] = [await certifiedKey(vault, 'row-a'), await certifiedKey(vault, 'row-b')];
  const swapped = await registerModel(vault, 'acme-rows', { signingKeyId: right });
  const put = (from: string, to: string): Promise<unknown> =>
    vault.sql(
      `UPDATE vault.signing_keys SET sealed = (SELECT sealed FROM vault.signing_keys WHERE key_id = $1)
       WHERE key_id = $2`,
      [from, to],
    );
  const [kept] = await vault.sql<{ sealed: string }>(
    'SELECT sealed FROM vault.signing_keys WHERE key_id = $1',
    [right],
  );
  await put(left, right);
  await vault.restart();
  const device = freshKey();
  const refused = await register(vault, swapped, device, 'ROW-1');
  expect([refused.status, codeOf(refused)]).toEqual([503, 'signing-key-unavailable']);
  await vault.sql('UPDATE vault.signing_keys SET sealed = $1 WHERE key_id = $2', [
    kept?.sealed,
    right,
  ]);
  expect((await register(vault, swapped, device, 'ROW-1')).status).toBe(200);
});

it('V66 makes keys of 4096 bits that do not come out, and takes PEM and armour, with and without passphrase', async () => {
  const made = await certifiedKey(vault, 'inside');
  const [row] = await vault.sql<{ sealed: string; request: string }>(
    'SELECT sealed, account_key_request AS request FROM vault.signing_keys WHERE key_id = $1',
    [made],
  );
  const request = decodeAssertion(Buffer.from(row?.request ?? ''));
  expect(accountKeyOf(request).publicKey.bits).toBe(4096);
  // No field gives what is sealed (but how many were resealed), and what is sealed is no key. People's own second factors
  // are the only secrets that are told.
  const schema = (await readSchema()).replace(
    /^type SecondFactor .*?^}|^ +secret: String!$/gms,
    '',
  );
  expect(schema).not.toMatch(/^ +\w*(?:(?<!re)sealed|private|secret)\w*[:(]/im);
  expect(() => createPrivateKey(row?.sealed ?? '')).toThrow();

  const own = cheapKey(4096);
  const other = cheapKey(4096);
  const pem = (key: KeyObject, passphrase?: string): string =>
    key
      .export({
        type: 'pkcs8',
        format: 'pem',
        ...(passphrase !== undefined && { cipher: 'aes-256-cbc', passphrase }),
      })
      .toString();
  const armour = (name: string): Promise<string> =>
    readFile(new URL(`../../libs/keyring/testing/${name}.asc`, import.meta.url), 'utf8');
  const take = (name: string, key: string, passphrase?: string): Promise<{ keyId: string }> =>
    importKey(vault, name, key, passphrase);
  const idOf = (key: KeyObject): string => publicKeyFromKeyObject(createPublicKey(key)).id;
  expect((await take('pem-open', pem(own))).keyId).toBe(idOf(own));
  await expect(take('pem-locked', pem(other, 'horse'), 'cow')).rejects.toThrow('passphrase');
  expect((await take('pem-locked', pem(other, 'horse'), 'horse')).keyId).toBe(idOf(other));
  const locked = await armour('gnupg-protected');
  await expect(take('gpg', locked)).rejects.toThrow('passphrase');
  const { keyId: fromGpg } = await take('gpg', locked, 'correct horse größer');
  // The same key without passphrase is the same key.
  await expect(take('gpg-open', await armour('gnupg-clear'))).rejects.toThrow(fromGpg);
  await remove(fromGpg);
  expect((await take('gpg-open', await armour('gnupg-clear'))).keyId).toBe(fromGpg);
  const weak = cheapKey();
  await expect(take('weak', pem(weak))).rejects.toThrow('4096');
  const [taken] = await vault.sql<{ request: string }>(
    'SELECT account_key_request AS request FROM vault.signing_keys WHERE key_id = $1',
    [fromGpg],
  );
  const imported = decodeAssertion(Buffer.from(taken?.request ?? ''));
  expect(verifySelfSigned(imported, accountKeyOf(imported).publicKey).valid).toBe(true);
});

it('V68 a key that a policy ever named cannot be deleted, and going back to a policy makes a new revision', async () => {
  const [first, second] = [await certifiedKey(vault, 'once'), await certifiedKey(vault, 'now')];
  const { name } = await registerModel(vault, 'acme-rollback', { signingKeyId: first });
  const set = `setModelPolicy(brand: "${BRAND}", model: "${name}", policy: { signingKeyId: "${second}" })`;
  expect(await mutate(vault, vault.token, set, 'Model', 'policyRevision')).toMatchObject({
    policyRevision: 2,
  });
  await expect(remove(first)).rejects.toThrow(/Conflict.*policy 1 of model acme-rollback/);
  await expect(remove(second)).rejects.toThrow('Conflict');
  const rollback = (revision: number): Promise<unknown> =>
    mutate(
      vault,
      vault.token,
      `rollbackModelPolicy(brand: "${BRAND}", model: "${name}", revision: ${revision})`,
      'Model',
      'policyRevision policy { signingKeyId minimumKeyBits }',
    );
  expect(await rollback(1)).toMatchObject({
    policyRevision: 3,
    policy: { signingKeyId: first, minimumKeyBits: 2048 },
  });
  await expect(rollback(9)).rejects.toThrow('NotFound');
  const rows = await vault.sql(
    `SELECT revision FROM vault.model_policies WHERE model = $1 ORDER BY revision`,
    [name],
  );
  expect(rows).toEqual([{ revision: 1 }, { revision: 2 }, { revision: 3 }]);
});
