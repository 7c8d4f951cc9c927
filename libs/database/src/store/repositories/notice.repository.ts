import type { Tx } from '../../database.js';

export interface ExpiringHold {
  readonly id: string;
  readonly brandId: string;
  readonly scope: string;
  readonly reason: string;
  readonly until: Date;
}

/** Holds of all brands that end within so many hours, and of which nobody was told yet. */
export function listExpiringHolds(tx: Tx, hours: number): Promise<ExpiringHold[]> {
  return tx.query(
    `SELECT h.id, h.brand_id AS "brandId", h.scope, h.reason, h.until FROM store.holds h
     WHERE h.lifted_at IS NULL AND h.until > app.now() AND h.until < app.now() + $1 * interval '1 hour'
       AND h.created_at < h.until - $1 * interval '1 hour'
       AND NOT EXISTS (SELECT 1 FROM store.brand_events e
         WHERE e.brand_id = h.brand_id AND e.kind = 'hold-expiring' AND e.subject = 'hold:' || h.id)
     ORDER BY h.until LIMIT 1000`,
    [hours],
  );
}

export interface Reverts {
  readonly rolloutId: string;
  readonly brandId: string;
  readonly title: string;
  /** Devices that went back since the brand was told last. */
  readonly devices: number;
}

/** Live rollouts that devices went back from, of which the brand was told nothing for so many minutes. */
export function listUntoldReverts(tx: Tx, quietMinutes: number): Promise<Reverts[]> {
  return tx.query(
    `SELECT r.id AS "rolloutId", r.brand_id AS "brandId", r.name AS title, count(DISTINCT s.device_uid)::int AS devices
     FROM store.rollouts r JOIN store.device_rollout_states s ON s.rollout_id = r.id
     LEFT JOIN LATERAL (SELECT max(e.at) AS at FROM store.brand_events e
       WHERE e.rollout_id = r.id AND e.kind = 'device-reverted') told ON true
     WHERE r.state IN ('ACTIVE', 'PAUSED', 'COMPLETING') AND s.step = 'REVERTED'
       AND s.updated_at > coalesce(told.at, '-infinity')
       AND coalesce(told.at, '-infinity') < app.now() - $1 * interval '1 minute'
     GROUP BY r.id`,
    [quietMinutes],
  );
}
