import type { Client } from 'pg';
import { TRANSITIONS, WAVE_TRANSITIONS } from '#libs/update-control';
import { Database, verifyAudit } from '#libs/database';

interface Invariant {
  /** What is always true, in words. */
  readonly says: string;
  /** Rows that break it; each is a line of the report. */
  readonly broken: string;
}

const quoted = (words: Iterable<string>): string => [...words].map((word) => `'${word}'`).join();
const STEPS = quoted(TRANSITIONS.map(({ from, to }) => `${from} ${to}`));
/** A wave's states in the order in which its rollout goes through them. */
const WAVE_ORDER = `CASE w.state WHEN 'PASSED' THEN 0 WHEN 'WAITING' THEN 2 ELSE 1 END`;
const LAST_EVENT = `SELECT DISTINCT ON (rollout_id) * FROM store.rollout_transitions ORDER BY rollout_id, seq DESC`;

/** What no crash, doubled job or lost queue may break (update-control.md 2.2, 2.5, 2.6). */
const ALWAYS: readonly Invariant[] = [
  {
    says: 'at most one live rollout per fleet and lane',
    broken: `SELECT fleet_id, lane_id FROM store.rollouts WHERE state IN ('ACTIVE', 'PAUSED', 'COMPLETING')
      GROUP BY 1, 2 HAVING count(*) > 1`,
  },
  {
    says: 'every step of a rollout is in the table of transitions, by somebody and for a cause',
    broken: `SELECT * FROM store.rollout_transitions WHERE actor = '' OR cause = ''
      OR (from_state IS NULL AND to_state <> 'DRAFT')
      OR (from_state IS NOT NULL AND from_state || ' ' || to_state NOT IN (${STEPS}))`,
  },
  {
    says: 'the steps of a rollout follow each other without a gap',
    broken: `SELECT * FROM (SELECT rollout_id, seq, from_state, lag(to_state) OVER steps AS was, row_number() OVER steps AS no
        FROM store.rollout_transitions WINDOW steps AS (PARTITION BY rollout_id ORDER BY seq)) s
      WHERE seq <> no OR from_state IS DISTINCT FROM was`,
  },
  {
    says: 'a rollout is where its last step led, at the revision of that step',
    broken: `SELECT r.id, r.state, r.rev, t.to_state, t.seq FROM store.rollouts r LEFT JOIN (${LAST_EVENT}) t ON t.rollout_id = r.id
      WHERE r.state IS DISTINCT FROM t.to_state OR r.rev IS DISTINCT FROM t.seq`,
  },
  {
    says: 'the clock of a rollout runs, on a lease, while it is active and only then',
    broken: `SELECT id, state FROM store.rollouts WHERE (state = 'ACTIVE') <> (active_since IS NOT NULL)
      OR (state = 'ACTIVE') <> (lease_until IS NOT NULL)`,
  },
  {
    says: 'waves are numbered from one and go in order: passed ones, at most one at work, waiting ones',
    broken: `SELECT * FROM (SELECT w.rollout_id, w.no, w.state, row_number() OVER rollout AS place, ${WAVE_ORDER} AS stage,
        max(${WAVE_ORDER}) OVER rollout AS furthest, count(*) FILTER (WHERE ${WAVE_ORDER} = 1) OVER rollout AS at_work
        FROM store.waves w WINDOW rollout AS (PARTITION BY w.rollout_id ORDER BY w.no)) o
      WHERE no <> place OR stage < furthest OR at_work > 1`,
  },
  {
    says: 'thresholds only rise, and are there exactly from the opening on',
    broken: `SELECT * FROM (SELECT w.*, max(threshold) OVER (PARTITION BY rollout_id ORDER BY no ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
        FROM store.waves w) o
      WHERE threshold < before OR (threshold IS NOT NULL AND coalesce(prev_threshold, 0) <> coalesce(before, 0))
        OR (state IN ('WAITING', 'OPENING')) <> (population IS NULL)`,
  },
  {
    says: 'a wave opens, freezes and passes once',
    broken: `SELECT subject, action, detail ->> 'wave' AS wave FROM store.audit_log
      WHERE action IN (${quoted(new Set(WAVE_TRANSITIONS.filter(({ from }) => from !== 'FAILED' && from !== 'INCONCLUSIVE').map(({ event }) => `wave-${event}`)))})
      GROUP BY 1, 2, 3 HAVING count(*) > 1`,
  },
  {
    says: 'each step that a job made has one row of audit',
    broken: `SELECT r.id, a.n AS audited, t.n AS made FROM store.rollouts r
      JOIN LATERAL (SELECT count(*) AS n FROM store.audit_log WHERE subject = 'rollout:' || r.id AND actor LIKE 'job:%' AND action LIKE 'rollout-%') a ON true
      JOIN LATERAL (SELECT count(*) AS n FROM store.rollout_transitions WHERE rollout_id = r.id AND actor LIKE 'job:%') t ON true
      WHERE a.n <> t.n`,
  },
  {
    says: 'a rollout that has started has entered its lane once with each revision, and no other has',
    broken: `SELECT r.id, e.n, e.times FROM store.rollouts r
      JOIN LATERAL (SELECT count(DISTINCT revision) AS n, count(*) AS times FROM store.lane_events WHERE rollout_id = r.id AND kind = 'rollout') e ON true
      WHERE r.plan -> 'target' ->> 'kind' = 'revision' AND (e.n <> e.times OR (e.n > 0) <> EXISTS (
        SELECT 1 FROM store.rollout_transitions t WHERE t.rollout_id = r.id AND t.to_state = 'ACTIVE'))`,
  },
  {
    says: 'a lane counts its own log',
    broken: `SELECT l.id, l.last_seq FROM store.lanes l LEFT JOIN store.lane_events e ON e.lane_id = l.id
      GROUP BY l.id HAVING count(e.*) <> l.last_seq OR coalesce(max(e.seq), 0) <> l.last_seq`,
  },
  {
    says: 'a fleet has the baseline of its last completed rollout, with all waves passed, and none from others',
    broken: `WITH done AS (SELECT DISTINCT ON (r.fleet_id, r.lane_id) r.* FROM store.rollouts r
        JOIN store.rollout_transitions t ON t.rollout_id = r.id AND t.to_state = 'COMPLETING'
        WHERE r.plan ->> 'promote' = 'fleet' AND r.plan -> 'target' ->> 'kind' = 'revision'
        ORDER BY r.fleet_id, r.lane_id, t.at DESC)
      SELECT d.id, b.revision FROM done d FULL JOIN store.fleet_baselines b ON b.fleet_id = d.fleet_id AND b.lane_id = d.lane_id
      WHERE d.id IS NULL OR b.fleet_id IS NULL OR (d.plan -> 'target' -> 'revisions' ->> b.architecture)::int IS DISTINCT FROM b.revision
        OR EXISTS (SELECT 1 FROM store.waves w WHERE w.rollout_id = d.id AND w.state <> 'PASSED')`,
  },
  {
    says: 'an accepted upload is one revision, signed where a review made it; no other upload is one',
    broken: `SELECT u.id, u.state FROM store.uploads u LEFT JOIN store.snap_revisions r ON r.upload_id = u.id
      GROUP BY u.id HAVING count(r.*) <> (u.state = 'accepted')::int`,
  },
  {
    says: 'each accepted revision has one row of audit and one assertion',
    broken: `SELECT a.subject, a.detail FROM store.audit_log a JOIN store.uploads u ON u.id::text = a.detail ->> 'uploadId'
      LEFT JOIN store.assertions s ON s.type = 'snap-revision' AND s.snap_id = u.snap_id
        AND position(convert_to('snap-revision: ' || u.revision || E'\\n', 'UTF8') IN s.bytes) > 0
      WHERE a.action = 'accept-revision' GROUP BY a.subject, a.detail, u.state HAVING count(s.*) <> 1 OR u.state <> 'accepted'
      UNION ALL SELECT subject, detail FROM store.audit_log WHERE action = 'accept-revision' GROUP BY 1, 2 HAVING count(*) > 1`,
  },
  {
    says: 'no revision number is above the last one given',
    broken: `SELECT s.name, r.revision FROM store.snaps s JOIN store.snap_revisions r ON r.snap_id = s.id WHERE r.revision > s.last_revision`,
  },
  {
    says: 'the events of a brand are numbered without a gap',
    broken: `SELECT brand_id, max(seq) FROM store.brand_events GROUP BY 1 HAVING max(seq) <> count(*) OR min(seq) <> 1`,
  },
  {
    says: 'each step of a rollout after its first was told once',
    broken: `SELECT t.rollout_id, t.seq FROM store.rollout_transitions t
      LEFT JOIN store.brand_events e ON e.rollout_id = t.rollout_id AND (e.detail ->> 'rev')::int = t.seq
      WHERE t.from_state IS NOT NULL GROUP BY 1, 2 HAVING count(e.*) <> 1`,
  },
  {
    says: 'each event after a webhook was made is for that webhook, once, if it wants its kind',
    broken: `SELECT w.id, e.id AS event FROM store.webhooks w JOIN store.brand_events e ON e.brand_id = w.brand_id AND e.at > w.created_at
        AND (w.kinds = '{}' OR e.kind = ANY(w.kinds))
      LEFT JOIN store.webhook_deliveries d ON d.webhook_id = w.id AND d.event_id = e.id GROUP BY 1, 2 HAVING count(d.*) <> 1`,
  },
  {
    says: 'no snapshot is ahead of its policy',
    broken: `SELECT s.brand_id, s.version FROM store.policy_snapshots s JOIN store.policy_versions v USING (brand_id) WHERE s.version > v.version`,
  },
];

/** What is true besides, once nobody works any more. */
const AT_REST: readonly Invariant[] = [
  {
    says: 'every policy is compiled',
    broken: `SELECT v.brand_id, v.version FROM store.policy_versions v LEFT JOIN store.policy_snapshots s USING (brand_id, version)
      WHERE s.version IS NULL`,
  },
  {
    says: 'nothing that is due is left',
    broken: `SELECT id, state FROM store.rollouts WHERE next_due_at <= app.now() AND state IN ('PENDING_APPROVAL', 'SCHEDULED', 'ACTIVE', 'COMPLETING')
      UNION ALL SELECT id, state FROM store.uploads WHERE state IN ('received', 'reviewing')
      UNION ALL SELECT id, state FROM store.webhook_deliveries WHERE state = 'pending' AND next_attempt_at <= app.now()
      UNION ALL SELECT NULL, 'deltas' FROM store.delta_targets WHERE looked_at IS NULL
      UNION ALL SELECT NULL, job FROM store.outbox WHERE delivered_at IS NULL AND due_at <= app.now()`,
  },
];

/**
 * Everything in the store that must not be so, as sentences, with the audit chains of these brands (all, if not given);
 * empty when all is well.
 */
export async function brokenInvariants(
  owner: Client,
  ownerUrl: string,
  brands?: readonly string[],
): Promise<string[]> {
  return [...(await sentences(owner, ALWAYS)), ...(await brokenChains(owner, ownerUrl, brands))];
}

/** What there is still to do, as sentences; empty when the store is at rest. */
export const unfinishedWork = (owner: Client): Promise<string[]> => sentences(owner, AT_REST);

async function sentences(owner: Client, invariants: readonly Invariant[]): Promise<string[]> {
  const report: string[] = [];
  for (const { says, broken } of invariants) {
    const { rows } = await owner.query(broken);
    report.push(...rows.map((row) => `not true that ${says}: ${JSON.stringify(row)}`));
  }
  return report;
}

async function brokenChains(
  owner: Client,
  url: string,
  brands?: readonly string[],
): Promise<string[]> {
  const { rows } = await owner.query<{ brandId: string }>(
    `SELECT DISTINCT brand_id AS "brandId" FROM store.audit_log WHERE $1::text[] IS NULL OR brand_id = ANY($1)`,
    [brands ?? null],
  );
  const db = await Database.open({ url, room: 'store', applicationName: 'invariants' });
  try {
    const report: string[] = [];
    for (const { brandId } of rows) {
      const misfit = await db.asSystem((tx) => verifyAudit(tx, brandId));
      if (misfit !== null) report.push(`the audit chain of ${brandId} breaks at ${misfit}`);
    }
    return report;
  } finally {
    await db.close();
  }
}
