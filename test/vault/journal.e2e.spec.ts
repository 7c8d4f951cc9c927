import { copyFileSync } from 'node:fs';
import { buildSchema } from 'graphql';
import { generateKeyPairSync } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { decodeAssertion } from '#libs/assertions';
import { totpCode } from '#libs/auth';
import {
  BRAND,
  certify,
  certifiedKey,
  freshKey,
  modelAssertion,
  mutate,
  query,
  register,
  registerBrand,
  registerModel,
  runSql,
  startVault,
  vectorBytes,
  type RunningVault,
  type TestModel,
} from './vault-kit.js';
import { wrappedKey } from './support/import-key.js';
import { approveSerial } from './support/people.js';
import { ask } from '../../tools/clients/http.js';

let vault: RunningVault;
let keyId = '';
let model: TestModel;
beforeAll(async () => {
  vault = await startVault();
  await registerBrand(vault);
  keyId = await certifiedKey(vault);
  model = await registerModel(vault, 'acme-admin', { signingKeyId: keyId });
});
afterAll(() => vault?.stop());

const readSchema = (): Promise<string> =>
  readFile(new URL('../../apps/serial-vault/schema.graphql', import.meta.url), 'utf8');

it('V74 every outcome makes a row, which is there when the answer is', async () => {
  const row = async (serial: string): Promise<string> => {
    const [last] = await vault.sql<{ outcome: string; code: string }>(
      'SELECT outcome, code FROM vault.signing_log WHERE serial = $1 ORDER BY seq DESC LIMIT 1',
      [serial],
    );
    return `${last?.outcome ?? 'no row'} ${last?.code ?? ''}`.trim();
  };
  const key = freshKey();
  await register(vault, model, key, 'LOG-1');
  expect(await row('LOG-1')).toBe('signed');
  await register(vault, model, key, 'LOG-1');
  expect(await row('LOG-1')).toBe('repeated');
  await register(vault, model, freshKey(), 'LOG-1');
  expect(await row('LOG-1')).toBe('pending');
  await approveSerial(vault, 'LOG-1');
  expect(await row('LOG-1')).toBe('approved');
  await register(vault, model, key, 'LOG-2');
  expect(await row('LOG-2')).toBe('refused duplicate-device-key');
  await register(vault, model, freshKey(), 'LOG 3');
  expect(await row('LOG 3')).toBe('refused bad-serial');
  const before = await vault.sql<{ count: string }>(
    `SELECT count(*) FROM vault.signing_log WHERE brand_id = '-'`,
  );
  await ask(`${vault.url}/v1/serial`, {
    method: 'POST',
    headers: { 'api-key': 'n'.repeat(64) },
    body: 'x',
  });
  const after = await vault.sql<{ count: string }>(
    `SELECT count(*) FROM vault.signing_log WHERE brand_id = '-'`,
  );
  expect(Number(after[0]?.count)).toBe(Number(before[0]?.count) + 1);
});

it('V75 the role of the service cannot change or delete a row', async () => {
  for (const table of ['signing_log', 'audit_log', 'device_events', 'model_policies']) {
    for (const statement of [
      `UPDATE vault.${table} SET brand_id = 'x'`,
      `DELETE FROM vault.${table}`,
      `TRUNCATE vault.${table}`,
    ]) {
      await expect(runSql(vault.urls.vault, statement)).rejects.toThrow('permission denied');
    }
  }
  // A transaction for another brand sees nothing of this one (decisions 4).
  const visible = async (brand: string): Promise<unknown> => {
    const client = new Client({ connectionString: vault.urls.vault });
    await client.connect();
    await client.query(`SELECT set_config('app.brand', $1, false)`, [brand]);
    const { rowCount } = await client.query('SELECT 1 FROM vault.devices');
    await client.end();
    return rowCount;
  };
  expect([await visible('foreign'), await visible('')]).toEqual([0, 0]);
  expect(await visible(BRAND)).toBeGreaterThan(0);
  // Nor does it see the store, nor the store's role the vault.
  await expect(runSql(vault.urls.vault, 'SELECT 1 FROM store.accounts')).rejects.toThrow(
    'permission denied',
  );
  for (const role of ['store', 'worker'] as const)
    await expect(runSql(vault.urls[role], 'SELECT 1 FROM vault.devices')).rejects.toThrow(
      'permission denied',
    );
});

it('V76 the chain shows an altered, a dropped and a swapped row', async () => {
  const verify = async (): Promise<unknown> =>
    query(vault, vault.token, `{ verifyLogs(brand: "${BRAND}") { signingLog auditLog } }`);
  const sound = { verifyLogs: { signingLog: null, auditLog: null } };
  for (let index = 0; index < 3; index++)
    await register(vault, model, freshKey(), `CHAIN-${index}`);
  expect(await verify()).toEqual(sound);
  const spoil = async (change: string, undo: string, first: number): Promise<void> => {
    await vault.sql(change);
    expect(await verify()).toEqual({ verifyLogs: { signingLog: first, auditLog: null } });
    await vault.sql(undo);
    expect(await verify()).toEqual(sound);
  };
  await vault.sql('CREATE TABLE public.kept AS SELECT * FROM vault.signing_log');
  const restore = (seqs: string): string =>
    `DELETE FROM vault.signing_log WHERE brand_id = '${BRAND}' AND seq IN (${seqs}); INSERT INTO vault.signing_log SELECT * FROM public.kept WHERE brand_id = '${BRAND}' AND seq IN (${seqs})`;
  await spoil(
    `UPDATE vault.signing_log SET serial = 'other' WHERE brand_id = '${BRAND}' AND seq = 3`,
    restore('3'),
    3,
  );
  await spoil(
    `DELETE FROM vault.signing_log WHERE brand_id = '${BRAND}' AND seq = 4`,
    restore('4'),
    4,
  );
  await spoil(
    `UPDATE vault.signing_log SET seq = CASE seq WHEN 2 THEN -3 ELSE -2 END WHERE brand_id = '${BRAND}' AND seq IN (2, 3); UPDATE vault.signing_log SET seq = -seq WHERE seq < 0`,
    restore('2, 3'),
    2,
  );
  // The address is personal data and may go without a trace in the chain.
  await vault.sql(`UPDATE vault.signing_log SET address = ''`);
  expect(await verify()).toEqual(sound);
  await vault.sql('DROP TABLE public.kept');
});

it('V78 pages of the signing log stay whole while rows arrive, and can be searched', async () => {
  const page = (
    args: string,
  ): Promise<{
    signingLog: { items: { seq: number; serial: string }[]; nextCursor: string | null };
  }> =>
    query(
      vault,
      vault.token,
      `{ signingLog(brand: "${BRAND}"${args}) { items { seq serial outcome } nextCursor } }`,
    );
  const total = (await page(', pageSize: 500')).signingLog.items.length;
  const seen: number[] = [];
  let cursor: string | null = null;
  do {
    const { signingLog } = await page(
      `, pageSize: 5${cursor === null ? '' : `, cursor: "${cursor}"`}`,
    );
    seen.push(...signingLog.items.map(({ seq }) => seq));
    cursor = signingLog.nextCursor;
    if (seen.length === 5) await register(vault, model, freshKey(), 'PAGING-1');
  } while (cursor !== null);
  expect(seen).toEqual(Array.from({ length: total }, (_, index) => total - index));
  const found = async (filter: string): Promise<string[]> => {
    const { signingLog } = await page(`, pageSize: 500, filter: { ${filter} }`);
    return signingLog.items.map(({ serial }) => serial);
  };
  expect(await found('serial: "AGING"')).toEqual(['PAGING-1']);
  const signer = freshKey();
  const other = await registerModel(vault, 'acme-searched', { signingKeyId: keyId });
  await register(vault, other, signer, 'SEARCH-1');
  await register(vault, other, signer, 'SEARCH-2');
  const both = ['SEARCH-2', 'SEARCH-1'];
  expect(await found(`deviceKeyId: "${signer.publicKey.id}"`)).toEqual(both);
  expect(await found(`apiKeyId: "${other.apiKeyId}"`)).toEqual(both);
  expect(await found(`model: "acme-searched", signKeyId: "${keyId}"`)).toEqual(['SEARCH-1']);
  expect(await found('model: "acme-searched", code: "duplicate-device-key"')).toEqual(['SEARCH-2']);
  expect(await found('model: "acme-searched", address: "127.0.0.1"')).toEqual(both);
  expect(await found('address: "192.0.2.1"')).toEqual([]);
  const [{ at } = { at: new Date() }] = await vault.sql<{ at: Date }>(
    `SELECT at FROM vault.signing_log WHERE serial = 'SEARCH-2'`,
  );
  const when = at.toISOString();
  expect(await found(`model: "acme-searched", from: "${when}"`)).toEqual(['SEARCH-2']);
  expect(await found(`model: "acme-searched", until: "${when}"`)).toEqual(['SEARCH-1']);
  await expect(found('apiKeyId: "mine"')).rejects.toThrow('cannot search');
  await expect(page(', pageSize: 501')).rejects.toThrow('1 to 500');
  await expect(page(', cursor: "x"')).rejects.toThrow('cursor');
});

it('V79 every administrative write has its audit row, and none holds a secret', async () => {
  const done: string[] = [];
  const expected: string[] = [];
  /** One successful mutation and the action that its audit row must name. */
  const act = async <T>(
    action: string,
    call: string,
    type: string,
    fields: string,
    text?: string,
    bearer = vault.token,
  ): Promise<T> => {
    done.push(/^\w+/.exec(call)?.[0] ?? '');
    expected.push(action);
    return mutate<T>(
      vault,
      bearer,
      call,
      type,
      fields,
      text === undefined ? {} : { a: ['String!', text] },
    );
  };
  const actions = async (): Promise<{ action: string; actor: string; detail: string }[]> =>
    vault.sql(
      `SELECT action, actor, detail::text FROM vault.audit_log WHERE brand_id IN ('${BRAND}', '-') ORDER BY at, brand_id, seq`,
    );
  const before = (await actions()).length;
  const brand = `brand: "${BRAND}"`;
  const chain = vectorBytes('chain/brand-account.assert').toString();
  await act('register-brand', `registerBrand(${brand}, assertions: $a)`, 'Brand', 'id', chain);
  await act(
    'import-assertions',
    `importAssertions(${brand}, assertions: $a)`,
    'ImportedAssertions',
    'keyIds',
    chain,
  );
  const key = await act<{ keyId: string; accountKeyRequest: string }>(
    'create-signing-key',
    `createSigningKey(${brand}, name: "audited")`,
    'SigningKey',
    'keyId accountKeyRequest',
  );
  const pem = generateKeyPairSync('rsa', { modulusLength: 4096 })
    .privateKey.export({ type: 'pkcs8', format: 'pem' })
    .toString();
  const brought = await act<{ keyId: string }>(
    'import-signing-key',
    `importSigningKey(${brand}, name: "brought", key: $a)`,
    'SigningKey',
    'keyId',
    await wrappedKey(vault, pem),
  );
  await act(
    'delete-signing-key',
    `deleteSigningKey(${brand}, keyId: "${brought.keyId}")`,
    'SigningKey',
    'keyId',
  );
  const accountKey = (
    await certify(decodeAssertion(Buffer.from(key.accountKeyRequest)))
  ).bytes.toString();
  await act(
    'import-account-key',
    `importAccountKey(${brand}, assertions: $a)`,
    'SigningKey',
    'keyId',
    accountKey,
  );
  const assertion = (await modelAssertion('acme-audited')).bytes.toString();
  const policy = `policy: { signingKeyId: "${key.keyId}", minimumKeyBits: 2048 }`;
  await act(
    'register-model',
    `registerModel(${brand}, assertion: $a, ${policy})`,
    'Model',
    'model',
    assertion,
  );
  await act('pull-models', `pullModels(${brand})`, 'PullReport', 'taken');
  const audited = `${brand}, model: "acme-audited"`;
  await act('set-model-policy', `setModelPolicy(${audited}, ${policy})`, 'Model', 'model');
  await act('set-model-policy', `rollbackModelPolicy(${audited}, revision: 1)`, 'Model', 'model');
  await act('deactivate-model', `setModelActive(${audited}, isActive: false)`, 'Model', 'model');
  await act('activate-model', `setModelActive(${audited}, isActive: true)`, 'Model', 'model');
  await act(
    'revoke-model-revisions',
    `setRevokedModelRevisions(${audited}, revisions: [9])`,
    'Model',
    'model',
  );
  const apiKey = await act<{ id: string; key: string }>(
    'create-api-key',
    `createApiKey(${audited}, input: { name: "k" })`,
    'NewApiKey',
    'id key',
  );
  const made = await act<{ id: string; token: string }>(
    'create-token',
    `createToken(${brand}, input: { name: "t", roles: [auditor] })`,
    'NewToken',
    'id token',
  );
  await act('revoke-token', `revokeToken(${brand}, id: "${made.id}")`, 'Done', 'isDone');
  await act('list-serials', `listSerials(${audited}, serials: ["X1"])`, 'ListedSerials', 'added');
  const { items } = await act<{ items: { id: string }[] }>(
    'allow-remodel',
    `allowRemodels(${brand}, rules: [{ fromModel: "acme-audited", toModel: "acme-admin" }])`,
    'RemodelRules',
    'items { id }',
  );
  await act(
    'end-remodel-rule',
    `endRemodelRules(${brand}, ids: ["${items[0]?.id}"])`,
    'RemodelRules',
    'items { id }',
  );
  const disabling = `${brand}, keyId: "${key.keyId}", confirmModels: ["acme-audited"]`;
  await act(
    'propose-key-disabling',
    `setSigningKeyEnabled(${disabling}, isEnabled: false)`,
    'SigningKey',
    'keyId',
  );
  const bob = await act<{ id: string }>(
    'set-member',
    `setMember(${brand}, input: { email: "bob@acme.example", displayName: "Bob", roles: [approver, key_custodian] })`,
    'Member',
    'id',
  );
  const { invitation } = await act<{ invitation: string }>(
    'invite-member',
    `inviteMember(${brand}, id: "${bob.id}")`,
    'Invitation',
    'invitation',
  );
  const password = 'tell nobody of this';
  const joined = await act<{ token: string }>(
    'accept-invitation',
    `acceptInvitation(invitation: "${invitation}", password: "${password}")`,
    'Session',
    'token',
  );
  const asBob = [undefined, joined.token] as const;
  await act(
    'disable-signing-key',
    `confirmKeyDisabling(${disabling})`,
    'SigningKey',
    'keyId',
    ...asBob,
  );
  for (const signer of [freshKey(), freshKey(), freshKey()])
    await register(vault, model, signer, 'AUDIT-1');
  const { pending } = await query<{ pending: { id: string; serial: string }[] }>(
    vault,
    vault.token,
    `{ pending(${brand}) { id serial } }`,
  );
  const [first, second] = pending.filter(({ serial }) => serial === 'AUDIT-1');
  await act(
    'approve-request',
    `approveRequest(${brand}, id: "${first?.id}")`,
    'PendingRequest',
    'id',
    ...asBob,
  );
  await act(
    'refuse-request',
    `refuseRequest(${brand}, id: "${second?.id}")`,
    'PendingRequest',
    'id',
    ...asBob,
  );
  await act(
    'revoke-device',
    `revokeDevice(${brand}, model: "acme-admin", serial: "AUDIT-1", reason: "r")`,
    'Device',
    'serial',
  );
  await act(
    'restore-device',
    `restoreDevice(${brand}, model: "acme-admin", serial: "AUDIT-1", reason: "r")`,
    'Device',
    'serial',
    ...asBob,
  );
  await act(
    'swap-board',
    `swapBoard(${brand}, model: "acme-admin", serial: "AUDIT-1", newSerial: "AUDIT-2", reason: "r")`,
    'Device',
    'serial',
  );
  await act('end-api-key', `endApiKey(${brand}, id: "${apiKey.id}")`, 'ApiKey', 'id');
  await act(
    'block-device-key',
    `blockDeviceKey(deviceKeyId: "some-key", reason: "leaked")`,
    'Done',
    'isDone',
  );

  const logins = await act<{ accountKeyRequest: string }>(
    'create-signing-key',
    `createSigningKey(${brand}, name: "logins", purpose: system_user)`,
    'SigningKey',
    'accountKeyRequest',
  );
  const loginKey = await certify(decodeAssertion(Buffer.from(logins.accountKeyRequest)));
  await act(
    'import-account-key',
    `importAccountKey(${brand}, assertions: $a)`,
    'SigningKey',
    'keyId',
    loginKey.bytes.toString(),
  );
  const deviceLogin = '$6$salt$hash0hash0hash0';
  const until = new Date(Date.now() + 86_400_000).toISOString();
  await act(
    'create-system-user',
    `createSystemUser(${brand}, input: { email: "s@acme.example", name: "S", username: "s", passwordHash: $a, models: ["acme-audited"], until: "${until}" })`,
    'SystemUser',
    'email',
    deviceLogin,
  );
  await act(
    'create-token',
    `createInstallationToken(input: { name: "all", roles: [instance_admin] })`,
    'NewToken',
    'id',
  );
  // Sealed anew with the same one.
  const masterKey = vault.env.MASTER_KEY_FILE ?? '';
  copyFileSync(masterKey, `${masterKey}.former`);
  await act('change-master-key', 'changeMasterKey', 'MasterKeyChange', 'resealed');
  const member = await act<{ id: string }>(
    'set-member',
    `setMember(${brand}, input: { email: "ann@acme.example", displayName: "Ann", roles: [auditor] })`,
    'Member',
    'id',
  );
  await act('remove-member', `removeMember(${brand}, id: "${member.id}")`, 'Member', 'id');

  const factor = await mutate<{ secret: string }>(
    vault,
    joined.token,
    'beginSecondFactor',
    'SecondFactor',
    'secret',
  );
  const code = totpCode(factor.secret, new Date());
  const { codes } = await act<{ codes: string[] }>(
    'set-second-factor',
    `confirmSecondFactor(secret: "${factor.secret}", password: "${password}", otp: "${code}")`,
    'RecoveryCodes',
    'codes',
    ...asBob,
  );
  await act(
    'login',
    `login(brand: "${BRAND}", email: "bob@acme.example", password: "${password}", otp: "${codes[0]}")`,
    'Session',
    'token',
  );
  await act(
    'remove-second-factor',
    `removeSecondFactor(password: "${password}", otp: "${codes[1]}")`,
    'Done',
    'isDone',
    ...asBob,
  );
  const next = 'another one for nobody';
  await act(
    'change-password',
    `changePassword(current: "${password}", next: "${next}")`,
    'Done',
    'isDone',
    ...asBob,
  );
  await act('logout', 'logout', 'Done', 'isDone', ...asBob);

  const rows = (await actions()).slice(before);
  expect(rows.map(({ action }) => action)).toEqual(expected);
  const byPeople = rows.filter(({ actor }) => actor === `person:${bob.id}`);
  expect(byPeople.map(({ action }) => action)).toEqual([
    'accept-invitation',
    'disable-signing-key',
    'approve-request',
    'refuse-request',
    'restore-device',
    'set-second-factor',
    'login',
    'remove-second-factor',
    'change-password',
    'logout',
  ]);
  const others = rows.filter((row) => !byPeople.includes(row));
  expect(others.every(({ actor }) => actor.startsWith('token:'))).toBe(true);
  const told = [apiKey.key, made.token, vault.token, pem.slice(100, 160), deviceLogin];
  const bobs = [invitation, joined.token, password, next, factor.secret, ...codes];
  for (const secret of [...told, ...bobs]) expect(JSON.stringify(rows)).not.toContain(secret);
  const schema = buildSchema(await readSchema());
  // A secret that counts only when it is confirmed is no write.
  done.push('beginSecondFactor');
  expect(new Set(done)).toEqual(new Set(Object.keys(schema.getMutationType()?.getFields() ?? {})));
});
