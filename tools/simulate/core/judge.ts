import {
  darkAfterMs,
  evaluateWave,
  isSoaked,
  isUnsure,
  sampleOf,
  sumOf,
  toWaveCounts,
  type ControlTally,
  type GateResult,
  type HealthGate,
  type LadderState,
  type Step,
  type Tally,
} from '#libs/update-control';
import type { KnownDevice } from './known-device.js';
import type { OpenedWave } from './waves.js';

/** `signals`: all that our store infers. `reported`: what devices say in so many words, for comparison; silence says nothing. */
export type Counting = 'signals' | 'reported';

/** Devices of one wave or all, by architecture, and those that wait. */
export interface Count {
  readonly tallies: Readonly<Record<string, Tally>>;
  readonly control: Readonly<Record<string, ControlTally>>;
}

/** As the store counts (update-control.md 2.7): `wave` null is all of them. */
export function countDevices(
  devices: Iterable<KnownDevice>,
  waves: readonly OpenedWave[],
  wave: OpenedWave | null,
  at: number,
  counting: Counting,
): Count {
  const tallies: Record<string, MutableTally> = {};
  const control: Record<string, { total: number; dark: number; reverted: number }> = {};
  const since = waves[0]?.openedAt ?? at;
  const admitted = waves.at(-1)?.threshold ?? 0;
  for (const device of devices) {
    const { architecture, place, bucket, seenAt } = device;
    if (place !== null) {
      const own = waves.find(({ threshold }) => bucket < threshold) ?? waves.at(-1);
      if (wave !== null && own !== wave) continue;
      const tally = (tallies[architecture] ??= {
        ...{ steps: {}, soaked: 0, unsure: 0, acknowledged: {} },
      });
      const state = counting === 'signals' ? place : asReported(place);
      tally.steps[state.step] = (tally.steps[state.step] ?? 0) + 1;
      const heardAt = counting === 'signals' ? (seenAt ?? 0) : at;
      if (isSoaked(state, heardAt, own?.plan.soakMs ?? 0)) tally.soaked += 1;
      if (counting === 'signals' && isUnsure(state, at)) tally.unsure += 1;
    } else if (bucket >= admitted && seenAt !== null && seenAt >= since) {
      const group = (control[architecture] ??= { total: 0, dark: 0, reverted: 0 });
      group.total += 1;
      if (isSilent(device, at)) group.dark += 1;
    }
  }
  return { tallies, control };
}

interface MutableTally {
  readonly steps: Partial<Record<Step, number>>;
  soaked: number;
  unsure: number;
  readonly acknowledged: Partial<Record<Step, number>>;
}

const SAID: Partial<Record<Step, Step>> = {
  INSTALLED: 'CONFIRMED',
  DARK: 'ATTEMPTED',
  LOOPING: 'DOWNLOADING',
  REFUSED: 'OFFERED',
};
const asReported = (place: LadderState): LadderState => ({
  ...place,
  step: SAID[place.step] ?? place.step,
  confirmedAt: place.installedAt,
});

/** Nobody is dark sooner, whatever its gaps. */
const DARK_AT_LEAST_MS = darkAfterMs([]);

export const isSilent = ({ seenAt, gapsMs }: KnownDevice, at: number): boolean =>
  at - (seenAt ?? 0) > DARK_AT_LEAST_MS && at - (seenAt ?? 0) > darkAfterMs(gapsMs);

const NO_CONTROL: ControlTally = { total: 0, dark: 0, reverted: 0 };

/** What the health gate says of the counted devices, `k` of which the wave admits. */
export function judgeCount(
  health: HealthGate,
  { tallies, control }: Count,
  k: number,
  time: { readonly isPastSoak: boolean; readonly isPastDeadline: boolean },
): GateResult & { readonly architecture?: string } {
  const sum = sumOf(Object.values(tallies));
  const whole = Object.values(control).reduce(
    (all, one) => ({
      total: all.total + one.total,
      dark: all.dark + one.dark,
      reverted: all.reverted + one.reverted,
    }),
    NO_CONTROL,
  );
  const byArchitecture = Object.fromEntries(
    Object.entries(tallies).map(([architecture, tally]) => [
      architecture,
      toWaveCounts(tally, control[architecture] ?? NO_CONTROL),
    ]),
  );
  const counts = toWaveCounts(sum, whole);
  const minSample = sampleOf(health, counts, k);
  const isSoaked = minSample === 0 ? time.isPastSoak : sum.soaked >= minSample;
  const clock = { k, isSoaked, isPastDeadline: time.isPastDeadline };
  return evaluateWave(health, counts, byArchitecture, clock);
}
