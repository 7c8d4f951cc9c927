import { listExpiringHolds, listUntoldReverts, recordEvent } from '#libs/database';
import type { Resources } from '../resources.js';

/** A working day before a hold ends, people are still there to prolong it. */
const HOLD_HOURS = 24;
/** Of a bad revision a thousand devices go back at once: one letter an hour says how many. */
const REVERTS_EVERY_MINUTES = 60;

/** Tells brands what no act of theirs makes true (update-control.md 2.11): each once, however often it is looked for. */
export class NoticeService {
  constructor(private readonly resources: Pick<Resources, 'db'>) {}

  async tell(): Promise<void> {
    const { db } = this.resources;
    // Told in the transaction that looks: of two processes the second waits for the first one's events, and finds them.
    await db.asSystem(async (tx) => {
      await tx.query(`SELECT pg_advisory_xact_lock(hashtext('notices'))`);
      for (const { id, brandId, scope, reason, until } of await listExpiringHolds(tx, HOLD_HOURS))
        await recordEvent(tx, {
          ...{ brandId, kind: 'hold-expiring', subject: `hold:${id}` },
          detail: { scope, reason, until: until.toISOString() },
        });
      for (const reverts of await listUntoldReverts(tx, REVERTS_EVERY_MINUTES)) {
        const { rolloutId, brandId, title, devices } = reverts;
        await recordEvent(tx, {
          ...{ brandId, rolloutId, kind: 'device-reverted', subject: `rollout:${rolloutId}` },
          detail: { title, devices },
        });
      }
    });
  }
}
