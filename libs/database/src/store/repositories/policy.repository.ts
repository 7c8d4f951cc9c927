import type { PolicyRows, WaveRow } from '#libs/update-control';
import type { Tx } from '../../database.js';

/** A live rollout as its row has it; the plan says the rest. */
export interface LiveRolloutInput {
  readonly id: string;
  readonly brandId: string;
  /** Null where the target is a sequence. */
  readonly laneId: string | null;
  readonly name: string;
  readonly state: string;
  readonly fleetId: string;
  readonly salt: string;
  readonly plan: unknown;
  readonly waves: readonly WaveRow[];
  readonly activeMs: number;
  readonly activeSince: number | null;
  readonly leaseUntil: number | null;
}

/** The text of an assertion that the policy is read from, with the snap or model that it speaks of. */
export interface AssertionInput {
  readonly of: string;
  readonly text: string;
}

/** What a brand's policy is compiled from, all of one moment. */
export interface PolicyInputs extends Omit<PolicyRows, 'rollouts' | 'models' | 'validations'> {
  readonly rollouts: readonly LiveRolloutInput[];
  /** The newest revision of each model. */
  readonly models: readonly AssertionInput[];
  /** The newest declarations of the snaps that gate others. */
  readonly gatingDeclarations: readonly AssertionInput[];
  /** The newest `validation` assertions about these snaps. */
  readonly validations: readonly AssertionInput[];
}

const list = (columns: string, from: string): string =>
  `(SELECT coalesce(jsonb_agg(jsonb_build_object(${columns})), '[]') FROM ${from})`;
const ms = (column: string): string => `(extract(epoch FROM ${column}) * 1000)::bigint`;

/** Snaps of other brands count where a store of this brand shows them, a device names no store, or a licence brings them (decisions 2). */
const SEEN = `
  own_stores AS (
    SELECT id, allow_public, CASE WHEN essential_snaps THEN (SELECT public_store_id FROM store.installation) END AS essential_from
    FROM store.brand_stores WHERE brand_id = $1),
  own_licences AS (
    SELECT * FROM store.licences
    WHERE brand_id = $1 AND accepted_at IS NOT NULL AND (ends_at IS NULL OR ends_at > app.now())),
  seen AS (
    SELECT s.* FROM store.snaps s WHERE s.type IS NOT NULL AND (
      s.brand_id = $1
      OR s.id IN (SELECT snap_id FROM own_licences)
      OR (NOT s.is_private AND NOT s.is_protected AND s.prices = '{}' AND (
        EXISTS (SELECT 1 FROM own_stores WHERE allow_public)
        OR EXISTS (SELECT 1 FROM store.devices d WHERE d.brand_id = $1 AND d.store_id IS NULL)
        OR EXISTS (SELECT 1 FROM store.store_inclusions i JOIN own_stores o ON o.id = i.store_id
                   WHERE i.included_store_id = s.store_id AND (i.snap_id IS NULL OR i.snap_id = s.id))
        OR (s.type IN ('snapd', 'base', 'os') AND s.store_id IN (SELECT essential_from FROM own_stores)))))
  ),
  seen_lanes AS (SELECT l.* FROM store.lanes l JOIN seen ON seen.id = l.snap_id)`;

const TEXT = `convert_from(bytes, 'UTF8')`;

const PARTS: Readonly<Record<string, string>> = {
  snaps: list(
    `'id', id, 'brandId', brand_id, 'storeId', store_id, 'name', name, 'type', type, 'isPrivate', is_private,
     'isProtected', is_protected, 'isPaid', prices <> '{}', 'defaultTrack', default_track`,
    'seen',
  ),
  revisions: list(
    `'snapId', r.snap_id, 'revision', r.revision, 'architectures', r.architectures, 'epoch', r.epoch,
     'assumes', r.assumes, 'confinement', r.confinement, 'isYanked', r.yanked_at IS NOT NULL, 'sha3384', r.sha3384`,
    'store.snap_revisions r JOIN seen ON seen.id = r.snap_id',
  ),
  lanes: list(
    `'id', id, 'brandId', brand_id, 'snapId', snap_id, 'track', track, 'risk', risk, 'branch', branch,
     'isProtected', is_protected, 'expiresAt', ${ms('expires_at')}`,
    'seen_lanes',
  ),
  laneEvents: list(
    `'laneId', e.lane_id, 'seq', e.seq, 'kind', e.kind, 'revision', e.revision, 'architectures', e.architectures,
     'rank', e.rank, 'at', ${ms('e.created_at')}, 'progressive', e.progressive`,
    'store.lane_events e JOIN seen_lanes l ON l.id = e.lane_id',
  ),
  stores: list(
    `'id', id, 'allowPublic', allow_public, 'essentialFrom', essential_from`,
    'own_stores',
  ),
  inclusions: list(
    `'storeId', store_id, 'includedStoreId', included_store_id, 'snapId', snap_id`,
    'store.store_inclusions WHERE brand_id = $1',
  ),
  models: list(
    `'of', model, 'text', ${TEXT}`,
    `(SELECT DISTINCT ON (model) model, bytes FROM store.models WHERE brand_id = $1
      ORDER BY model, revision DESC) AS newest`,
  ),
  gatingDeclarations: list(
    `'of', snap_id, 'text', ${TEXT}`,
    `(SELECT DISTINCT ON (a.snap_id) a.snap_id, a.bytes FROM store.assertions a JOIN seen ON seen.id = a.snap_id
      WHERE a.type = 'snap-declaration' ORDER BY a.snap_id, a.revision DESC, a.format DESC) AS newest
     WHERE position(convert_to(E'\\nrefresh-control:', 'UTF8') IN bytes) > 0`,
  ),
  validations: list(
    `'of', snap_id, 'text', ${TEXT}`,
    `(SELECT DISTINCT ON (a.primary_key) seen.id AS snap_id, a.bytes FROM store.assertions a
      JOIN seen ON seen.id = split_part(a.primary_key, '/', 3)
      WHERE a.type = 'validation' ORDER BY a.primary_key, a.revision DESC, a.format DESC) AS newest`,
  ),
  licences: list(
    `'snapId', snap_id, 'storeId', store_id, 'model', model, 'from', ${ms('starts_at')}, 'until', ${ms('ends_at')}`,
    'own_licences',
  ),
  fleets: list(
    `'id', f.id, 'brandId', f.brand_id, 'name', f.name, 'priority', f.priority, 'timezone', f.timezone,
     'schedule', f.schedule, 'predicate', f.predicate, 'members',
     (SELECT coalesce(jsonb_agg(m.device_uid), '[]') FROM store.fleet_members m WHERE m.fleet_id = f.id)`,
    'store.fleets f WHERE f.brand_id = $1',
  ),
  fleetBaselines: list(
    `'brandId', brand_id, 'fleetId', fleet_id, 'laneId', lane_id, 'architecture', architecture, 'revision', revision,
     'follow', follow`,
    'store.fleet_baselines WHERE brand_id = $1',
  ),
  rollouts: list(
    `'id', r.id, 'brandId', r.brand_id, 'laneId', r.lane_id, 'name', r.name, 'state', r.state, 'fleetId', r.fleet_id,
     'salt', encode(r.salt, 'hex'), 'plan', r.plan, 'activeMs', r.active_ms, 'activeSince', ${ms('r.active_since')},
     'leaseUntil', ${ms('r.lease_until')}, 'waves', ${list(
       `'no', w.no, 'threshold', w.threshold, 'prevThreshold', w.prev_threshold, 'openedAt', ${ms('w.opened_at')},
        'rampMs', w.ramp_ms, 'activeMsAtOpen', w.active_ms_at_open`,
       'store.waves w WHERE w.rollout_id = r.id',
     )}`,
    `store.rollouts r WHERE r.brand_id = $1 AND r.state IN ('ACTIVE', 'PAUSED', 'COMPLETING')`,
  ),
  holds: list(
    `'id', id, 'brandId', brand_id, 'scope', scope, 'fleetId', fleet_id, 'deviceUid', device_uid, 'snapId', snap_id,
     'from', ${ms('"from"')}, 'until', ${ms('until')}, 'reason', reason`,
    'store.holds WHERE brand_id = $1 AND lifted_at IS NULL',
  ),
  pins: list(
    `'id', id, 'brandId', brand_id, 'fleetId', fleet_id, 'deviceUid', device_uid, 'snapId', snap_id,
     'architecture', architecture, 'revision', revision, 'allowDowngrade', allow_downgrade, 'reason', reason`,
    'store.pins WHERE brand_id = $1 AND lifted_at IS NULL',
  ),
  floors: list(
    `'id', f.id, 'brandId', f.brand_id, 'laneId', f.lane_id, 'revision', f.revision`,
    `store.floors f JOIN seen_lanes l ON l.id = f.lane_id
     WHERE f.lifted_at IS NULL AND f.brand_id IN ($1, l.brand_id)`,
  ),
  stops: `(SELECT coalesce(jsonb_agg(store.stop_in_overlay(s)), '[]') FROM store.emergency_stops s
    WHERE s.brand_id = $1 AND s.lifted_at IS NULL)`,
};

const READ = `WITH ${SEEN} SELECT jsonb_build_object(
  'brandId', $1::text,
  'version', coalesce((SELECT version FROM store.policy_versions WHERE brand_id = $1), 0),
  'settings', coalesce((SELECT jsonb_build_object('timezone', timezone, 'schedule', schedule,
    'localOperatorBypass', local_operator_bypass) FROM store.update_settings WHERE brand_id = $1), '{}'),
  'overlayVersion', coalesce((SELECT version FROM store.overlay_versions WHERE brand_id = $1), 0),
  ${Object.entries(PARTS)
    .map(([name, part]) => `'${name}', ${part}`)
    .join(',\n  ')}) AS rows`;

/**
 * Reads a brand's policy and its version in one statement, hence in one snapshot of the database: no change can fall
 * between the version and the rows it stands for. The transaction must see all brands (`asSystem`).
 */
export async function readPolicyInputs(tx: Tx, brandId: string): Promise<PolicyInputs> {
  const [row] = await tx.query<{ rows: PolicyInputs }[]>(READ, [brandId]);
  if (!row) throw new Error('internal error: an aggregate gave no row');
  return row.rows;
}

/** Keeps a compiled snapshot unless one of the same or a higher version is there; true when it was kept. */
export async function insertPolicySnapshot(
  tx: Tx,
  snapshot: {
    readonly brandId: string;
    readonly version: number;
    readonly hash: string;
    readonly resolverVersion: number;
  },
): Promise<boolean> {
  const rows = await tx.query<unknown[]>(
    `INSERT INTO store.policy_snapshots (brand_id, version, hash, resolver_version, snapshot)
     SELECT $1, $2, $3, $4, $5 WHERE NOT EXISTS
       (SELECT 1 FROM store.policy_snapshots WHERE brand_id = $1 AND version >= $2)
     ON CONFLICT DO NOTHING RETURNING 1`,
    [
      snapshot.brandId,
      snapshot.version,
      snapshot.hash,
      snapshot.resolverVersion,
      JSON.stringify(snapshot),
    ],
  );
  return rows.length > 0;
}

/** Forgets all but the newest few snapshots of a brand, and those that a recorded decision rests on. */
export async function prunePolicySnapshots(tx: Tx, brandId: string, keep: number): Promise<void> {
  await tx.query(
    `DELETE FROM store.policy_snapshots p WHERE brand_id = $1 AND version <
       (SELECT min(version) FROM (SELECT version FROM store.policy_snapshots WHERE brand_id = $1
        ORDER BY version DESC LIMIT $2) AS kept)
       AND NOT EXISTS (SELECT 1 FROM store.decisions d
         WHERE d.brand_id = p.brand_id AND d.policy_version = p.version)`,
    [brandId, keep],
  );
}

/** One snapshot of the past, if it is that one and still there. */
export async function findPolicySnapshotAt(
  tx: Tx,
  { brandId, version, hash }: { brandId: string; version: number; hash: string },
): Promise<unknown> {
  const [row] = await tx.query<{ snapshot: unknown }[]>(
    `SELECT snapshot FROM store.policy_snapshots WHERE brand_id = $1 AND version = $2 AND hash = $3`,
    [brandId, version, hash],
  );
  return row?.snapshot ?? null;
}

/** The newest snapshot of a brand that a resolver of this version understands, as it was stored. */
export async function findPolicySnapshot(
  tx: Tx,
  brandId: string,
  understood: number,
): Promise<unknown> {
  const [row] = await tx.query<{ snapshot: unknown }[]>(
    `SELECT snapshot FROM store.policy_snapshots WHERE brand_id = $1 AND resolver_version <= $2
     ORDER BY version DESC LIMIT 1`,
    [brandId, understood],
  );
  return row?.snapshot ?? null;
}

/** What the database has of a brand's policy. */
export interface PolicyVersions {
  readonly brandId: string;
  /** Of the newest snapshot that is understood; null: there is none. */
  readonly version: number | null;
  readonly hash: string | null;
  /** Of the newest snapshot of all. */
  readonly newest: number | null;
  readonly overlayVersion: number;
  readonly overlayStamp: string | null;
}

/** The version check: one cheap statement for all brands of a process (update-control.md 3.3). */
export function listPolicyVersions(
  tx: Tx,
  brandIds: readonly string[],
  understood: number,
): Promise<PolicyVersions[]> {
  return tx.query(
    `SELECT b.id AS "brandId", s.version::float8 AS version, s.hash, n.version::float8 AS newest,
       coalesce(o.version, 0)::float8 AS "overlayVersion", o.stamp AS "overlayStamp"
     FROM unnest($1::text[]) AS b(id)
     LEFT JOIN store.overlay_versions o ON o.brand_id = b.id
     LEFT JOIN LATERAL (SELECT max(version) AS version FROM store.policy_snapshots WHERE brand_id = b.id) n ON true
     LEFT JOIN LATERAL (SELECT version, hash FROM store.policy_snapshots
       WHERE brand_id = b.id AND resolver_version <= $2 ORDER BY version DESC LIMIT 1) s ON true`,
    [brandIds, understood],
  );
}

/** The version that a brand's next snapshot must show; read in the transaction of a change, it counts that change. */
export async function findPolicyVersion(tx: Tx, brandId: string): Promise<number> {
  const [row] = await tx.query<{ version: number }[]>(
    `SELECT version::float8 AS version FROM store.policy_versions WHERE brand_id = $1`,
    [brandId],
  );
  return row?.version ?? 0;
}

/** The version of a brand's newest snapshot; 0: there is none. */
export async function findSnapshotVersion(tx: Tx, brandId: string): Promise<number> {
  const [row] = await tx.query<{ version: number }[]>(
    `SELECT coalesce(max(version), 0)::float8 AS version FROM store.policy_snapshots WHERE brand_id = $1`,
    [brandId],
  );
  return row?.version ?? 0;
}

/**
 * Raises the policy version of every other brand whose stores can show snaps of this one, and asks for their compilation.
 * Rows are locked in the order of brand ids, so two brands that see each other cannot block each other for good.
 */
export async function raiseVersionsOfWatchers(tx: Tx, brandId: string): Promise<void> {
  await tx.query(
    `WITH watchers AS (
       SELECT brand_id FROM (
         SELECT b.brand_id FROM store.brand_stores b
         WHERE b.allow_public OR EXISTS (
           SELECT 1 FROM store.store_inclusions i JOIN store.brand_stores theirs ON theirs.id = i.included_store_id
           WHERE i.store_id = b.id AND theirs.brand_id = $1)
         OR (b.essential_snaps AND EXISTS (
           SELECT 1 FROM store.installation i JOIN store.brand_stores theirs ON theirs.id = i.public_store_id
           WHERE theirs.brand_id = $1))
         UNION SELECT a.id FROM store.accounts a
           WHERE EXISTS (SELECT 1 FROM store.devices d WHERE d.brand_id = a.id AND d.store_id IS NULL)
         UNION SELECT brand_id FROM store.licences WHERE owner_id = $1 AND (ends_at IS NULL OR ends_at > app.now())
       ) AS watching WHERE brand_id <> $1 ORDER BY brand_id
     ), raised AS (
       INSERT INTO store.policy_versions AS known (brand_id, version) SELECT brand_id, 1 FROM watchers
       ON CONFLICT (brand_id) DO UPDATE SET version = known.version + 1 RETURNING known.brand_id, known.version
     )
     INSERT INTO store.outbox (job, payload)
       SELECT 'compile-policy', jsonb_build_object('brandId', brand_id, 'version', version) FROM raised`,
    [brandId],
  );
}

/** Brands whose newest snapshot is behind their policy version: for a reconciler, in case a job was lost. */
export async function listBrandsToCompile(tx: Tx): Promise<{ brandId: string; version: number }[]> {
  const rows = await tx.query<{ brandId: string; version: string }[]>(
    `SELECT v.brand_id AS "brandId", v.version FROM store.policy_versions v
     WHERE v.version > coalesce((SELECT max(s.version) FROM store.policy_snapshots s WHERE s.brand_id = v.brand_id), 0)`,
  );
  return rows.map(({ brandId, version }) => ({ brandId, version: Number(version) }));
}
