import { Client } from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  BRAND,
  createApiKey,
  freshKey,
  query,
  register,
  registerModel,
  requestId,
  runSql,
  type RunningVault,
  type TestModel,
} from './vault-kit.js';
import { startVaultWithModel } from './support/start.js';
import { approveSerial, refuseSerial } from './support/people.js';
import { ask } from '../../tools/clients/http.js';

let vault: RunningVault;
let keyId = '';
let model: TestModel;
beforeAll(async () => {
  ({ vault, keyId, model } = await startVaultWithModel('acme-admin'));
});
afterAll(() => vault?.stop());

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
  await register(vault, model, freshKey(), 'LOG-1');
  await refuseSerial(vault, 'LOG-1');
  expect(await row('LOG-1')).toBe('refused refused-by-operator');
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

  // Where rows have to wait, answers wait with them.
  const blocker = new Client({ connectionString: vault.urls.owner });
  await blocker.connect();
  await blocker.query('BEGIN');
  await blocker.query(`SELECT pg_advisory_xact_lock(hashtext('signing_log ' || $1))`, [BRAND]);
  const answered: number[] = [];
  const asking = ['LOG-4', 'LOG 5'].map(async (serial) => {
    answered.push((await register(vault, model, freshKey(), serial)).status);
  });
  const waiting = `SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
     AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`;
  try {
    await expect.poll(() => vault.sql(waiting), { timeout: 60_000 }).toHaveLength(2);
    // Calls that need no row are answered meanwhile.
    for (let call = 0; call < 5; call++) await requestId(vault, model.apiKey);
    expect(answered).toEqual([]);
  } finally {
    await blocker.end();
  }
  await Promise.all(asking);
  expect(answered.sort()).toEqual([200, 400]);
  expect([await row('LOG-4'), await row('LOG 5')]).toEqual(['signed', 'refused bad-serial']);
});

it('V75 the role of the service cannot change or delete a row', async () => {
  const ofOthers = ['device_events', 'model_policies', 'superseded_keys'];
  for (const table of ['signing_log', 'audit_log', ...ofOthers]) {
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

/** Another value of a column, by its type. */
const OTHER: Readonly<Record<string, string>> = {
  text: `$ || 'x'`,
  integer: 'coalesce($, 0) + 1',
  uuid: 'gen_random_uuid()',
  jsonb: `$ || '{"more": 1}'`,
  'timestamp with time zone': `$ + interval '1 second'`,
};

it('V76 the chain shows an altered, a dropped and a swapped row', async () => {
  for (let index = 0; index < 5; index++)
    await register(vault, model, freshKey(), `CHAIN-${index}`);
  const sound = { signingLog: null, auditLog: null };
  const verify = async (): Promise<unknown> => {
    const document = `{ verifyLogs(brand: "${BRAND}") { signingLog auditLog } }`;
    return (await query<{ verifyLogs: unknown }>(vault, vault.token, document)).verifyLogs;
  };
  /** Spoils one log in every way; `append` is an act that writes a row of it. */
  const spoilAll = async (
    log: keyof typeof sound,
    table: string,
    append: () => Promise<unknown>,
  ): Promise<void> => {
    const ours = `vault.${table} WHERE brand_id = '${BRAND}'`;
    await vault.sql(`CREATE TABLE public.${table} AS SELECT * FROM ${ours}`);
    const putBack = `INSERT INTO vault.${table} SELECT * FROM public.${table}`;
    const spoil = async (first: number, ...steps: (string | typeof append)[]): Promise<void> => {
      for (const step of steps) await (typeof step === 'string' ? vault.sql(step) : step());
      expect(await verify(), String(steps)).toEqual({ ...sound, [log]: first });
      await vault.sql(`DELETE FROM ${ours}; ${putBack}`);
      expect(await verify()).toEqual(sound);
    };
    const columns = await vault.sql<{ name: string; type: string }>(
      `SELECT column_name AS name, data_type AS type FROM information_schema.columns
       WHERE table_schema = 'vault' AND table_name = $1 AND column_name NOT IN ('brand_id', 'seq', 'address')`,
      [table],
    );
    for (const { name, type } of columns) {
      const value = (OTHER[type] ?? '').replace('$', name);
      await spoil(
        3,
        `UPDATE vault.${table} SET ${name} = ${value} WHERE brand_id = '${BRAND}' AND seq = 3`,
      );
    }
    await spoil(4, `DELETE FROM ${ours} AND seq = 4`);
    await spoil(
      2,
      `UPDATE vault.${table} SET seq = CASE seq WHEN 2 THEN -3 ELSE -2 END WHERE brand_id = '${BRAND}' AND seq IN (2, 3); UPDATE vault.${table} SET seq = -seq WHERE seq < 0`,
    );
    // A row that is right in itself, in the place of another one.
    await spoil(4, `DELETE FROM ${ours} AND seq >= 3`, append, `${putBack} WHERE seq > 3`);
  };
  expect(await verify()).toEqual(sound);
  await spoilAll('signingLog', 'signing_log', () => register(vault, model, freshKey(), 'FORGED'));
  await spoilAll('auditLog', 'audit_log', () => createApiKey(vault, model.name));
  // The address is personal data and may go without a trace in the chain.
  await vault.sql(`UPDATE vault.signing_log SET address = ''`);
  expect(await verify()).toEqual(sound);
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
