import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ask } from '../../tools/clients/http.js';
import { BRAND, registerBrand, startVault, type RunningVault } from './vault-kit.js';

const ROWS = 1_000_000;
const NEWLINE = 10;
const LIMIT = 100 * 2 ** 20;

let vault: RunningVault;
beforeAll(async () => {
  vault = await startVault();
  await registerBrand(vault);
});
afterAll(() => vault?.stop());

const fetchLog = (query: string): Promise<Response> =>
  fetch(`${vault.url}/admin/v1/brands/${BRAND}/serial-log/export?${query}`, {
    headers: { authorization: `Bearer ${vault.token}` },
  });

/** Rows as no device could bring them so fast; `first` is what a device may call itself. */
const fill = (from: number, to: number, first: string): Promise<unknown> =>
  vault.sql(
    `INSERT INTO vault.signing_log (brand_id, seq, outcome, model, serial, user_agent, prev_hash, hash)
     SELECT $1, seq, 'signed', 'acme', 'S-' || seq, $4, '', ''
     FROM generate_series($2::int, $3::int) AS seq`,
    [BRAND, from, to, first],
  );

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** All that this process holds besides code; what is only not swept up yet does not count. */
const held = (): number => {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
};

it('V77 the export streams, and cells that a spreadsheet would run are texts', async () => {
  for (const [index, agent] of ['=1+1', '+1', '-1', '@SUM(A1)', 'snapd/2.74'].entries())
    await fill(index + 1, index + 1, agent);
  const csv = await (await fetchLog('format=csv')).text();
  const [heading = '', ...lines] = csv.trimEnd().split('\r\n');
  const at = heading.split(',').indexOf('userAgent');
  expect(lines.map((line) => line.split(',')[at])).toEqual([
    'snapd/2.74',
    "'@SUM(A1)",
    "'-1",
    "'+1",
    "'=1+1",
  ]);
  const some = await (await fetchLog('format=jsonl&serial=S-3')).text();
  expect(JSON.parse(some)).toMatchObject({ seq: 3, userAgent: '-1' });
  expect((await fetchLog('format=xls')).status).toBe(400);
  expect((await fetchLog('colour=red')).status).toBe(400);

  await fill(6, ROWS, 'snapd');
  const before = held();
  const { body } = await fetchLog('format=jsonl');
  let [bytes, rows, most, nextLook] = [0, 0, 0, 0];
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, at + 1)) rows += 1;
    if (bytes < nextLook) continue;
    nextLook += LIMIT / 8;
    most = Math.max(most, held() - before);
  }
  expect(rows).toBe(ROWS);
  expect(bytes).toBeGreaterThan(2 * LIMIT);
  expect(most).toBeLessThan(LIMIT);
}, 600_000);

it('only a token of the brand exports', async () => {
  const url = `${vault.url}/admin/v1/brands/${BRAND}/serial-log/export`;
  const answer = await ask(url, { headers: { authorization: 'Bearer nobody' } });
  expect(answer.status).toBe(401);
});
