import { copyFileSync } from 'node:fs';
import { buildSchema } from 'graphql';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { decodeAssertion } from '#libs/assertions';
import { totpCode } from '#libs/auth';
import {
  BRAND,
  certify,
  freshKey,
  modelAssertion,
  mutate,
  query,
  register,
  vectorBytes,
  type RunningVault,
  type TestModel,
} from './vault-kit.js';
import { startVaultWithModel } from './support/start.js';
import { wrappedKey } from './support/import-key.js';
import { LoginProvider, visit } from './support/login-provider.js';
import { cheapKey } from '../../tools/clients/cheap-keys.js';

let vault: RunningVault;
let model: TestModel;
let provider: LoginProvider;

beforeAll(async () => {
  provider = await LoginProvider.start();
  ({ vault, model } = await startVaultWithModel('acme-admin', provider.env));
});
afterAll(async () => {
  await vault?.stop();
  await provider?.leave();
});

const readSchema = (): Promise<string> =>
  readFile(new URL('../../apps/serial-vault/schema.graphql', import.meta.url), 'utf8');

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
  const actions = async (): Promise<{ action: string; actor: string; row: string }[]> =>
    vault.sql(
      `SELECT action, actor, log::text AS row FROM vault.audit_log AS log WHERE brand_id IN ('${BRAND}', '-') ORDER BY at, brand_id, seq`,
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
  const pem = cheapKey(4096).export({ type: 'pkcs8', format: 'pem' }).toString();
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
  provider.people.set('bob', { email: 'bob@acme.example', email_verified: true });
  const begun = await mutate<{ authorizationUrl: string; ticket: string }>(
    vault,
    '',
    `beginOidcLogin(brand: "${BRAND}", redirectUri: "http://127.0.0.1/callback")`,
    'OidcLogin',
    'authorizationUrl ticket',
  );
  const { search } = await visit(begun.authorizationUrl, { login: 'bob' });
  expected.push('link-identity');
  const spoken = await act<{ token: string }>(
    'login',
    `finishOidcLogin(ticket: "${begun.ticket}", response: "${search}")`,
    'Session',
    'token',
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
    'link-identity',
    'login',
    'logout',
  ]);
  const others = rows.filter((row) => !byPeople.includes(row));
  expect(others.every(({ actor }) => actor.startsWith('token:'))).toBe(true);
  const told = [apiKey.key, made.token, vault.token, pem.slice(100, 150), deviceLogin];
  const bobs = [invitation, joined.token, password, next, factor.secret, ...codes];
  const answer = [...new URLSearchParams(search).values()].filter((one) => one !== provider.issuer);
  const written = rows.map(({ row }) => row).join('\n');
  for (const secret of [...told, ...bobs, begun.ticket, spoken.token, ...answer])
    expect(written).not.toContain(secret);
  const schema = buildSchema(await readSchema());
  // What counts only when it is confirmed is no write.
  done.push('beginSecondFactor', 'beginOidcLogin');
  expect(new Set(done)).toEqual(new Set(Object.keys(schema.getMutationType()?.getFields() ?? {})));
});
