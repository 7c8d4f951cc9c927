import type { Dice } from './dice.js';
import { nextPoll, nextReboot } from './poll-times.js';
import type { Fault, Release } from './release.js';
import { HOUR_MS, type Outage, type Traits } from './traits.js';

/** What a device calls, in snapd's order (update-control.md F10, F12). `at`: instant in ms. */
export type StoreCall =
  | {
      readonly kind: 'refresh';
      readonly at: number;
      readonly revision: number;
      readonly isScheduled: boolean;
      readonly isHeld: boolean;
    }
  | { readonly kind: 'download'; readonly at: number; readonly revision: number }
  | { readonly kind: 'assertion'; readonly at: number; readonly revision: number };

/** What comes back: a revision for a refresh, whether it is given for the others. */
export interface StoreAnswer {
  readonly revision?: number | undefined;
  readonly isGiven: boolean;
}

/** A poll and what follows from it, call by call: whoever runs it hands the calls to a store and the answers back. */
export type Conversation = Generator<StoreCall, void, StoreAnswer>;

/** What became of a device, which no store can know. */
export type Fate = 'well' | 'bricked' | 'reverted' | 'failed' | 'refused' | 'dead of its own';

/** Waiting times after failed refreshes of one revision, in hours (F14); the last one for ever. */
const BACK_OFF_HOURS = [8, 12, 24, 48, 96, 168, 252, 336] as const;
const REREFRESH_MS = 5 * 60_000;

export interface Surroundings {
  /** Begin of the run. */
  readonly startMs: number;
  readonly target: number;
  readonly release: Release;
  readonly outages: readonly Outage[];
}

/**
 * A device as snapd on it behaves: it polls, downloads, fetches the assertion, installs, and asks again. What its revision does to it
 * follows from the release; it does not know of rollouts, and knows the store by its answers alone.
 */
export class VirtualDevice {
  readonly history: { readonly at: number; readonly revision: number }[] = [];
  installedAt: number | null = null;
  nextPollAt: number;
  private revision: number;
  private fate: Fate = 'well';
  private readonly blocked = new Set<number>();
  private failures = 0;
  private triesAgainAt = 0;
  private strikes: { readonly fault: Fault; readonly at: number }[] = [];

  constructor(
    readonly traits: Traits,
    installed: number,
    private readonly around: Surroundings,
    private readonly dice: Dice,
  ) {
    this.revision = installed;
    this.nextPollAt = around.startMs;
    // Its timer has run before: somewhere in the quarter of the day in which the run begins.
    for (let at = around.startMs - 6 * HOUR_MS; at < around.startMs; at = this.nextPollAt)
      this.nextPollAt = nextPoll(traits, at, dice);
  }

  get installed(): number {
    return this.revision;
  }

  /** What the device is like at this moment. */
  fateAt(at: number): Fate {
    this.catchUp(at);
    if (this.fate === 'well' && at >= this.traits.diesAt) return 'dead of its own';
    return this.fate;
  }

  /** The release has harmed it, or it cannot have it. */
  isHarmedAt(at: number): boolean {
    const fate = this.fateAt(at);
    return fate !== 'well' && fate !== 'dead of its own';
  }

  /** Something that it has installed is still going to harm it. */
  get isDoomed(): boolean {
    return this.strikes.length > 0;
  }

  /** The scheduled refresh that is due; afterwards `nextPollAt` is the next one. Ends early when something does not get through. */
  *poll(): Conversation {
    const at = this.nextPollAt;
    this.nextPollAt = nextPoll(this.traits, at, this.dice);
    this.catchUp(at);
    if (this.isSilent(at) || !this.dice.chance(this.traits.asksIn)) return;
    if (this.isLost(at)) return;
    const { revision: offered } = yield this.refresh(at, true);
    if (offered === undefined || !this.takes(offered, at)) return;
    if (this.isLost(at)) return;
    const download = yield { kind: 'download', at, revision: offered };
    if (!download.isGiven || this.isLost(at)) return;
    const assertion = yield { kind: 'assertion', at, revision: offered };
    if (!assertion.isGiven) return;
    if (!this.install(offered, at)) return;
    const later = at + REREFRESH_MS;
    this.catchUp(later);
    if (!this.isSilent(later) && !this.isLost(later)) yield this.refresh(later, false);
  }

  private refresh(at: number, isScheduled: boolean): StoreCall {
    const { isHeld } = this.traits;
    return { kind: 'refresh', at, revision: this.revision, isScheduled, isHeld };
  }

  private takes(offered: number, at: number): boolean {
    if (offered === this.revision || this.blocked.has(offered)) return false;
    if (this.traits.isHeld || at < this.triesAgainAt) return false;
    if (this.faultOf('refuses', offered)) {
      this.fate = 'refused';
      return false;
    }
    return true;
  }

  /** False: it broke off, and snapd waits before it tries again. */
  private install(revision: number, at: number): boolean {
    const isFaulty = this.faultOf('fails', revision) !== undefined;
    if (isFaulty) this.fate = 'failed';
    if (isFaulty || this.dice.chance(this.traits.failRate)) {
      const hours = BACK_OFF_HOURS[Math.min(this.failures, BACK_OFF_HOURS.length - 1)] ?? 0;
      this.failures += 1;
      this.triesAgainAt = at + hours * HOUR_MS;
      return false;
    }
    this.history.push({ at, revision: this.revision });
    this.revision = revision;
    this.installedAt = at;
    this.strikes = this.faultsOf(revision).map((fault) => ({
      fault,
      at: this.strikesAt(fault, at),
    }));
    return true;
  }

  private strikesAt({ after }: Fault, at: number): number {
    return after === 'next reboot' ? nextReboot(this.traits, at, this.dice) : at + after * HOUR_MS;
  }

  /** What has come over it since it was looked at last. */
  private catchUp(at: number): void {
    const due = this.strikes.filter((strike) => strike.at <= at);
    if (due.length === 0) return;
    this.strikes = this.strikes.filter((strike) => strike.at > at);
    for (const { fault } of due) {
      if (fault.effect === 'bricks') this.fate = 'bricked';
      if (fault.effect !== 'reverts' || this.fate === 'bricked') continue;
      this.fate = 'reverted';
      this.blocked.add(this.revision);
      this.revision = this.history.at(-1)?.revision ?? this.revision;
    }
  }

  private isSilent(at: number): boolean {
    return this.fate === 'bricked' || at >= this.traits.diesAt;
  }

  private isLost(at: number): boolean {
    const since = at - this.around.startMs;
    const isOut = this.around.outages.some(
      ({ region, fromMs, toMs }) =>
        region === this.traits.region && since >= fromMs && since < toMs,
    );
    return isOut || this.dice.chance(this.traits.lossRate);
  }

  private faultOf(effect: Fault['effect'], revision: number): Fault | undefined {
    return this.faultsOf(revision).find((fault) => fault.effect === effect);
  }

  private faultsOf(revision: number): readonly Fault[] {
    const { architecture, region, luck } = this.traits;
    if (revision !== this.around.target) return [];
    return this.around.release.faults.filter(
      (fault) =>
        (fault.architecture ?? architecture) === architecture &&
        (fault.region ?? region) === region &&
        luck < fault.share,
    );
  }
}
