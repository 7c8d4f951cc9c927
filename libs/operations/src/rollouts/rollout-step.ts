import { Rollout, Wave, addToOutbox, recordAudit, type Fleet, type Tx } from '#libs/database';
import { nextWaveState, type RolloutPlan, type WaveEvent } from '#libs/update-control';
import type { Move } from './move.js';
import { moveRollout } from './move-rollout.js';
import { tellOfWave } from './rollout-events.js';

/** What a step came to: nothing was due, something moved, or the members of this wave are to be counted first. */
export type StepOutcome = 'nothing' | 'stepped' | { readonly freeze: number };

/** Who moves what time moves. */
export const ACTOR = 'job:rollout-tick';

/** One step of one rollout: its row is locked until the end of the transaction, and time stands still. */
export class RolloutStep {
  constructor(
    readonly tx: Tx,
    readonly row: Rollout,
    readonly now: Date,
  ) {}

  get plan(): RolloutPlan {
    // Only this room writes plans, checked ones.
    return this.row.plan as RolloutPlan;
  }

  /** The fleet as it was approved, whatever became of its definition since. */
  get fleet(): Pick<Fleet, 'id' | 'brandId' | 'predicate'> {
    const { fleetId: id, brandId } = this.row;
    return { id, brandId, predicate: this.plan.fleet.predicate };
  }

  /** Moves this rollout, or another one that must go with it. */
  async move(move: Omit<Move, 'actor'>, row = this.row): Promise<'stepped'> {
    const before = row.state;
    await moveRollout(this.tx, this.now, row, { ...move, actor: ACTOR });
    await this.audit(row, `rollout-${move.event}`, move.cause, { before, after: row.state });
    return 'stepped';
  }

  expire(cause: string, evidence: Move['evidence']): Promise<'stepped'> {
    return this.move({ event: 'expire', cause, evidence, nextDueAt: null });
  }

  async moveWave(
    wave: Wave,
    event: WaveEvent,
    set: Partial<Wave>,
    evidence: unknown = {},
  ): Promise<void> {
    const { tx, row } = this;
    const state = nextWaveState(wave.state, event);
    if (state === null)
      throw new Error(`internal error: cannot ${event} a wave that is ${wave.state}`);
    const { affected } = await tx.update(
      Wave,
      { rolloutId: row.id, no: wave.no, state: wave.state, rev: wave.rev },
      { ...set, state, rev: wave.rev + 1 },
    );
    if (affected !== 1) throw new Error(`internal error: wave ${wave.no} moved under its lock`);
    const { threshold, population, k } = { ...wave, ...set };
    await this.audit(row, `wave-${event}`, '', { wave: wave.no, threshold, population, k });
    await tellOfWave(tx, row, { no: wave.no, population, k }, event, evidence);
  }

  /** Nothing to do before then; the outbox and the reconciler both know. */
  async wait(ms: number): Promise<'nothing'> {
    const { tx, row, now } = this;
    const nextDueAt = new Date(now.getTime() + ms);
    const known = row.nextDueAt;
    if (known !== null && known > now && known <= nextDueAt) return 'nothing';
    await tx.update(Rollout, { id: row.id }, { nextDueAt });
    const { id: rolloutId, brandId, rev } = row;
    await addToOutbox(tx, 'rollout-tick', { rolloutId, brandId, rev }, nextDueAt);
    return 'nothing';
  }

  /** Only a person, or the lease, brings it up again. */
  async rest(): Promise<'nothing'> {
    const { tx, row } = this;
    if (row.nextDueAt !== null) await tx.update(Rollout, { id: row.id }, { nextDueAt: null });
    return 'nothing';
  }

  private audit(
    { brandId, id }: Rollout,
    action: string,
    reason: string,
    detail: Record<string, unknown>,
  ): Promise<void> {
    const subject = `rollout:${id}`;
    return recordAudit(this.tx, { brandId, actor: ACTOR, action, subject, reason, detail });
  }
}
