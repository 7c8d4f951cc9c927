import { RolloutTransition, type Rollout, type Tx } from '#libs/database';
import { contentHash } from '#libs/update-control';

/** How a rollout came to be paused. */
export interface Pause {
  /** By the system, not by a person: going on takes two (update-control.md 2.5). */
  readonly isAutomatic: boolean;
  readonly cause: string;
  readonly evidence: unknown;
  /** What `acknowledges` must name: of the evidence, and of when it was written. */
  readonly evidenceHash: string;
  readonly at: Date;
}

/** The pause behind the last transition; null when it led elsewhere. */
export function pauseOf(last: RolloutTransition | null | undefined): Pause | null {
  if (last?.toState !== 'PAUSED') return null;
  const { actor, cause, evidence, at, seq, rolloutId } = last;
  return {
    isAutomatic: actor.startsWith('job:'),
    cause,
    evidence,
    evidenceHash: contentHash({ rolloutId, seq, evidence }),
    at,
  };
}

/** The same from the database, for a rollout whose row is locked. */
export async function findPause(tx: Tx, row: Rollout): Promise<Pause | null> {
  if (row.state !== 'PAUSED') return null;
  return pauseOf(await tx.findOneBy(RolloutTransition, { rolloutId: row.id, seq: row.rev }));
}

export async function isPausedAutomatically(tx: Tx, row: Rollout): Promise<boolean> {
  return (await findPause(tx, row))?.isAutomatic ?? false;
}
