import type { Database } from '#libs/database';
import type { Traits } from '../model/traits.js';

const AT_ONCE = 5_000;

export interface Enrolment {
  readonly brandId: string;
  readonly storeId: string;
  readonly model: string;
  /** Which fleet they belong to. */
  readonly use: string;
}

/**
 * Devices of a brand as registration and a first session would have left them, all but the serial assertions: nobody makes a hundred
 * thousand RSA keys to rehearse a rollout (decisions 23). As the database's owner, who works across brands.
 */
export async function enrol(
  db: Database,
  { brandId, storeId, model, use }: Enrolment,
  devices: readonly Pick<Traits, 'uid' | 'serial' | 'architecture'>[],
): Promise<void> {
  for (let start = 0; start < devices.length; start += AT_ONCE) {
    const rows = devices.slice(start, start + AT_ONCE);
    await db.asSystem((tx) =>
      tx.query(
        `INSERT INTO store.devices
           (uid, brand_id, model, serial, store_id, device_key_id, serial_authority_id, architecture, tags, session_at)
         SELECT given.uid, $2, $3, given.serial, $4, 'simulated', $2, given.architecture, jsonb_build_object('use', $5::text), app.now()
         FROM jsonb_to_recordset($1::jsonb) AS given(uid uuid, serial text, architecture text)`,
        [
          JSON.stringify(
            rows.map(({ uid, serial, architecture }) => ({ uid, serial, architecture })),
          ),
          brandId,
          model,
          storeId,
          use,
        ],
      ),
    );
  }
  await db.asSystem((tx) => tx.query('ANALYZE store.devices'));
}
