import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { header, signAssertion, type Assertion, type Signer } from '#libs/assertions';
import { ask, type Answer } from '../../tools/clients/http.js';
import { CliUser, type CliRun } from '../cli/support/run-cli.js';
import {
  BRAND,
  brandSigner,
  certifiedKey,
  codeOf,
  freshKey,
  inStream,
  modelAssertion,
  otherBrand,
  postSerial,
  query,
  register,
  registerBrand,
  requestId,
  serialIn,
  serialRequest,
  startVault,
  type RunningVault,
  type TestModel,
} from './vault-kit.js';
import { decide } from './support/people.js';
import { dumpOf } from './support/former-vault.js';

/** As the former vault makes them. */
const API_KEY = 'Zx81AcmeFormerVaultKeyOf40Characters0001';
const LATER_KEY = 'Zx81AcmeFormerVaultKeyOf40Characters0002';
/** Of a brand that this vault does not know yet. */
const GLOBEX_KEY = 'Zx81AcmeFormerVaultKeyOf40Characters0003';
const NO_KEY_ID = 'x'.repeat(64);
const AWKWARD = 'tab\there \\N back\\slash\nline ü\u2028€';

let vault: RunningVault;
let admin: CliUser;
let dump = '';
let former: TestModel;
let pivot: TestModel;
const [replaced, current, other, moving] = [freshKey(), freshKey(), freshKey(), freshKey()];

const logRow = (
  id: number,
  serial: string,
  key: Signer,
  revision: number,
  make = BRAND,
): object => ({
  id,
  make,
  model: 'acme-former',
  serial_number: serial,
  fingerprint: key.publicKey.id,
  created: `2019-03-0${id} 10:00:00.123456`,
  revision,
  synced: 0,
});

beforeAll(async () => {
  vault = await startVault();
  await registerBrand(vault);
  admin = new CliUser({ BRANDSTORE_VAULT_URL: vault.url, BRANDSTORE_VAULT_TOKEN: vault.token });
  const globex = await otherBrand();
  const account = globex.chain.slice(globex.chain.indexOf('type: account\n'));
  const model = (
    id: number,
    brand: string,
    name: string,
    keypair: number,
    key: string,
  ): object => ({
    ...{ id, brand_id: brand, name, keypair_id: keypair, user_keypair_id: keypair, api_key: key },
  });
  const rows = {
    account: [
      { id: 1, authority_id: BRAND, assertion: '', resellerapi: false },
      { id: 2, authority_id: globex.id, assertion: account, resellerapi: null },
      { id: 3, authority_id: 'nobody', assertion: 'no assertion', resellerapi: true },
    ],
    keypair: [
      ...[await certifiedKey(vault), NO_KEY_ID].map((key, at) => ({
        ...{ id: at + 1, authority_id: BRAND, key_id: key, active: true, sealed_key: AWKWARD },
        ...{ assertion: null, key_name: AWKWARD },
      })),
    ],
    model: [
      model(1, BRAND, 'acme-former', 1, API_KEY),
      model(2, BRAND, 'acme-pivot', 1, API_KEY),
      model(3, BRAND, 'acme-later', 2, LATER_KEY),
      model(4, globex.id, 'globex-box', 2, GLOBEX_KEY),
      model(5, 'nobody', 'nothing', 2, 'short-key-1'),
    ],
    signinglog: [
      logRow(1, 'F 1', replaced, 1),
      logRow(2, 'F 1', current, 2),
      logRow(3, 'F-2', other, 1),
      logRow(4, 'F-3', moving, 4),
      logRow(5, 'N-1', freshKey(), 1, 'nobody'),
    ],
    substore: [
      ['F-3', 'acme-pivot'],
      ['F-2', 'acme-former'],
    ].map(([serial = '', to = ''], at) => ({
      ...{ id: at + 1, account_id: 1, from_model_id: 1, store: AWKWARD },
      ...{ serial_number: serial, model_name: to },
    })),
    userinfo: [
      { id: 1, username: 'sv', name: null, email: 'a@b.c', userrole: 300, api_key: 'people-key' },
    ],
  };
  dump = await dumpOf(vault.urls.owner, rows as Parameters<typeof dumpOf>[1]);
  const named = async (name: string): Promise<TestModel> => ({
    ...{ name, assertion: await modelAssertion(name), apiKey: API_KEY, apiKeyId: '' },
  });
  former = await named('acme-former');
  pivot = await named('acme-pivot');
});
afterAll(() => vault?.stop());

interface Report {
  readonly applied: boolean;
  readonly tables: readonly {
    readonly table: string;
    readonly read: number;
    readonly taken: number;
    readonly alreadyThere: number;
    readonly skipped: readonly { readonly rows: number }[];
  }[];
  readonly toDo: readonly string[];
}

const importDump = (...more: string[]): Promise<CliRun> =>
  admin.run(['vault', 'import-dump', '-', ...more], dump);

/** Table → read, taken, already there, skipped. */
const countsOf = ({ tables }: Report): Record<string, number[]> =>
  Object.fromEntries(
    tables.map(({ table, read, taken, alreadyThere, skipped }) => [
      table,
      [read, taken, alreadyThere, skipped.reduce((sum, { rows }) => sum + rows, 0)],
    ]),
  );

/** All that an import could change, counted. */
async function state(): Promise<unknown> {
  const tables = ['brands', 'assertions', 'models', 'model_policies', 'api_keys', 'devices'];
  const more = ['superseded_keys', 'signing_log', 'remodel_rules', 'audit_log'];
  const counts = [...tables, ...more].map((name) => `(SELECT count(*) FROM vault.${name})`);
  return (await vault.sql(`SELECT concat_ws(' ', ${counts.join(', ')}) AS state`))[0];
}

const send = (body: string): Promise<Answer> =>
  ask(`${vault.url}/admin/v1/former-vault?apply=true`, {
    method: 'POST',
    headers: { authorization: `Bearer ${vault.token}`, 'content-type': 'application/sql' },
    body,
  });

const placeOf = (answer: Answer): string =>
  answer.json<{ 'error-list': { message: string }[] }>()['error-list'][1]?.message ?? '';

it('a dump that is not whole or not right changes nothing, and says line and table', async () => {
  const before = await state();
  const lineOf = (part: string): number => dump.slice(0, dump.indexOf(part)).split('\n').length;
  const cut = await send(dump.slice(0, dump.indexOf('F-2') + 1));
  expect([cut.status, placeOf(cut)]).toEqual([
    400,
    expect.stringContaining(`line ${lineOf('F-2')}, table signinglog`),
  ]);
  const unknown = await send(dump.replace('COPY public.userinfo', 'COPY public.pets'));
  const at = lineOf('COPY public.userinfo');
  expect(placeOf(unknown)).toContain(`line ${at}, table pets: a former vault has no such table`);
  const orphan = await send(dump.replace(/\t\S+\tglobex-box/, '\tstranger\tglobex-box'));
  expect(placeOf(orphan)).toContain(`line ${lineOf('globex-box')}, table model: no account`);
  const lost = await send(dump.replace(/^1\t1\t1\t/m, '1\t1\t99\t'));
  expect(placeOf(lost)).toContain('table substore');
  expect(await state()).toEqual(before);
});

it('of a file the command shows how much has gone, and one that is not there is said', async () => {
  const file = join(admin.configDir, 'former.sql');
  writeFileSync(file, dump);
  const told = await admin.run(['vault', 'import-dump', file]);
  expect([told.status, told.err]).toEqual([0, expect.stringMatching(/^former\.sql: 100 % of /m)]);
  expect(told.out).toContain('nothing was changed');
  const none = await admin.run(['vault', 'import-dump', `${file}.gz`]);
  expect([none.status, none.err]).toEqual([1, expect.stringContaining('there is no such file')]);
});

it('V96 a dump of a former vault brings brands, models, hashed API keys, log and remodels: devices go on', async () => {
  const before = await state();
  const dry = (await importDump('--json')).json<Report>();
  expect(dry.applied).toBe(false);
  expect(await state()).toEqual(before);
  const told = await importDump('--apply', '--json');
  expect(told.json<Report>()).toEqual({ ...dry, applied: true });
  expect(countsOf(dry)).toEqual({
    account: [3, 1, 1, 1],
    keypair: [2, 0, 1, 1],
    model: [5, 4, 0, 1],
    signinglog: [5, 4, 0, 1],
    substore: [2, 1, 0, 1],
    userinfo: [1, 0, 0, 1],
    'API keys of models': [4, 3, 0, 1],
    'devices of the log': [0, 3, 0, 0],
  });
  expect(dry.toDo.join('\n')).toMatch(new RegExp(`acme-later is inactive: import .*${NO_KEY_ID}`));
  // Never in clear: neither in the answer nor in any row.
  const [all] = await vault.sql<{ text: string }>(
    `SELECT string_agg(one::text, '') AS text FROM (SELECT to_jsonb(k) FROM vault.api_keys AS k
     UNION ALL SELECT to_jsonb(a) FROM vault.audit_log AS a) AS rows (one)`,
  );
  for (const text of [all?.text ?? '', told.out]) {
    expect(text).toContain(BRAND);
    for (const key of [API_KEY, LATER_KEY, GLOBEX_KEY]) expect(text).not.toContain(key);
  }
  // Devices of tests have small keys.
  await vault.sql(`UPDATE vault.model_policies SET policy = policy || '{"minimumKeyBits": 2048}'`);
  await remodels();
  await devicesGoOn();
  // Again: nothing comes twice, and what went on since stays.
  const after = await state();
  const again = countsOf((await importDump('--apply', '--json')).json<Report>());
  expect(Object.values(again).map(([, taken]) => taken)).toEqual(Array(8).fill(0));
  expect(again.signinglog).toEqual([5, 0, 4, 1]);
  expect(withoutAudit(await state())).toEqual(withoutAudit(after));
}, 180_000);

const withoutAudit = (counts: unknown): string =>
  (counts as { state: string }).state.split(' ').slice(0, -1).join(' ');

async function devicesGoOn(): Promise<void> {
  expect((await register(vault, former, freshKey(), 'F-10')).status).toBe(200);
  const later = { ...former, apiKey: LATER_KEY, assertion: await modelAssertion('acme-later') };
  expect(codeOf(await register(vault, later, freshKey(), 'L-1'))).toBe('inactive-model');

  // The same device again: the next revision, since its serial is not here to be repeated.
  const same = serialIn((await register(vault, former, other, 'F-2')).text);
  expect(same.headers.revision).toBe('2');
  expect((await register(vault, former, other, 'F-2')).text).toContain('revision: 2\n');
  expect(codeOf(await register(vault, former, other, 'F-20'))).toBe('duplicate-device-key');
  expect(codeOf(await register(vault, former, replaced, 'F 1'))).toBe('revoked-device');
  const newKey = freshKey();
  expect((await register(vault, former, newKey, 'F 1')).status).toBe(202);
  const [held] = await vault.sql<{ id: string }>(
    `SELECT id FROM vault.pending WHERE serial = 'F 1'`,
  );
  await decide(vault, 'approve', held?.id);
  const again = serialIn((await register(vault, former, newKey, 'F 1')).text);
  expect(again.headers.revision).toBe('3');

  const { signingLog, verifyLogs } = await query<{
    signingLog: { items: unknown[] };
    verifyLogs: unknown;
  }>(
    vault,
    vault.token,
    `{ signingLog(brand: "${BRAND}", filter: { outcome: imported }) { items { serial revision at deviceKeyId } }
       verifyLogs(brand: "${BRAND}") { signingLog } }`,
  );
  expect(signingLog.items).toHaveLength(4);
  expect(signingLog.items[0]).toEqual({
    ...{ serial: 'F-3', revision: 4, deviceKeyId: moving.publicKey.id },
    at: '2019-03-04T10:00:00.123Z',
  });
  expect(verifyLogs).toEqual({ signingLog: null });
}

async function remodels(): Promise<void> {
  const old = (serial: string, key: Signer, revision: string): Promise<Assertion> =>
    signAssertion(
      {
        type: 'serial',
        headers: {
          ...{ 'authority-id': BRAND, 'brand-id': BRAND, model: 'acme-former', serial, revision },
          'device-key': key.publicKey.encoded,
          'device-key-sha3-384': key.publicKey.id,
          timestamp: new Date().toISOString().replace(/\.\d+/, ''),
        },
      },
      brandSigner,
      new Date(),
    );
  const notLast = await remodel(moving, await old('F-3', moving, '3'));
  expect(codeOf(notLast)).toBe('mismatched-original');
  const noRule = await remodel(current, await old('F 1', current, '2'));
  expect(noRule.json<{ message: string }>().message).toContain('no rule of the brand allows it');
  const answer = await remodel(moving, await old('F-3', moving, '4'));
  expect(answer.status).toBe(200);
  const { model, serial } = serialIn(answer.text).headers;
  expect([model, serial]).toEqual(['acme-pivot', 'F-3']);
}

async function remodel(key: Signer, old: Assertion): Promise<Answer> {
  const originals = ['brand-id', 'model', 'serial'].map((name) => [
    `original-${name}`,
    header(old, name),
  ]);
  const headers = Object.fromEntries(originals) as Record<string, string>;
  const id = await requestId(vault, API_KEY);
  const request = await serialRequest(pivot.assertion, id, key, '', { headers });
  return postSerial(vault, API_KEY, inStream(request, pivot.assertion, old));
}
