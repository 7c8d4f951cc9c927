import type { Decision, ReasonCode } from '../decision.js';
import type { ExclusionCode } from '../exclusions.js';

/** What a plan comes to for one member of its fleet; `EXCLUDED`: no decision is asked about it. */
export type PreviewOutcome = Decision['outcome'] | 'EXCLUDED';

export interface PreviewedDevice {
  readonly deviceUid: string;
  readonly outcome: PreviewOutcome;
  /** The decisive reason. */
  readonly code: ReasonCode | ExclusionCode;
  /** What it would be brought to; null where it stays. */
  readonly revision: number | null;
  /** Null: it does not have the snap. */
  readonly installed: number | null;
  /** All reasons' codes, the decisive one first. */
  readonly codes: readonly (ReasonCode | ExclusionCode)[];
  /** For people, in the same order. */
  readonly sentences: readonly string[];
}

export interface CodeCount {
  readonly code: string;
  readonly devices: number;
}

/** The whole fleet at one instant. All counts of `outcomes`, and those of `reasons`, add up to the population (U99). */
export interface PreviewSheet {
  /** ISO 8601; null: when the last wave is full, in windows and outside of freezes. */
  readonly at: string | null;
  readonly outcomes: readonly { readonly outcome: PreviewOutcome; readonly devices: number }[];
  readonly reasons: readonly (CodeCount & { readonly outcome: PreviewOutcome })[];
  /** Devices that cannot take the target, or not yet, by what stands in the way; one device may count for several. */
  readonly refused: readonly CodeCount[];
  /** Devices that could not read their data any more: of a rollback they are told before it is approved (update-control.md 2.8). */
  readonly impossible: number;
  /** Devices that another live rollout concerns besides, and which. */
  readonly touchedDevices: number;
  readonly touchedBy: readonly TouchingRollout[];
  /** Of what would be offered: whole files, and with the deltas there are. */
  readonly bytesFull: number;
  readonly bytesDelta: number;
}

export interface TouchingRollout {
  readonly rolloutId: string;
  readonly title: string;
  readonly fleetId: string;
  readonly devices: number;
}

export interface PreviewWave {
  readonly no: number;
  readonly name: string | null;
  /** Devices admitted when the wave is full. */
  readonly k: number;
  readonly rampSeconds: number;
  /** ISO 8601: if every wave before it passes as soon as it may. */
  readonly opensAt: string;
}

/** Everything that update-control.md 2.10 lists, as one JSON value: stored with the plan, and signed with it. */
export interface RolloutPreviewSheets {
  readonly planHash: string;
  readonly policyVersion: number;
  readonly population: number;
  readonly waves: readonly PreviewWave[];
  /** Rights to be offered over time; devices poll some hours later. */
  readonly curve: readonly { readonly at: string; readonly admitted: number }[];
  readonly sheets: readonly PreviewSheet[];
  /** How old what is known of the devices is, each age up to and without the next. */
  readonly factAges: readonly { readonly age: FactAge; readonly devices: number }[];
  /** Sentences that approvers must have read. */
  readonly notes: readonly string[];
}

const DAY = 86_400_000;
export const FACT_AGES = [
  'under a day',
  'under 7 days',
  'under 30 days',
  '30 days or more',
  'never',
] as const;
export type FactAge = (typeof FACT_AGES)[number];

/** `ageMs` null: nothing was ever reported. */
export function factAge(ageMs: number | null): FactAge {
  if (ageMs === null) return 'never';
  if (ageMs < DAY) return 'under a day';
  if (ageMs < 7 * DAY) return 'under 7 days';
  return ageMs < 30 * DAY ? 'under 30 days' : '30 days or more';
}

/** A wave with the numbers that it would open with. */
export interface TimedWave {
  readonly k: number;
  readonly rampMs: number;
  readonly soakMs: number;
}

/** When each wave opens if the one before passes as soon as its soak is over; in ms. */
export function openingTimes(waves: readonly TimedWave[], startsAt: number): number[] {
  let at = startsAt;
  return waves.map(({ rampMs, soakMs }) => {
    const opensAt = at;
    at += rampMs + soakMs;
    return opensAt;
  });
}

/** How many are admitted when: straight lines between these points, steps where two have the same time. */
export function admissionCurve(
  waves: readonly TimedWave[],
  startsAt: number,
): { at: number; admitted: number }[] {
  const opens = openingTimes(waves, startsAt);
  let before = 0;
  return waves.flatMap(({ k, rampMs }, index) => {
    const at = opens[index] ?? startsAt;
    const points = [
      { at, admitted: before },
      { at: at + rampMs, admitted: k },
    ];
    before = k;
    return points;
  });
}
