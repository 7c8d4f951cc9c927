import { Rollout, Wave } from '#libs/database';
import {
  bucket,
  evaluate,
  thresholdAt,
  type RolloutClock,
  type RolloutPlan,
} from '#libs/update-control';
import type { Resources } from '../resources.js';
import { membersOf, type Member } from './fleet-members.js';

/** How far a wave has come, by the facts that devices reported last. */
export interface WaveFigures {
  /** Counts from 1. */
  readonly no: number;
  /** Members of the fleet that this wave is the first to admit; 0 until it opens. */
  readonly members: number;
  /** Of them, those that may be offered the target by now: the ramp has reached them. */
  readonly admitted: number;
  /** Of them, those that have the target. */
  readonly updated: number;
}

type OpenedWave = Wave & { readonly openedAt: Date };

/** Counts devices wave by wave, for people who watch; nothing is decided by these numbers. */
export class RolloutFiguresService {
  constructor(private readonly resources: Resources) {}

  of(brandId: string, rolloutId: string): Promise<WaveFigures[]> {
    const { db } = this.resources;
    return db.asBrand(brandId, async (tx) => {
      const rollout = await tx.findOneByOrFail(Rollout, { id: rolloutId, brandId });
      const waves = await tx.find(Wave, { where: { rolloutId }, order: { no: 'ASC' } });
      const counter = new Counter(rollout, waves, db.clock.now().getTime());
      // Only this room writes plans, checked ones.
      const { fleet } = rollout.plan as RolloutPlan;
      if (counter.hasOpened)
        for await (const member of membersOf(tx, { ...fleet, brandId })) counter.count(member);
      return counter.figures;
    });
  }
}

class Counter {
  readonly figures: { no: number; members: number; admitted: number; updated: number }[];
  private readonly opened: readonly OpenedWave[];
  private readonly plan: RolloutPlan;
  private readonly salt: string;
  /** By wave: devices with a smaller bucket may be offered the target now. */
  private readonly reached: ReadonlyMap<number, number>;

  constructor(rollout: Rollout, waves: readonly Wave[], now: number) {
    this.figures = waves.map(({ no }) => ({ no, members: 0, admitted: 0, updated: 0 }));
    this.opened = waves.filter((wave): wave is OpenedWave => wave.openedAt !== null);
    this.plan = rollout.plan as RolloutPlan;
    this.salt = rollout.salt.toString('hex');
    const clock: RolloutClock = {
      activeMs: rollout.activeMs,
      activeSince: rollout.activeSince?.getTime() ?? null,
      leaseUntil: rollout.leaseUntil?.getTime() ?? null,
    };
    this.reached = new Map(
      this.opened.map((wave) => [wave.no, reachedBy(wave, clock, now)] as const),
    );
  }

  get hasOpened(): boolean {
    return this.opened.length > 0;
  }

  count(member: Member): void {
    const own = bucket(this.salt, member.uid);
    for (const wave of this.opened) {
      const selector = this.plan.waves[wave.no - 1]?.selector ?? null;
      const isNamed = selector !== null && evaluate(selector, member.fact);
      if (!isNamed && own >= (wave.threshold ?? 0)) continue;
      const figures = this.figures[wave.no - 1];
      if (figures === undefined) return;
      figures.members += 1;
      if (isNamed || own < (this.reached.get(wave.no) ?? 0)) figures.admitted += 1;
      if (this.hasTarget(member)) figures.updated += 1;
      return;
    }
  }

  private hasTarget({ architecture, fact }: Member): boolean {
    const { target } = this.plan;
    if (target.kind !== 'revision') return false;
    const revision = target.revisions[architecture ?? ''] ?? target.revisions['all'];
    return revision !== undefined && fact(`snap:${target.snapId}:revision`) === revision;
  }
}

function reachedBy(wave: OpenedWave, clock: RolloutClock, now: number): number {
  const { threshold, prevThreshold, rampMs, activeMsAtOpen } = wave;
  if (threshold === null) return 0;
  const ramped = { threshold, prevThreshold: prevThreshold ?? 0, rampMs, activeMsAtOpen };
  return thresholdAt(ramped, clock, now);
}
