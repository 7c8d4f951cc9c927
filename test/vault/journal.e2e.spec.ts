import { Client } from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  BRAND,
  freshKey,
  query,
  register,
  registerModel,
  runSql,
  type RunningVault,
  type TestModel,
} from './vault-kit.js';
import { startVaultWithModel } from './support/start.js';
import { approveSerial } from './support/people.js';
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
