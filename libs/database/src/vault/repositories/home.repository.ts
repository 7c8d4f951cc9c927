import type { Tx } from '../../database.js';

/**
 * Notes on which database this vault runs. On another one than last time it was restored or copied: request-ids that were
 * outstanding then may have been used since, and what was being signed is over; both are taken away. Returns how many
 * request-ids, or null on the same database.
 */
export async function moveInto(tx: Tx): Promise<number | null> {
  const [here] = await tx.query<{ identity: string }[]>(
    `SELECT concat_ws('/', s.system_identifier, c.timeline_id, d.oid) AS identity
     FROM pg_control_system() s, pg_control_checkpoint() c, pg_database d WHERE d.datname = current_database()`,
  );
  const identity = here?.identity ?? '';
  const [known] = await tx.query<{ identity: string }[]>(
    'SELECT identity FROM vault.home FOR UPDATE',
  );
  if (known?.identity === identity) return null;
  await tx.query(
    `INSERT INTO vault.home (id, identity) VALUES (1, $1)
     ON CONFLICT (id) DO UPDATE SET identity = $1, since = app.now()`,
    [identity],
  );
  if (known === undefined) return null;
  await tx.query('DELETE FROM vault.reservations');
  const [, voided] = await tx.query<[unknown, number]>('DELETE FROM vault.nonces');
  return voided;
}
