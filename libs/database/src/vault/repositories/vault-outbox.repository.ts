import type { Tx } from '../../database.js';
import { VaultOutboxRow } from '../entities/index.js';

/** Asks the sender to tell the store, in the transaction that makes it necessary (decisions 16). */
export async function addToVaultOutbox(
  tx: Tx,
  job: string,
  payload: Readonly<Record<string, unknown>>,
): Promise<void> {
  await tx.insert(VaultOutboxRow, { job, payload: payload as object });
}

/** Takes one due row for `seconds`: when the process dies before it is settled, it is due again. */
export async function leaseFromVaultOutbox(
  tx: Tx,
  seconds: number,
): Promise<Pick<VaultOutboxRow, 'id' | 'payload' | 'attempts'> | null> {
  const [rows] = await tx.query<[{ id: string; payload: unknown; attempts: number }[], number]>(
    `UPDATE vault.outbox SET due_at = app.now() + $1 * interval '1 second', attempts = attempts + 1
     WHERE id = (SELECT id FROM vault.outbox WHERE delivered_at IS NULL AND due_at <= app.now()
                 ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)
     RETURNING id, payload, attempts`,
    [seconds],
  );
  const [row] = rows;
  return row ? { ...row, id: Number(row.id) } : null;
}

export async function settleVaultOutbox(tx: Tx, id: number): Promise<void> {
  await tx.query(`UPDATE vault.outbox SET delivered_at = app.now() WHERE id = $1`, [id]);
}

/** Puts it off until it is tried again. */
export async function deferVaultOutbox(
  tx: Tx,
  id: number,
  seconds: number,
  error: string,
): Promise<void> {
  await tx.query(
    `UPDATE vault.outbox SET due_at = app.now() + $2 * interval '1 second', last_error = $3 WHERE id = $1`,
    [id, seconds, error],
  );
}
