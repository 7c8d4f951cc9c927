import type { Tx } from './database.js';
import { OutboxRow } from './store/entities/index.js';

/** Asks for a job in the transaction that makes it necessary; the worker's relay adds it after commit (house 2.8). */
export async function addToOutbox(
  tx: Tx,
  job: string,
  payload: Readonly<Record<string, unknown>>,
  dueAt?: Date,
): Promise<void> {
  await tx.insert(OutboxRow, { job, payload: payload as object, ...(dueAt && { dueAt }) });
}

/** Takes up to `limit` due rows for delivery; rows that another relay holds are passed over. */
export async function takeFromOutbox(tx: Tx, limit: number): Promise<OutboxRow[]> {
  const rows = await tx.query<{ id: string; job: string; payload: unknown }[]>(
    `SELECT id, job, payload FROM store.outbox WHERE delivered_at IS NULL AND due_at <= app.now()
     ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED`,
    [limit],
  );
  return rows.map((row) => Object.assign(new OutboxRow(), { ...row, id: Number(row.id) }));
}

export async function markDelivered(tx: Tx, ids: readonly number[]): Promise<void> {
  await tx.query(`UPDATE store.outbox SET delivered_at = app.now() WHERE id = ANY($1::bigint[])`, [
    ids,
  ]);
}
