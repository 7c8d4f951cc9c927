import {
  Rollout,
  RolloutTransition,
  SnapRevision,
  Wave,
  addToOutbox,
  recordAudit,
  type EmergencyStop,
  type Fleet,
  type Tx,
} from '#libs/database';
import {
  isLive,
  nextWaveState,
  type RolloutPlan,
  type RolloutState,
  type WaveEvent,
} from '#libs/update-control';
import type { Resources } from '../resources.js';
import { countFleet } from './fleet-members.js';
import type { Move } from './move.js';
import { LEASE_MS, activeMsOf, lockRollout, moveRollout } from './move-rollout.js';
import { tellOfWave } from './rollout-events.js';
import { isPromotionCompiled, promotionEvidence } from './promotion.js';
import { enterLane, promote } from './rollout-lane.js';
import { stopsOf } from './stopped-rollouts.js';
import { measureWave } from './wave-freeze.js';

/** The lease is extended when less than this is left: not at every tick, because each extension is told to all processes. */
export const LEASE_MARGIN_MS = 10 * 60_000;
/** How long the freeze job has before a tick does its work. */
const FREEZE_PATIENCE_MS = 3_000;
/** How long after its last look a rollout that completes looks for its baseline again. */
const SNAPSHOT_PATIENCE_MS = 1_000;
const ACTOR = 'job:rollout-tick';
/** More steps than any plan has waves: a tick that never ends would be a bug. */
const MAX_STEPS = 1_000;

/**
 * What time does with rollouts (update-control.md 2.5, 2.6). Each step is one transaction on what the database says now,
 * so that running twice, late or early does nothing that is not due.
 */
export class RolloutProgressService {
  constructor(private readonly resources: Resources) {}

  /** Takes every step that is due. */
  async tick(brandId: string, rolloutId: string): Promise<void> {
    for (let steps = 0; steps < MAX_STEPS; steps += 1) {
      const outcome = await this.resources.db.asBrand(brandId, async (tx) => {
        const row = await lockRollout(tx, brandId, rolloutId);
        return row === null ? 'nothing' : this.step(tx, row);
      });
      if (outcome === 'nothing') return;
      if (outcome !== 'stepped') await this.freeze(brandId, rolloutId, outcome.freeze);
    }
    throw new Error(`internal error: rollout ${rolloutId} does not come to rest`);
  }

  /**
   * Counts the members of a wave that is OPENING and opens it. The count is made outside of the writing transaction; the
   * threshold is written once, by whoever is first.
   */
  async freeze(brandId: string, rolloutId: string, no: number): Promise<void> {
    const { db } = this.resources;
    const measured = await db.asBrand(brandId, async (tx) => {
      const row = await tx.findOneBy(Rollout, { id: rolloutId, brandId });
      const wave = await tx.findOneBy(Wave, { rolloutId, no });
      if (row?.state !== 'ACTIVE' || wave?.state !== 'OPENING') return null;
      return measureWave(tx, row, fleetOf(row), no);
    });
    if (measured === null) return;
    await db.asBrand(brandId, async (tx) => {
      const row = await lockRollout(tx, brandId, rolloutId);
      if (row?.state !== 'ACTIVE') return;
      const wave = await tx.findOneByOrFail(Wave, { rolloutId, no });
      if (wave.state !== 'OPENING' || wave.threshold !== null) return;
      const now = this.now;
      await this.moveWave(tx, row, wave, 'frozen', {
        ...measured,
        openedAt: now,
        activeMsAtOpen: activeMsOf(row, now),
      });
      await tx.update(Rollout, { id: row.id }, { nextDueAt: now });
      await addToOutbox(tx, 'rollout-tick', { rolloutId, brandId, rev: row.rev });
    });
  }

  private get now(): Date {
    return this.resources.db.clock.now();
  }

  private async step(tx: Tx, row: Rollout): Promise<'nothing' | 'stepped' | { freeze: number }> {
    const plan = planOf(row);
    switch (row.state as RolloutState) {
      case 'PENDING_APPROVAL':
        return this.isOver(plan)
          ? this.expire(tx, row, 'not approved in time', { expiresAt: plan.expiresAt })
          : 'nothing';
      case 'SCHEDULED':
        return this.startIfDue(tx, row, plan);
      case 'ACTIVE':
        return this.stepWaves(tx, row, plan);
      case 'COMPLETING':
        if (!(await isPromotionCompiled(tx, row))) return this.wait(tx, row, SNAPSHOT_PATIENCE_MS);
        return this.move(tx, row, {
          event: 'settle',
          cause: 'completed',
          evidence: { promote: plan.promote },
          nextDueAt: null,
        });
      default:
        return 'nothing';
    }
  }

  private isOver({ expiresAt }: RolloutPlan): boolean {
    return expiresAt !== null && expiresAt <= this.now.getTime();
  }

  private async startIfDue(
    tx: Tx,
    row: Rollout,
    plan: RolloutPlan,
  ): Promise<'nothing' | 'stepped'> {
    const now = this.now.getTime();
    if (this.isOver(plan))
      return this.expire(tx, row, 'expired before its start', { expiresAt: plan.expiresAt });
    const scheduled = await tx.findOneByOrFail(RolloutTransition, {
      rolloutId: row.id,
      seq: row.rev,
    });
    const due = plan.startAt ?? scheduled.at.getTime();
    if (now < due) return 'nothing';
    // After an outage nothing starts late silently (U54).
    const latest = Math.max(due, scheduled.at.getTime()) + plan.latestStartMs;
    if (now > latest)
      return this.expire(tx, row, 'start missed', { due, latest, lateMs: now - due });
    const yanked = await yankedTarget(tx, plan);
    if (yanked !== null)
      return this.expire(tx, row, `revision ${yanked} was withdrawn`, { revision: yanked });
    const grown = await this.growth(tx, row, plan);
    if (grown !== null)
      return this.move(tx, row, {
        event: 'impact-grew',
        cause: 'the fleet grew beyond what was approved',
        evidence: grown,
        nextDueAt: plan.expiresAt === null ? null : new Date(plan.expiresAt),
      });
    if ((await stopsOf(tx, row)).length > 0) return this.wait(tx, row, 5_000);
    const live = await this.liveRival(tx, row);
    if (live !== null && live.id !== plan.supersedes) return this.wait(tx, row, 5_000);
    // Locks in the order of a release: lane, policy version, audit chain; another order could block for good.
    await enterLane(tx, row, plan);
    if (live !== null)
      await this.move(tx, live, {
        event: 'supersede',
        cause: `superseded by ${row.id}`,
        evidence: { supersededBy: row.id },
        nextDueAt: null,
      });
    return this.move(tx, row, {
      event: 'start',
      cause: 'due',
      evidence: { due, supersedes: live?.id ?? null },
      nextDueAt: this.now,
    });
  }

  /** The live rollout of the same fleet and lane. One that starts at this moment is caught by the unique index. */
  private async liveRival(tx: Tx, row: Rollout): Promise<Rollout | null> {
    const { fleetId, laneId, setKey } = row;
    const subject = laneId === null ? { setKey: setKey ?? '' } : { laneId };
    const others = await tx.findBy(Rollout, { fleetId, ...subject });
    return others.find(({ id, state }) => id !== row.id && isLive(state as RolloutState)) ?? null;
  }

  /** The numbers, when the fleet has more new devices than the approvers agreed to (U51). */
  private async growth(
    tx: Tx,
    row: Rollout,
    plan: RolloutPlan,
  ): Promise<Record<string, number> | null> {
    const submitted = await tx.findOne(RolloutTransition, {
      where: { rolloutId: row.id, toState: 'PENDING_APPROVAL' },
      order: { seq: 'DESC' },
    });
    // Written by RolloutService.submit, or by this very step.
    const { population: approved } = (submitted?.evidence ?? {}) as { population?: number };
    if (approved === undefined) return null;
    const { population } = await countFleet(tx, fleetOf(row));
    const limit = approved * (1 + plan.maxGrowthPercent / 100);
    // An empty fleet that fills is the approved plan doing its work, not a surprise of a few devices.
    return population > Math.max(limit, approved + 1) ? { approved, population } : null;
  }

  private async stepWaves(
    tx: Tx,
    row: Rollout,
    plan: RolloutPlan,
  ): Promise<'nothing' | 'stepped' | { freeze: number }> {
    const stops = await stopsOf(tx, row);
    if (stops.length > 0) return this.pauseFor(tx, row, stops);
    await this.extendLease(tx, row);
    const waves = await tx.find(Wave, { where: { rolloutId: row.id }, order: { no: 'ASC' } });
    const current = waves.findLast(({ state }) => state !== 'WAITING');
    const next = waves.find(({ state }) => state === 'WAITING');
    if (current === undefined) return next ? this.open(tx, row, next) : 'nothing';
    if (current.state === 'OPENING')
      return row.nextDueAt !== null && row.nextDueAt <= this.now
        ? { freeze: current.no }
        : 'nothing';
    if (current.state === 'PASSED' && next) return this.open(tx, row, next);
    if (current.state !== 'OPEN') return this.rest(tx, row);
    const due = soakedAt(current, row, plan, this.now);
    if (due === null) return this.rest(tx, row);
    if (due > this.now) return this.wait(tx, row, due.getTime() - this.now.getTime());
    // The baseline moves with the state, or not at all (U55); lane first, as in startIfDue.
    if (next === undefined) await promote(tx, row, plan);
    await this.moveWave(tx, row, current, 'pass', { finishedAt: this.now });
    return next ? this.open(tx, row, next) : this.complete(tx, row, current);
  }

  /** The freeze job has a moment; then the next tick does it (its due time is the wave's). */
  private async open(tx: Tx, row: Rollout, wave: Wave): Promise<'stepped'> {
    await this.moveWave(tx, row, wave, 'open', {});
    await this.wait(tx, row, FREEZE_PATIENCE_MS);
    const { id: rolloutId, brandId } = row;
    await addToOutbox(tx, 'wave-freeze', { rolloutId, brandId, waveNo: wave.no });
    return 'stepped';
  }

  private async complete(tx: Tx, row: Rollout, { no, k, population }: Wave): Promise<'stepped'> {
    return this.move(tx, row, {
      event: 'last-wave-passed',
      cause: 'last wave passed',
      evidence: { wave: no, k, population, ...(await promotionEvidence(tx, row)) },
      nextDueAt: this.now,
    });
  }

  /** A stop that is engaged pauses what is in its scope (update-control.md 2.5). */
  private pauseFor(tx: Tx, row: Rollout, stops: readonly EmergencyStop[]): Promise<'stepped'> {
    return this.move(tx, row, {
      event: 'pause',
      cause: `stopped: ${stops.map(({ reason }) => reason).join('; ')}`,
      evidence: {
        stops: stops.map(({ id, scope, level, reason }) => ({ id, scope, level, reason })),
      },
      nextDueAt: null,
    });
  }

  private expire(
    tx: Tx,
    row: Rollout,
    cause: string,
    evidence: Move['evidence'],
  ): Promise<'stepped'> {
    return this.move(tx, row, { event: 'expire', cause, evidence, nextDueAt: null });
  }

  private async move(tx: Tx, row: Rollout, move: Omit<Move, 'actor'>): Promise<'stepped'> {
    const before = row.state;
    await moveRollout(tx, this.now, row, { ...move, actor: ACTOR });
    await this.audit(tx, row, `rollout-${move.event}`, move.cause, { before, after: row.state });
    return 'stepped';
  }

  private async moveWave(
    tx: Tx,
    row: Rollout,
    wave: Wave,
    event: WaveEvent,
    set: Partial<Wave>,
  ): Promise<void> {
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
    await this.audit(tx, row, `wave-${event}`, '', { wave: wave.no, threshold, population, k });
    await tellOfWave(tx, row, { no: wave.no, population, k }, event);
  }

  private audit(
    tx: Tx,
    { brandId, id }: Rollout,
    action: string,
    reason: string,
    detail: Record<string, unknown>,
  ): Promise<void> {
    return recordAudit(tx, {
      brandId,
      actor: ACTOR,
      action,
      subject: `rollout:${id}`,
      reason,
      detail,
    });
  }

  /** Nothing to do before then; the outbox and the reconciler both know. */
  private async wait(tx: Tx, row: Rollout, ms: number): Promise<'nothing'> {
    const nextDueAt = new Date(this.now.getTime() + ms);
    const known = row.nextDueAt;
    if (known !== null && known > this.now && known <= nextDueAt) return 'nothing';
    await tx.update(Rollout, { id: row.id }, { nextDueAt });
    const { id: rolloutId, brandId, rev } = row;
    await addToOutbox(tx, 'rollout-tick', { rolloutId, brandId, rev }, nextDueAt);
    return 'nothing';
  }

  /** Only a person, or the lease, brings it up again. */
  private async rest(tx: Tx, row: Rollout): Promise<'nothing'> {
    if (row.nextDueAt !== null) await tx.update(Rollout, { id: row.id }, { nextDueAt: null });
    return 'nothing';
  }

  /** A lease that ran out has stopped the clock; it goes on from there, without a burst (update-control.md 2.4). */
  private async extendLease(tx: Tx, row: Rollout): Promise<void> {
    const now = this.now;
    const left = (row.leaseUntil?.getTime() ?? 0) - now.getTime();
    if (left > LEASE_MARGIN_MS) return;
    const change = {
      ...(left <= 0 && { activeMs: activeMsOf(row, now), activeSince: now }),
      leaseUntil: new Date(now.getTime() + LEASE_MS),
    };
    await tx.update(Rollout, { id: row.id }, change);
    Object.assign(row, change);
  }
}

// Only this room writes plans, checked ones.
const planOf = (row: Rollout): RolloutPlan => row.plan as RolloutPlan;

/** The fleet as it was approved, whatever became of its definition since. */
const fleetOf = (row: Rollout): Pick<Fleet, 'id' | 'brandId' | 'predicate'> => ({
  id: row.fleetId,
  brandId: row.brandId,
  predicate: planOf(row).fleet.predicate,
});

/** When the wave has passed its ramp and its soak; null while a person's word is missing. */
function soakedAt(wave: Wave, row: Rollout, plan: RolloutPlan, now: Date): Date | null {
  const planned = plan.waves[wave.no - 1];
  const isManual = planned?.gates.some(({ kind }) => kind === 'manual') ?? false;
  if (isManual && wave.advancedAt === null) return null;
  const needed = wave.activeMsAtOpen + wave.rampMs + (planned?.soakMs ?? 0);
  return new Date(now.getTime() + needed - activeMsOf(row, now));
}

async function yankedTarget(tx: Tx, { target }: RolloutPlan): Promise<number | null> {
  if (target.kind !== 'revision') return null;
  for (const revision of new Set(Object.values(target.revisions))) {
    const row = await tx.findOneBy(SnapRevision, { snapId: target.snapId, revision });
    if (row === null || row.yankedAt !== null) return revision;
  }
  return null;
}
