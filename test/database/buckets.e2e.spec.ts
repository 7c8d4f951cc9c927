import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { bucket } from '#libs/update-control';

/** The SQL twin of `bucket`, as the page gives it (update-control.md 2.4). */
const TWIN = (salt: string, uid: string): string =>
  `('x'||encode(substring(sha256(${salt}||'\\x00'::bytea||convert_to(${uid},'UTF8')) from 1 for 7),'hex'))::bit(56)::bigint >> 3`;
const PAIRS = 1_000_000;
const PER_QUERY = 50_000;

describe('buckets in SQL and in TypeScript', () => {
  let client: Client;
  beforeAll(async () => {
    client = new Client({ connectionString: inject('stackEnv').DATABASE_URL });
    await client.connect();
  });
  afterAll(() => client?.end());

  it('U11 agree on the three vectors and on a million random pairs', async () => {
    for (const [salt, uid, expected] of [
      [
        '00112233445566778899aabbccddeeff',
        '9b2f0c52-8a0e-4f0e-9c0e-0d2b5c6a7f10',
        2894620512210394,
      ],
      [
        '00112233445566778899aabbccddeeff',
        '00000000-0000-4000-8000-000000000001',
        5617287291896337,
      ],
      [
        'ffeeddccbbaa99887766554433221100',
        '9b2f0c52-8a0e-4f0e-9c0e-0d2b5c6a7f10',
        1132221529540816,
      ],
    ] as const) {
      const { rows } = await client.query<{ twin: string }>(
        `SELECT ${TWIN("decode($1, 'hex')", '$2::text')} AS twin`,
        [salt, uid],
      );
      expect([bucket(salt, uid), Number(rows[0]?.twin)]).toEqual([expected, expected]);
    }
    let compared = 0;
    const different: unknown[] = [];
    while (compared < PAIRS) {
      const { rows } = await client.query<[string, string, string]>({
        text: `SELECT salt, uid, ${TWIN("decode(salt, 'hex')", 'uid')} FROM (
                 SELECT replace(gen_random_uuid()::text, '-', '') AS salt, gen_random_uuid()::text AS uid
                 FROM generate_series(1, ${PER_QUERY}) OFFSET 0) AS pairs`,
        rowMode: 'array',
      });
      for (const [salt, uid, twin] of rows)
        if (bucket(salt, uid) !== Number(twin)) different.push([salt, uid, twin]);
      compared += rows.length;
    }
    expect(compared).toBe(PAIRS);
    expect(different).toEqual([]);
  }, 180_000);
});
