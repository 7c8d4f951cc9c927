import { createPrivateKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { decodeAssertion } from '#libs/assertions';
import { readMasterKey, unsealKey } from '#libs/keyring';
import type { Processes } from '#stack';
import {
  BRAND,
  certify,
  certifiedKey,
  createApiKey,
  freshKey,
  mutate,
  query,
  register,
  registerModel,
  requestId,
  type Administered,
  type PreparedVault,
} from './vault-kit.js';
import { startVaultProcess, type VaultProcess } from './support/start.js';
import { importKey } from './support/import-key.js';
import { foundInMemory, secretsOf } from './support/memory-of.js';
import { signersOf } from './support/signers-of.js';

// The vault as a process that tells all it can, so that what it writes can be searched.

let running: VaultProcess;
let prepared: PreparedVault;
let vault: Administered;
let processes: Processes;

beforeAll(async () => {
  running = await startVaultProcess({ LOG_LEVEL: 'trace' });
  ({ vault, prepared, processes } = running);
});
afterAll(() => running?.stop());

/** Every row of every table, as a back-up has it. */
async function dump(): Promise<string> {
  const tables = await prepared.sql<{ name: string }>(
    `SELECT format('%I.%I', table_schema, table_name) AS name FROM information_schema.tables
     WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')`,
  );
  const texts: string[] = [];
  for (const { name } of tables) {
    const rows = await prepared.sql<{ text: string }>(`SELECT t::text AS text FROM ${name} AS t`);
    texts.push(...rows.map(({ text }) => text));
  }
  return texts.join('\n');
}

const logs = (): string =>
  readdirSync(running.logDir)
    .map((name) => readFileSync(join(running.logDir, name), 'utf8'))
    .join('\n');

it('V52 API keys and tokens are hashes in the database and nowhere in logs and back-ups; a key is shown once', async () => {
  const signingKeyId = await certifiedKey(vault);
  const model = await registerModel(vault, 'acme-secret', { signingKeyId });
  const chosen = 'brought-by-the-customer-0123456789-abcdefghij';
  const { key, id } = await createApiKey(vault, model.name, { key: chosen });
  const call = `createToken(brand: "${BRAND}", input: { name: "t", roles: [auditor] })`;
  const { token } = await mutate<{ token: string }>(vault, vault.token, call, 'NewToken', 'token');
  await query(vault, token, '{ me { roles } }');
  expect((await register(vault, model, freshKey(), 'SEC-1')).status).toBe(200);
  expect((await register(vault, { ...model, apiKey: key }, freshKey(), 'SEC-2')).status).toBe(200);
  // What goes wrong is told, without what was sent.
  await mutate(vault, vault.token, `endApiKey(brand: "${BRAND}", id: "${id}")`, 'ApiKey', 'id');
  await expect(requestId(vault, chosen)).rejects.toThrow('401');
  await expect(createApiKey(vault, model.name, { key: model.apiKey })).rejects.toThrow('in use');
  const unknown = 'unknown-to-all-0123456789-abcdefghijklmnopqrst';
  await expect(requestId(vault, unknown)).rejects.toThrow('401');
  // Nor when the database fails with a key in hand.
  await prepared.sql('ALTER TABLE vault.api_keys RENAME TO api_keys_away');
  await expect(requestId(vault, model.apiKey)).rejects.toThrow('503');
  await expect(createApiKey(vault, model.name, { key: chosen })).rejects.toThrow();
  await prepared.sql('ALTER TABLE vault.api_keys_away RENAME TO api_keys');

  const { apiKeys } = await query<{ apiKeys: { id: string; lookup: string }[] }>(
    vault,
    vault.token,
    `{ apiKeys(brand: "${BRAND}") { id model name lookup useCount lastUsedAt } }`,
  );
  const [backup, log] = [await dump(), logs()];
  // Each place is searched: what may be there is.
  expect(backup).toContain(model.apiKey.slice(0, 8));
  expect(log).toContain('a device call failed');
  const secrets = [model.apiKey, chosen, unknown, token, vault.token];
  const forms = secrets.flatMap((secret) => [
    secret,
    secret.split('_').at(-1) ?? secret,
    Buffer.from(secret).toString('base64').replace(/=+$/, ''),
    Buffer.from(secret).toString('hex'),
  ]);
  // Of a key no more is kept than the eight characters that it is found by.
  forms.push(...[model.apiKey, chosen, unknown].map((key) => key.slice(8, 24)));
  for (const [place, text] of Object.entries({ backup, log, shown: JSON.stringify(apiKeys) }))
    for (const form of [...forms, 'PRIVATE KEY'])
      expect(text.includes(form), `${form.slice(0, 12)}… in ${place}`).toBe(false);
});

it('V73 no part of a private key lies in the memory of the process that speaks HTTP: keys made, brought, sealed anew and used', async () => {
  const pem = generateKeyPairSync('rsa', {
    modulusLength: 4096,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  }).privateKey;
  const made = await certifiedKey(vault, 'made-here');
  const brought = await importKey(vault, 'brought', pem);
  const certified = await certify(decodeAssertion(Buffer.from(brought.accountKeyRequest)));
  const importAccountKey = `importAccountKey(brand: "${BRAND}", assertions: $a)`;
  const stream = certified.bytes.toString();
  await mutate(vault, vault.token, importAccountKey, 'SigningKey', 'keyId', {
    a: ['String!', stream],
  });
  const use = async (round: string): Promise<void> => {
    for (const [index, signingKeyId] of [made, brought.keyId].entries()) {
      const name = `acme-memory-${index}-${round}`;
      const model = await registerModel(vault, name, { signingKeyId });
      for (const serial of ['M-1', 'M-2', 'M-3'])
        expect((await register(vault, model, freshKey(), serial)).status).toBe(200);
    }
  };
  await use('first');
  const file = prepared.env.MASTER_KEY_FILE ?? '';
  copyFileSync(file, `${file}.former`);
  writeFileSync(file, randomBytes(32).toString('base64'), { mode: 0o600 });
  await mutate(vault, vault.token, 'changeMasterKey', 'MasterKeyChange', 'resealed');
  await use('second');

  // What the test itself can open with the master key, it can look for.
  const [{ sealed = '' } = {}] = await prepared.sql<{ sealed: string }>(
    'SELECT sealed FROM vault.signing_keys WHERE key_id = $1',
    [made],
  );
  const master = {
    kind: 'master',
    key: await readMasterKey({ kind: 'file', path: file }),
  } as const;
  const secrets = [
    ...secretsOf('made', (await unsealKey(sealed, [master])).key),
    ...secretsOf('brought', createPrivateKey(pem)),
  ];
  const known = { name: 'what it must hold', bytes: Buffer.from(brought.keyId) };
  const { pid } = processes.get('serial-vault');
  expect([...(await foundInMemory(pid, [...secrets, known]))]).toEqual([known.name]);
  // The same search finds them where they are.
  const [signer = 0] = signersOf(pid);
  const there = await foundInMemory(signer, secrets);
  for (const label of ['made', 'brought'])
    for (const number of ['p', 'q', 'd'])
      expect([...there].filter((name) => name.startsWith(`${label} ${number}`))).not.toEqual([]);
}, 180_000);
