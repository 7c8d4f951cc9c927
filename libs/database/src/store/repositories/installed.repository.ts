import type { Tx } from '../../database.js';
import type { Epoch } from '../entities/index.js';

/** Devices that have a snap in the same way: to the store they are one. */
export interface InstalledGroup {
  readonly storeId: string | null;
  readonly model: string;
  readonly architecture: string | null;
  readonly snapdVersion: string | null;
  readonly revision: number;
  readonly channel: string;
  readonly epoch: Epoch;
  readonly devices: number;
}

/** A brand's devices that have the snap, in groups that are alike, the largest first. */
export function listInstalledGroups(
  tx: Tx,
  brandId: string,
  snapId: string,
  limit: number,
): Promise<InstalledGroup[]> {
  return tx.query(
    `SELECT d.store_id AS "storeId", d.model, coalesce(d.architecture, f.facts ->> 'architecture') AS architecture,
       f.facts ->> 'snapdVersion' AS "snapdVersion", (s.value ->> 'revision')::int AS revision,
       s.value ->> 'channel' AS channel, s.value -> 'epoch' AS epoch, count(*)::int AS devices
     FROM store.device_facts f JOIN store.devices d ON d.uid = f.device_uid
     CROSS JOIN LATERAL jsonb_each(f.facts -> 'snaps') s
     WHERE f.brand_id = $1 AND s.value ->> 'snapId' = $2
     GROUP BY 1, 2, 3, 4, 5, 6, 7 ORDER BY devices DESC, revision LIMIT $3`,
    [brandId, snapId, limit],
  );
}

/** What a brand's devices run on. */
export async function listArchitectures(tx: Tx, brandId: string): Promise<string[]> {
  const rows = await tx.query<{ architecture: string }[]>(
    `SELECT DISTINCT architecture FROM store.devices WHERE brand_id = $1 AND architecture IS NOT NULL ORDER BY 1`,
    [brandId],
  );
  return rows.map(({ architecture }) => architecture);
}
