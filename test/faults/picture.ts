import type { Client } from 'pg';

/** What may differ between two runs that did the same: versions, daily looks, and who the devices are. */
const LEFT_OUT = new Set([
  'policy_versions',
  'overlay_versions',
  'policy_snapshots',
  'idempotency_keys',
  'audit_checks',
  'devices',
  'device_facts',
  'fleet_members',
]);

/** Besides whole tables: an overlay says anew when a lease is extended, which depends on how long all took. */
const ROWS: Readonly<Record<string, string>> = {
  overlay_events: `SELECT to_jsonb(e) - 'version' AS row FROM (
    SELECT *, value - '{activeMs,activeSince,leaseUntil}'::text[] AS said,
      lag(value - '{activeMs,activeSince,leaseUntil}'::text[]) OVER (PARTITION BY subject ORDER BY version) AS was
    FROM store.overlay_events WHERE brand_id = $1) e WHERE said IS DISTINCT FROM was`,
  // Devices are counted again and again; what a count says is the same.
  rollout_counts: `SELECT to_jsonb(c) - '{counted_at,dirty_at,begun_at,took_ms,judged}'::text[] AS row
    FROM store.rollout_counts c WHERE brand_id = $1`,
};

/** Ids, digests, salts, instants and buckets, each by its kind: two brands that went the same way look the same. */
const MASKS: readonly (readonly [RegExp, string])[] = [
  [/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'uuid'],
  [/\\\\x[0-9a-f]+/g, 'bytes'],
  [/\b[0-9a-f]{64,96}\b/g, 'digest'],
  [/\b[A-Za-z0-9]{32}\b/g, 'id'],
  [/\d{4}-\d\d-\d\dT[\d:.]+(\+\d\d:\d\d|Z)/g, 'instant'],
  [/\b\d{10,}\b/g, 'number'],
  [/"active(_ms(_at_open)?|Ms)": \d+/g, 'active time'],
  [/"policyVersion": \d+/g, 'version'],
  [/\b(brand|fault)-\d{4}\b/g, 'name'],
];

/** All that the store holds of a brand, row by row, without what is random: for comparing brands. */
export async function pictureOf(owner: Client, brandId: string): Promise<string[]> {
  const { rows: tables } = await owner.query<{ name: string }>(
    `SELECT c.table_name AS name FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
     WHERE c.table_schema = 'store' AND c.column_name = 'brand_id' AND t.table_type = 'BASE TABLE' ORDER BY 1`,
  );
  const picture: string[] = [];
  for (const { name } of tables.filter((table) => !LEFT_OUT.has(table.name))) {
    const { rows } = await owner.query<{ row: string }>(
      `SELECT row::text FROM (${ROWS[name] ?? `SELECT to_jsonb(t) AS row FROM store.${name} t WHERE brand_id = $1`}) t`,
      [brandId],
    );
    picture.push(...rows.map(({ row }) => `${name} ${masked(row)}`).sort());
  }
  const { rows: signed } = await owner.query<{ type: string; revision: number; n: string }>(
    `SELECT a.type, a.revision, count(*) AS n FROM store.assertions a JOIN store.snaps s ON s.id = a.snap_id
     WHERE s.brand_id = $1 GROUP BY 1, 2 ORDER BY 1, 2`,
    [brandId],
  );
  return [...picture, ...signed.map((row) => `assertions ${JSON.stringify(row)}`)];
}

const masked = (row: string): string =>
  MASKS.reduce((text, [pattern, word]) => text.replace(pattern, word), row);
