import type { Tx } from '../../database.js';
import { VaultDevice, VaultPending, VaultReservation } from '../entities/index.js';

/** Which serial of which model. */
export interface SerialRef {
  readonly brandId: string;
  readonly model: string;
  readonly serial: string;
}

/**
 * Requests for one serial, and after that requests of one device key, wait for each other: two that meet cannot both pass
 * the duplicate rules. Always in this order, so that they cannot wait in a circle.
 */
export async function lockRegistration(tx: Tx, ref: SerialRef, deviceKeyId: string): Promise<void> {
  await tx.query(`SELECT pg_advisory_xact_lock(hashtextextended($1, 1))`, [
    `serial ${ref.brandId}/${ref.model}/${ref.serial}`,
  ]);
  await tx.query(`SELECT pg_advisory_xact_lock(hashtextextended($1, 2))`, [`key ${deviceKeyId}`]);
}

/** For quotas: counting and reserving must not be interleaved. */
export async function lockModel(tx: Tx, brandId: string, model: string): Promise<void> {
  await tx.query(`SELECT pg_advisory_xact_lock(hashtextextended($1, 3))`, [
    `model ${brandId}/${model}`,
  ]);
}

/** Devices of the model, those under way included, besides this serial. */
export async function countOtherDevices(
  tx: Tx,
  ref: SerialRef,
  apiKeyId: string | null,
): Promise<{ ofModel: number; ofApiKey: number }> {
  const [row] = await tx.query<{ of_model: string; of_api_key: string }[]>(
    `SELECT count(*) AS of_model, count(*) FILTER (WHERE api_key_id = $4) AS of_api_key FROM (
       SELECT serial, api_key_id FROM vault.devices WHERE brand_id = $1 AND model = $2
       UNION SELECT serial, api_key_id FROM vault.reservations
         WHERE brand_id = $1 AND model = $2 AND expires_at > app.now()
     ) AS known WHERE serial <> $3`,
    [ref.brandId, ref.model, ref.serial, apiKeyId],
  );
  return { ofModel: Number(row?.of_model ?? 0), ofApiKey: Number(row?.of_api_key ?? 0) };
}

/** Who holds a serial, or is about to. */
export interface Holder extends SerialRef {
  readonly deviceKeyId: string;
}

/** All that hold this serial or this device key, across models and brands: finished ones, and those under way. */
export async function findHolders(tx: Tx, ref: SerialRef, deviceKeyId: string): Promise<Holder[]> {
  const rows = await tx.query<
    { brand_id: string; model: string; serial: string; device_key_id: string }[]
  >(
    `SELECT brand_id, model, serial, device_key_id FROM vault.devices
       WHERE (brand_id = $1 AND model = $2 AND serial = $3) OR device_key_id = $4
     UNION SELECT brand_id, model, serial, device_key_id FROM vault.reservations
       WHERE expires_at > app.now() AND ((brand_id = $1 AND model = $2 AND serial = $3) OR device_key_id = $4)`,
    [ref.brandId, ref.model, ref.serial, deviceKeyId],
  );
  return rows.map((row) => ({
    brandId: row.brand_id,
    model: row.model,
    serial: row.serial,
    deviceKeyId: row.device_key_id,
  }));
}

export async function findVaultDevice(tx: Tx, ref: SerialRef): Promise<VaultDevice | null> {
  const { brandId, model, serial } = ref;
  return tx.findOneBy(VaultDevice, { brandId, model, serial });
}

/** Holds serial and device key for the time of signing; takes over what is this device's own or has run out. */
export async function reserve(
  tx: Tx,
  holder: Holder & { readonly apiKeyId: string | null },
  seconds: number,
): Promise<void> {
  const { brandId, model, serial, deviceKeyId, apiKeyId } = holder;
  await tx.query(
    `DELETE FROM vault.reservations WHERE brand_id = $1 AND model = $2 AND (serial = $3 OR device_key_id = $4)`,
    [brandId, model, serial, deviceKeyId],
  );
  await tx.query(
    `INSERT INTO vault.reservations (brand_id, model, serial, device_key_id, api_key_id, expires_at)
     VALUES ($1, $2, $3, $4, $5, app.now() + $6 * interval '1 second')`,
    [brandId, model, serial, deviceKeyId, apiKeyId, seconds],
  );
}

/** Ends a reservation; false when it is not there any more: its time was up, or a twin of the request has finished. */
export async function endReservation(tx: Tx, holder: Holder): Promise<boolean> {
  const { brandId, model, serial, deviceKeyId } = holder;
  const { affected } = await tx.delete(VaultReservation, { brandId, model, serial, deviceKeyId });
  return affected === 1;
}

/** How often a serial was given to another device key within these days. */
export async function countSupersessions(tx: Tx, ref: SerialRef, days: number): Promise<number> {
  const [row] = await tx.query<{ count: string }[]>(
    `SELECT count(*) FROM vault.superseded_keys
     WHERE brand_id = $1 AND model = $2 AND serial = $3 AND created_at > app.now() - $4 * interval '1 day'`,
    [ref.brandId, ref.model, ref.serial, days],
  );
  return Number(row?.count ?? 0);
}

/** The living entry for this serial and key, whatever was decided; one that ran out is forgotten. */
export async function findPending(tx: Tx, holder: Holder): Promise<VaultPending | null> {
  return tx
    .createQueryBuilder(VaultPending, 'pending')
    .where(
      `pending.brand_id = :brandId AND pending.model = :model AND pending.serial = :serial
       AND pending.device_key_id = :deviceKeyId AND (pending.state = 'refused' OR pending.expires_at > app.now())`,
      { ...holder },
    )
    .getOne();
}

/** Puts a request into the approval queue; a former entry that ran out starts anew. */
export async function holdRequest(
  tx: Tx,
  holder: Holder,
  formerDeviceKeyId: string,
  days: number,
): Promise<void> {
  await tx.query(
    `INSERT INTO vault.pending AS known (brand_id, model, serial, device_key_id, former_device_key_id, expires_at)
     VALUES ($1, $2, $3, $4, $5, app.now() + $6 * interval '1 day')
     ON CONFLICT (brand_id, model, serial, device_key_id) DO UPDATE
       SET state = 'waiting', former_device_key_id = $5, decided_by = NULL, decided_at = NULL, reason = '',
           expires_at = app.now() + $6 * interval '1 day', created_at = app.now()`,
    [holder.brandId, holder.model, holder.serial, holder.deviceKeyId, formerDeviceKeyId, days],
  );
}
