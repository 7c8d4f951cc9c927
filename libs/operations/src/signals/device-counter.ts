import {
  isGroupedFact,
  type CountedDevice,
  type CountedGroup,
  type PlaceGrouping,
  type PlacedGroup,
  type Rollout,
  type Wave,
} from '#libs/database';
import {
  POLLS_WITHIN_MS,
  SEEN_SLOT_MS,
  bucket,
  climb,
  darkAfterMs,
  evaluate,
  factsIn,
  isSoaked,
  isUnsure,
  leastWell,
  type Evidence,
  type FactReader,
  type LadderState,
  type RolloutPlan,
  type Step,
} from '#libs/update-control';
import { isConcerned } from '../rollouts/concerned.js';
import { toMember } from '../rollouts/fleet-members.js';
import { planOfRow } from '../rollouts/rollout-act.js';
import type { Observation } from './observation.js';
import { countControl, countEligible, countPlace, type Counts } from './rollout-counts.js';

const MINUTE_MS = 60_000;
/** Steps that silence says something about; `climb` knows what. */
const ENDS_IN_SILENCE = new Set(['OFFERED', 'DOWNLOADING', 'ATTEMPTED', 'INSTALLED']);

/** Sorts the devices of one rollout as they stand at `now`. */
export class DeviceCounter {
  /** What was seen by looking, to be written. */
  readonly news: Observation[] = [];
  /** When the first wave opened: who was silent before is no sign of anything. */
  readonly since: Date;
  private readonly plan: RolloutPlan;
  private readonly salt: string;
  private readonly opened: readonly Wave[];
  /** Those that buckets are compared with, ascending. */
  private readonly thresholds: readonly number[];
  /** Of its waves, ascending. */
  private readonly soaksMs: readonly number[];

  constructor(
    private readonly rollout: Rollout,
    waves: readonly Wave[],
    private readonly now: number,
  ) {
    this.plan = planOfRow(rollout);
    this.salt = rollout.salt.toString('hex');
    this.opened = waves.filter(({ openedAt }) => openedAt !== null);
    this.since = this.opened[0]?.openedAt ?? rollout.createdAt;
    const known = this.opened.flatMap(({ threshold }) => threshold ?? []);
    this.thresholds = ascending(known);
    this.soaksMs = ascending([0, ...this.plan.waves.map(({ soakMs }) => soakMs)]);
  }

  /**
   * By what devices can be counted in groups; null: each is to be looked at. All in a group have reached the same thresholds, and were
   * heard of lately enough to be no sign of anything.
   */
  get grouping(): (PlaceGrouping & { readonly quietSince: Date }) | null {
    const { fleet, waves, replaces } = this.plan;
    const predicates = [fleet.predicate, ...waves.map(({ selector }) => selector)];
    const facts = [...new Set(predicates.flatMap((one) => (one ? factsIn(one) : [])))];
    if (replaces !== null || !facts.every(isGroupedFact)) return null;
    return {
      ...{ facts, salt: this.rollout.salt, thresholds: this.thresholds },
      heardSince: new Date(this.since.getTime() - SEEN_SLOT_MS),
      quietSince: new Date(this.now - darkAfterMs([])),
      soaksMs: this.soaksMs,
      unsureSinceMs: this.now - POLLS_WITHIN_MS,
    };
  }

  countGroup(counts: Counts, group: CountedGroup): Counts {
    const { count, architecture, facts, reached, isListed, isHeard, hasReverted } = group;
    const fact: FactReader = (name) => facts[name] ?? undefined;
    if (!this.isMember({ isListed }, fact)) return counts;
    const wave = this.waveOf(this.thresholds[reached - 1] ?? 0, fact);
    if (wave !== null) return countEligible(counts, wave, count);
    const known = { isDark: false, hasReverted };
    return isHeard ? countControl(counts, architecture ?? 'unknown', known, count) : counts;
  }

  /** Null: some of them are to be looked at one by one, since they left the fleet, or are of a set, of which a device is one. */
  countPlaced(counts: Counts, groups: readonly PlacedGroup[]): Counts | null {
    if (this.isOfSet) return null;
    let sum = counts;
    for (const group of groups) {
      const { count, facts, reached, isListed, soaked, isUnsure, isAcknowledged } = group;
      const fact: FactReader = (name) => facts[name] ?? undefined;
      // Written by writeObservations only.
      const step = group.step as Step;
      if (step !== 'LEFT' && !this.isMember({ isListed }, fact)) return null;
      const wave = this.waveOf(this.thresholds[reached - 1] ?? 0, fact);
      const isSoaked = soaked > this.soaksMs.indexOf(this.soakOf(wave));
      const marks = { isSoaked, isUnsure, isAcknowledged };
      const architecture = group.architecture ?? 'unknown';
      sum = countPlace(sum, this.placedIn(wave), architecture, step, marks, count);
    }
    return sum;
  }

  count(counts: Counts, device: CountedDevice): Counts {
    const { fact, architecture: own } = toMember(device);
    const architecture = own ?? 'unknown';
    const isMember = this.isMember(device, fact);
    const wave = this.waveOf(bucket(this.salt, device.uid), fact);
    if (device.places.length === 0) {
      if (!isMember || !isConcerned(this.plan, { architecture: own, fact })) return counts;
      if (wave !== null) return countEligible(counts, wave);
      return this.countControl(counts, device, architecture);
    }
    const looked = device.places.map((place) => {
      const state = this.look(device, place, isMember);
      return { state, isAcknowledged: (place.acknowledgedAtMs ?? -1) >= state.stepAt };
    });
    let sum = counts;
    // Of a sequence the device is one, however many snaps the set moves; of a snap each instance is one.
    for (const { state, isAcknowledged } of this.isOfSet ? leastWell(looked) : looked) {
      const marks = {
        isSoaked: isSoaked(state, device.seenAtMs ?? 0, this.soakOf(wave)),
        isUnsure: isUnsure(state, this.now),
        isAcknowledged,
      };
      sum = countPlace(sum, this.placedIn(wave), architecture, state.step, marks);
    }
    return sum;
  }

  private get isOfSet(): boolean {
    return this.plan.target.kind === 'sequence';
  }

  private isMember({ isListed }: Pick<CountedDevice, 'isListed'>, fact: FactReader): boolean {
    const { predicate } = this.plan.fleet;
    return predicate === null ? isListed : evaluate(predicate, fact);
  }

  /** The wave that was the first to admit it; null: none yet. */
  private waveOf(own: number, fact: FactReader): number | null {
    const first = this.opened.find(({ no, threshold }) => {
      const selector = this.plan.waves[no - 1]?.selector ?? null;
      return own < (threshold ?? 0) || (selector !== null && evaluate(selector, fact));
    });
    return first?.no ?? null;
  }

  /** Whoever has a place was admitted once. */
  private placedIn(wave: number | null): number {
    return wave ?? this.opened.at(-1)?.no ?? 1;
  }

  private soakOf(wave: number | null): number {
    return this.plan.waves[(wave ?? 1) - 1]?.soakMs ?? 0;
  }

  /** A member not yet admitted counts when it has been there since the rollout began. */
  private countControl(counts: Counts, device: CountedDevice, architecture: string): Counts {
    const { seenAtMs, hasReverted } = device;
    // What is known of the last poll is up to a slot older than the poll.
    if (seenAtMs === null || seenAtMs < this.since.getTime() - SEEN_SLOT_MS) return counts;
    return countControl(counts, architecture, { isDark: this.isSilent(device), hasReverted });
  }

  private isSilent({ seenAtMs, seenGaps }: CountedDevice): boolean {
    const gaps = (seenGaps ?? []).map((minutes) => minutes * MINUTE_MS);
    return this.now - (seenAtMs ?? 0) > darkAfterMs(gaps);
  }

  /** Its place as it is by now: it may have left the fleet, or gone dark. */
  private look(
    device: CountedDevice,
    place: CountedDevice['places'][number],
    isMember: boolean,
  ): LadderState {
    // Written by writeObservations only.
    const state = place.state as LadderState;
    const isGone = !isMember && state.step !== 'LEFT';
    const isSilent = ENDS_IN_SILENCE.has(state.step) && this.isSilent(device);
    if (!isGone && !isSilent) return state;
    const evidence: Evidence = { kind: isGone ? 'gone' : 'silent' };
    const { instanceKey, snapId, revision } = place;
    const { id: rolloutId, brandId } = this.rollout;
    this.news.push({
      ...{ brandId, deviceUid: device.uid, instanceKey, snapId, at: this.now },
      about: { rolloutId, revision, evidence, soakMs: Number.MAX_SAFE_INTEGER },
    });
    return stepBy(state, evidence, this.now);
  }
}

const ascending = (numbers: readonly number[]): number[] =>
  [...new Set(numbers)].sort((a, b) => a - b);

const stepBy = (state: LadderState, evidence: Evidence, at: number): LadderState =>
  climb(state, evidence, { at, soakMs: Number.MAX_SAFE_INTEGER });
