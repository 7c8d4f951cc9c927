import {
  NO_CONTROL,
  NO_TALLY,
  addTo,
  sumOf,
  type ControlTally,
  type Step,
  type Tally,
} from '#libs/update-control';

/** All devices of a rollout that say something about it, counted at one moment; the column `rollout_counts.counts`. */
export interface Counts {
  /** By the wave that was the first to admit them (from 1), then by architecture. */
  readonly waves: Readonly<Record<number, Readonly<Record<string, Tally>>>>;
  /** Members that are admitted and were not seen since, by wave. */
  readonly eligible: Readonly<Record<number, number>>;
  /** Members not yet admitted, by architecture. */
  readonly control: Readonly<Record<string, ControlTally>>;
}

export const NO_COUNTS: Counts = { waves: {}, eligible: {}, control: {} };

export function countPlace(
  counts: Counts,
  wave: number,
  architecture: string,
  step: Step,
  marks: Parameters<typeof addTo>[2],
  devices = 1,
): Counts {
  const of = counts.waves[wave] ?? {};
  const tally = addTo(of[architecture] ?? NO_TALLY, step, marks, devices);
  return { ...counts, waves: { ...counts.waves, [wave]: { ...of, [architecture]: tally } } };
}

export const countEligible = (counts: Counts, wave: number, devices = 1): Counts => ({
  ...counts,
  eligible: { ...counts.eligible, [wave]: (counts.eligible[wave] ?? 0) + devices },
});

export function countControl(
  counts: Counts,
  architecture: string,
  { isDark, hasReverted }: { readonly isDark: boolean; readonly hasReverted: boolean },
  devices = 1,
): Counts {
  const { total, dark, reverted } = counts.control[architecture] ?? NO_CONTROL;
  const more = {
    total: total + devices,
    dark: dark + (isDark ? devices : 0),
    reverted: reverted + (hasReverted ? devices : 0),
  };
  return { ...counts, control: { ...counts.control, [architecture]: more } };
}

/** The devices of one wave, or of all, by architecture. */
export function talliesOf({ waves }: Counts, wave: number | 'all'): Record<string, Tally> {
  if (wave !== 'all') return { ...waves[wave] };
  const sums: Record<string, Tally> = {};
  for (const byArchitecture of Object.values(waves))
    for (const [architecture, tally] of Object.entries(byArchitecture))
      sums[architecture] = sumOf([sums[architecture] ?? NO_TALLY, tally]);
  return sums;
}

/** The control group of all architectures. */
export const wholeControl = ({ control }: Counts): ControlTally =>
  Object.values(control).reduce(
    (all, one) => ({
      total: all.total + one.total,
      dark: all.dark + one.dark,
      reverted: all.reverted + one.reverted,
    }),
    NO_CONTROL,
  );
