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

/**
 * Takes up to `limit` due rows for delivery and keeps them for `holdMs`: who dies with them loses nothing, they are due
 * again. Rows that another relay is just taking are passed over.
 */
export async function takeFromOutbox(tx: Tx, limit: number, holdMs = 10_000): Promise<OutboxRow[]> {
  const [rows] = await tx.query<[{ id: string; job: string; payload: unknown }[], number]>(
    `UPDATE store.outbox SET due_at = app.now() + $2 * interval '1 millisecond' WHERE id IN (
       SELECT id FROM store.outbox WHERE delivered_at IS NULL AND due_at <= app.now()
       ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED)
     RETURNING id, job, payload`,
    [limit, holdMs],
  );
  return rows
    .map((row) => Object.assign(new OutboxRow(), { ...row, id: Number(row.id) }))
    .sort((a, b) => a.id - b.id);
}

/** Gives rows back that could not be delivered: due again after `delayMs`. */
export async function giveBackToOutbox(
  tx: Tx,
  ids: readonly number[],
  delayMs: number,
): Promise<void> {
  await tx.query(
    `UPDATE store.outbox SET due_at = app.now() + $2 * interval '1 millisecond'
     WHERE id = ANY($1::bigint[]) AND delivered_at IS NULL`,
    [ids, delayMs],
  );
}

/** Forgets rows that were delivered long ago; returns how many. */
export async function sweepOutbox(tx: Tx, olderThanMs: number): Promise<number> {
  const [, count] = await tx.query<[unknown[], number]>(
    `DELETE FROM store.outbox WHERE delivered_at < app.now() - $1 * interval '1 millisecond'`,
    [olderThanMs],
  );
  return count;
}

export async function markDelivered(tx: Tx, ids: readonly number[]): Promise<void> {
  await tx.query(`UPDATE store.outbox SET delivered_at = app.now() WHERE id = ANY($1::bigint[])`, [
    ids,
  ]);
}
