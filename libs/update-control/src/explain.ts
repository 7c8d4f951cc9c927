import { EVERYBODY } from './buckets.js';
import type { Decision, Reason, ReasonCode } from './decision.js';
import type { Instant } from './facts.js';

/** A reason in words, and what would change the answer (U97). */
export interface Explanation {
  readonly meaning: string;
  readonly remedy: string;
}

const NEXT_RELEASE = 'a release that this device can take';

/** Every code the store gives, for support people: what it means, and what would change it. */
export const EXPLANATIONS: Readonly<Record<ReasonCode, Explanation>> = {
  NO_SUCH_SNAP: { meaning: 'the store has no such snap', remedy: 'check the snap id' },
  NO_SUCH_CHANNEL: { meaning: 'the channel cannot be read', remedy: 'use [track/]risk[/branch]' },
  NO_SUCH_REVISION: {
    meaning: 'the revision does not exist or was never released to the device',
    remedy: 'release it to a channel of the snap',
  },
  INSTALLED_UNKNOWN: {
    meaning: 'the installed revision does not come from this store',
    remedy: 'install a revision of this store',
  },
  NOT_ENTITLED: {
    meaning: 'the snap does not exist for this device',
    remedy: 'include it in the store, license it, or give the device a serial of the brand',
  },
  MODEL_FORBIDS: {
    meaning: 'the model of the device does not allow it',
    remedy: 'name it in the model assertion, or remodel the device',
  },
  WRONG_ARCHITECTURE: {
    meaning: 'the revision was not built for the architecture',
    remedy: 'build and release it for this architecture',
  },
  EPOCH_UNREADABLE: {
    meaning: 'the revision cannot read the data of the installed one',
    remedy: 'release a revision in between that reads both epochs',
  },
  SNAPD_TOO_OLD: {
    meaning: 'the revision needs a newer snapd',
    remedy: 'update snapd on the device',
  },
  YANKED: { meaning: 'the revision was withdrawn', remedy: 'release a corrected revision' },
  STOPPED: { meaning: 'an emergency stop is engaged', remedy: 'lift the stop' },
  VSET_REQUIRED: {
    meaning: 'a validation set that the device enforces names the revision',
    remedy: 'a newer sequence of the validation set',
  },
  HELD_BRAND: { meaning: 'the brand holds updates', remedy: 'lift the hold, or wait for its end' },
  HELD_FLEET: {
    meaning: 'a fleet of the device is held',
    remedy: 'lift the hold, or wait for its end',
  },
  HELD_DEVICE: { meaning: 'the device is held', remedy: 'lift the hold, or wait for its end' },
  EXPLICIT: { meaning: 'the revision was asked for at the device', remedy: 'another request' },
  PIN_DEVICE: { meaning: 'the device is pinned to the revision', remedy: 'change or lift the pin' },
  PIN_FLEET: {
    meaning: 'a fleet of the device is pinned to the revision',
    remedy: 'change or lift the pin',
  },
  PIN_BELOW_CURRENT: {
    meaning: 'the device is already later than its pin',
    remedy: 'allow the pin to go back, or lift it',
  },
  COHORT: {
    meaning: 'the device follows a cohort, a frozen view of the channel',
    remedy: 'leave the cohort, or wait until its key expires',
  },
  COHORT_EXPIRED: {
    meaning: 'the cohort key has expired and no longer counts',
    remedy: 'make a new cohort key',
  },
  COHORT_UNREADABLE: {
    meaning: 'the device brought a cohort key that the store did not make for this snap',
    remedy: 'make a cohort key of the snap, or leave the cohort',
  },
  ROLLOUT_ADMITTED: {
    meaning: 'a rollout admits the device',
    remedy: 'pause or abort the rollout',
  },
  NOT_IN_WAVE: {
    meaning: 'no opened wave admits the device yet',
    remedy: 'the next wave, more time in a ramp, or a pin',
  },
  ROLLOUT_PAUSED: { meaning: 'the rollout is paused', remedy: 'resume the rollout' },
  ROLLOUT_OVERRULED: {
    meaning: 'a fleet of higher priority has its own rollout',
    remedy: 'change the priorities, or end the other rollout',
  },
  ROLLOUT_NOT_FOR_INSTALLS: {
    meaning: 'the rollout does not include new installs',
    remedy: 'wait for its end, or start one that includes installs',
  },
  ROLLED_BACK: {
    meaning: 'the revision is being rolled back in the device’s fleet',
    remedy: 'a corrected revision, or the end of the rollback',
  },
  FLEET_BASELINE: {
    meaning: 'the baseline of the device’s fleet',
    remedy: 'a rollout to the fleet',
  },
  BASELINE: { meaning: 'the baseline of the channel', remedy: 'a release or a rollout' },
  PROGRESSIVE: {
    meaning: 'the publisher’s progressive release reaches the device',
    remedy: 'pause the progressive release',
  },
  CHANNEL_FALLBACK: {
    meaning: 'the channel is closed and a more stable one is followed',
    remedy: 'release to the channel, or switch to another',
  },
  NOTHING_RELEASED: {
    meaning: 'nothing is released there for the architecture',
    remedy: NEXT_RELEASE,
  },
  UP_TO_DATE: { meaning: 'the device has what it should have', remedy: NEXT_RELEASE },
  VIA_FLOOR: {
    meaning: 'the device must pass through this revision first',
    remedy: 'it follows by itself at the next poll',
  },
  VIA_EPOCH: {
    meaning: 'the device must pass through a revision that converts its data',
    remedy: 'it follows by itself at the next poll',
  },
  WAITS_FOR: {
    meaning: 'another snap must be updated first',
    remedy: 'let the other snap update, or remove the requirement',
  },
  PREREQUISITE_SKIPPED: {
    meaning: 'the required snap is not on the device and was skipped',
    remedy: 'let the rollout wait for missing snaps',
  },
  NOT_VALIDATED_BY: {
    meaning: 'an installed snap gates this one and has not validated the revision',
    remedy: 'the publisher of the gating snap validates the revision',
  },
  GAVE_UP: {
    meaning: 'the device failed on this revision too often',
    remedy: 'retry failed devices, or roll out another revision',
  },
  REVERTED_HERE: {
    meaning: 'the device went back from this revision',
    remedy: 'roll out another revision, or clear the memory',
  },
  OUTSIDE_WINDOW: {
    meaning: 'it is outside the window in the device’s local time',
    remedy: 'wait for the window, or mark the rollout critical',
  },
  FROZEN: {
    meaning: 'a freeze is in force in the device’s local time',
    remedy: 'wait for its end, or mark the rollout critical',
  },
  TZ_DEFAULTED: {
    meaning: 'the device’s time zone is unknown; that of its fleet or brand was taken',
    remedy: 'set the time zone of the device',
  },
  OPERATOR_BYPASS: {
    meaning: 'a person at the device asked, and the brand permits it',
    remedy: 'forbid the bypass in the brand’s settings',
  },
  NO_DOWNGRADE: {
    meaning: 'the channel offers what is older than installed',
    remedy: 'a release, an approved rollback, or a pin that allows it',
  },
  CHANNEL_SWITCH: {
    meaning: 'the device was switched to another channel, so an older revision is allowed',
    remedy: 'switch the channel again',
  },
  SHED: {
    meaning: 'the store is overloaded and keeps this update for later',
    remedy: 'it follows by itself at a later poll',
  },
  POLICY_STALE: {
    meaning: 'the store cannot ask its database whether the policy still holds',
    remedy: 'it follows by itself when the database answers again',
  },
};

/** How a detail is said; others by their name. */
const DETAILS: Readonly<Record<string, (value: number | string) => string>> = {
  rollout: (name) => `rollout “${name}”`,
  target: (revision) => `to revision ${revision}`,
  wave: (no) => (no === 0 ? 'no wave is open' : `wave ${no} is open`),
  threshold: (value) => `${percent(value)} of the devices are admitted`,
  bucket: (value) => `this one stands at ${percent(value)}`,
  earliest: (at) => `not before ${instant(at)}`,
  expectedWave: (no) => `expected with wave ${no}`,
  by: (who) => `by ${who}`,
  until: (at) => `until ${instant(at)}`,
  next: (at) => `next at ${instant(at)}`,
  expiredAt: (at) => `expired at ${instant(at)}`,
  local: (time) => `there it is ${time}`,
  untouched: () => 'it never had the revision',
};

const percent = (bucket: number | string): string =>
  `${((Number(bucket) * 100) / EVERYBODY).toFixed(3)} %`;

/** Wall-clock ends of freezes are texts already. */
const instant = (at: number | string): string =>
  typeof at === 'number' ? new Date(at).toISOString() : at;

/** One sentence for a person: the meaning, and the details in the order they were given. */
export function reasonText(reason: Reason): string {
  const { meaning } = EXPLANATIONS[reason.code];
  const details = Object.entries(reason.detail ?? {}).map(
    ([name, value]) => DETAILS[name]?.(value) ?? `${name} ${value}`,
  );
  return details.length === 0 ? meaning : `${meaning} (${details.join(', ')})`;
}

/**
 * What would change the answer: of what decided first, then of what else was looked at, each once. Reasons that let a device
 * through do not stand in anybody's way.
 */
export function remediesOf({ outcome, reasons }: Decision): string[] {
  const [decisive, ...others] = reasons;
  const withheld = outcome === 'UPDATE' ? [] : others;
  const remedies = [...(decisive ? [decisive] : []), ...withheld].map((reason) => {
    const { remedy } = EXPLANATIONS[reason.code];
    const { earliest, expectedWave, next, until } = reason.detail ?? {};
    const when = earliest ?? next ?? until;
    if (typeof when === 'number') return `${remedy}; by itself at ${instant(when)}`;
    return expectedWave === undefined ? remedy : `${remedy}; by itself with wave ${expectedWave}`;
  });
  return [...new Set(remedies)];
}

/** Where the device stands in the rollout that is nearest to it; null when none was looked at. */
export interface Standing {
  readonly rolloutId: string;
  readonly rollout: string;
  readonly target: number | null;
  readonly isAdmitted: boolean;
  /** The wave that is open; 0: none. */
  readonly wave: number | null;
  readonly bucket: number | null;
  readonly threshold: number | null;
  /** The wave that is expected to admit it. */
  readonly expectedWave: number | null;
  /** No earlier than this, if nobody pauses. */
  readonly notBefore: Instant | null;
}

const STANDINGS: ReadonlySet<ReasonCode> = new Set([
  'ROLLOUT_ADMITTED',
  'NOT_IN_WAVE',
  'ROLLOUT_PAUSED',
]);

export function standingOf({ reasons }: Pick<Decision, 'reasons'>): Standing | null {
  const reason = reasons.find(({ code }) => STANDINGS.has(code));
  if (reason?.rule === undefined) return null;
  const { rollout, target, wave, bucket, threshold, expectedWave, earliest } = reason.detail ?? {};
  return {
    rolloutId: reason.rule.id,
    rollout: String(rollout),
    isAdmitted: reason.code === 'ROLLOUT_ADMITTED',
    target: numberOf(target),
    wave: numberOf(wave),
    bucket: numberOf(bucket),
    threshold: numberOf(threshold),
    expectedWave: numberOf(expectedWave),
    notBefore: numberOf(earliest),
  };
}

const numberOf = (value: number | string | undefined): number | null =>
  typeof value === 'number' ? value : null;
