import type { RolloutClockRow, StopRow } from '#libs/update-control';
import type { Tx } from '../../database.js';

/** The rows of a brand's overlay. */
export interface OverlayRowsAt {
  readonly version: number;
  readonly stops: readonly StopRow[];
  readonly rollouts: readonly RolloutClockRow[];
}

/** A brand's overlay as the database has it now. */
export interface OverlayInputs extends OverlayRowsAt {
  /** Another one for each version, also where a fail-over lost some (U62); null before the first. */
  readonly stamp: string | null;
}

/** Reads version and rows in one statement, hence of one moment. A few hundred rows at most (update-control.md 3.4). */
export async function readOverlay(tx: Tx, brandId: string): Promise<OverlayInputs> {
  const [row] = await tx.query<{ overlay: OverlayInputs }[]>(
    `SELECT jsonb_build_object(
       'version', coalesce((SELECT version FROM store.overlay_versions WHERE brand_id = $1), 0),
       'stamp', (SELECT stamp FROM store.overlay_versions WHERE brand_id = $1),
       'stops', (SELECT coalesce(jsonb_agg(store.stop_in_overlay(s)), '[]') FROM store.emergency_stops s
                 WHERE s.brand_id = $1 AND s.lifted_at IS NULL),
       'rollouts', (SELECT coalesce(jsonb_agg(store.rollout_in_overlay(r)), '[]') FROM store.rollouts r
                    WHERE r.brand_id = $1 AND r.state IN ('ACTIVE', 'PAUSED', 'COMPLETING'))) AS overlay`,
    [brandId],
  );
  if (!row) throw new Error('internal error: an aggregate gave no row');
  return row.overlay;
}

/** The overlay as it was at a version of the past, from its append-only history: for replaying a decision. */
export async function readOverlayAt(
  tx: Tx,
  brandId: string,
  version: number,
): Promise<OverlayRowsAt> {
  const rows = await tx.query<{ table: string; value: unknown }[]>(
    `SELECT split_part(subject, ':', 1) AS "table", value FROM (
       SELECT DISTINCT ON (subject) subject, value FROM store.overlay_events
       WHERE brand_id = $1 AND version <= $2 ORDER BY subject, version DESC) AS latest
     WHERE value IS NOT NULL`,
    [brandId, version],
  );
  // Written by the triggers, in the form of the rows that readOverlay gives.
  const of = (table: string): never[] =>
    rows.filter((row) => row.table === table).map(({ value }) => value as never);
  return { version, stops: of('emergency_stops'), rollouts: of('rollouts') };
}
