import type { Tx } from '../../database.js';

/** Forgets nonces that are over; the session call refuses them anyway (device-api.md 2.1). */
export async function sweepNonces(tx: Tx): Promise<void> {
  await tx.query(
    `DELETE FROM store.device_nonces WHERE expires_at < app.now() - interval '1 hour'`,
  );
}

/** Forgets sessions and invitations that ended long ago; API and publisher tokens stay for their list. */
export async function sweepTokens(tx: Tx): Promise<void> {
  await tx.query(
    `DELETE FROM store.tokens WHERE kind IN ('session', 'invitation')
       AND expires_at < app.now() - interval '30 days'`,
  );
}

/** Forgets answers under idempotency keys that nobody repeats any more. */
export async function sweepIdempotencyKeys(tx: Tx): Promise<void> {
  await tx.query(
    `DELETE FROM store.idempotency_keys WHERE created_at < app.now() - interval '30 days'`,
  );
}

/** Brands whose audit chain nobody has checked for a day. Across brands: for the reconciler. */
export function listUncheckedAudits(tx: Tx): Promise<{ brandId: string }[]> {
  return tx.query(
    `SELECT a.brand_id AS "brandId" FROM store.audit_log a LEFT JOIN store.audit_checks c ON c.brand_id = a.brand_id
     WHERE a.seq = 1 AND coalesce(c.checked_at, a.at) < app.now() - interval '1 day'
     ORDER BY c.checked_at NULLS FIRST LIMIT 100`,
  );
}

/** Uploads whose review should be over by now. Across brands: for the reconciler. */
export function listStuckUploads(
  tx: Tx,
  olderThanMs: number,
): Promise<{ uploadId: string; brandId: string }[]> {
  return tx.query(
    `SELECT id AS "uploadId", brand_id AS "brandId" FROM store.uploads
     WHERE state IN ('received', 'reviewing') AND created_at < app.now() - $1 * interval '1 millisecond'
     ORDER BY created_at LIMIT 500`,
    [olderThanMs],
  );
}
