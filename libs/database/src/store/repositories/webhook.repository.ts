import type { Tx } from '../../database.js';

/** A delivery whose turn it is, with what is sent and where. */
export interface ClaimedDelivery {
  readonly id: string;
  readonly brandId: string;
  readonly attempts: number;
  readonly since: Date;
  readonly webhookId: string;
  readonly url: string;
  readonly secretNo: number;
  readonly previousUntil: Date | null;
  readonly kind: string;
  readonly subject: string;
  readonly seq: number;
  readonly rolloutId: string | null;
  /** Counts the events of the rollout; null for events of none. */
  readonly rolloutSeq: number | null;
  readonly detail: unknown;
  readonly at: Date;
}

/** Puts an event into the hands of every webhook of its brand that wants it, and asks for the delivery. */
export async function addDeliveries(
  tx: Tx,
  event: { readonly id: string; readonly brandId: string; readonly kind: string },
): Promise<void> {
  await tx.query(
    `WITH made AS (
       INSERT INTO store.webhook_deliveries (brand_id, webhook_id, event_id)
       SELECT w.brand_id, w.id, $2 FROM store.webhooks w
       WHERE w.brand_id = $1 AND (w.kinds = '{}' OR $3 = ANY(w.kinds)) RETURNING id, brand_id)
     INSERT INTO store.outbox (job, payload)
     SELECT 'notify-deliver', jsonb_build_object('brandId', brand_id, 'deliveryId', id) FROM made`,
    [event.brandId, event.id, event.kind],
  );
}

/**
 * Takes a delivery that is due; null when it is not, or somebody else has it. Who takes it and dies loses it after
 * `holdMs`, and it is due again.
 */
export async function claimDelivery(
  tx: Tx,
  id: string,
  holdMs: number,
): Promise<ClaimedDelivery | null> {
  const [claimed] = await tx.query<[unknown[], number]>(
    `UPDATE store.webhook_deliveries SET next_attempt_at = app.now() + $2 * interval '1 millisecond'
     WHERE id = $1 AND state = 'pending' AND next_attempt_at <= app.now() RETURNING id`,
    [id, holdMs],
  );
  if (claimed.length === 0) return null;
  const [row] = await tx.query<(Omit<ClaimedDelivery, 'seq'> & { seq: string })[]>(
    `SELECT d.id, d.brand_id AS "brandId", d.attempts, d.since, w.id AS "webhookId", w.url, w.secret_no AS "secretNo",
       w.previous_until AS "previousUntil", e.kind, e.subject, e.seq, e.rollout_id AS "rolloutId", e.detail, e.at,
       CASE WHEN e.rollout_id IS NOT NULL THEN (SELECT count(*)::int FROM store.brand_events o
         WHERE o.rollout_id = e.rollout_id AND o.seq <= e.seq) END AS "rolloutSeq"
     FROM store.webhook_deliveries d JOIN store.webhooks w ON w.id = d.webhook_id JOIN store.brand_events e ON e.id = d.event_id
     WHERE d.id = $1`,
    [id],
  );
  return row === undefined ? null : { ...row, seq: Number(row.seq) };
}

/** Deliveries that are due and that no job may know of any more. Across brands: for the reconciler. */
export function listDueDeliveries(
  tx: Tx,
  olderThanMs: number,
): Promise<{ deliveryId: string; brandId: string }[]> {
  return tx.query(
    `SELECT id AS "deliveryId", brand_id AS "brandId" FROM store.webhook_deliveries
     WHERE state = 'pending' AND next_attempt_at <= app.now() - $1 * interval '1 millisecond'
     ORDER BY next_attempt_at LIMIT 500`,
    [olderThanMs],
  );
}
