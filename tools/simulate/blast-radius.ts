import { runCore } from './core/run-core.js';
import { Dice } from './model/dice.js';
import { ORDINARY } from './model/fleet.js';
import { BAD_RELEASES, GOOD, type Release } from './model/release.js';
import type { Outage } from './model/traits.js';
import type { Outcome } from './outcome.js';
import { OTHERS, OURS, type ReleasePolicy } from './policies.js';

export interface BlastRadiusOptions {
  readonly seed: string;
  readonly devices: number;
  /** How often each bad release is released. */
  readonly repeats: number;
  readonly goodReleases: number;
  readonly say?: (line: string) => void;
}

/** What one policy came to: shares of the fleet. */
export interface PolicyRecord {
  readonly policy: string;
  /** Until everybody was admitted, in hours, of a good release. */
  readonly hours: number;
  /** By release, the mean of all repeats. */
  readonly harmed: Readonly<Record<string, number>>;
  readonly mean: number;
}

export interface BlastRadius {
  readonly ours: PolicyRecord;
  readonly others: readonly PolicyRecord[];
  /** Good releases that did not complete by our plan, in the words of the gate. */
  readonly falsePauses: readonly string[];
  readonly goodReleases: number;
}

/**
 * How much harm bad releases do until growth stops, by our default plan and by others that deliver a good release in the same time to
 * the same fleets; and how often ours stops a good one. Nobody watches: what stops, stops by itself.
 */
export function blastRadius(options: BlastRadiusOptions): BlastRadius {
  const { goodReleases, say = () => {} } = options;
  const good = Array.from({ length: goodReleases }, (_, index) => {
    const run = release(options, OURS, GOOD, `good ${index}`, 0);
    say(`good release ${index + 1} of ${goodReleases}: ${run.verdict.kind} after ${run.hours} h`);
    return run;
  });
  const completed = good.filter(({ verdict }) => verdict.kind === 'completed');
  const hours = median(completed.map(({ openedAt }) => openedAt.at(-1) ?? 0));
  return {
    ours: recordOf(options, OURS, hours),
    others: OTHERS.map((policy) => recordOf(options, policy, hours)),
    falsePauses: good.flatMap(({ verdict }) =>
      'gate' in verdict ? [`${verdict.kind} at wave ${verdict.wave} by ${verdict.gate}`] : [],
    ),
    goodReleases,
  };
}

function recordOf(options: BlastRadiusOptions, policy: ReleasePolicy, hours: number): PolicyRecord {
  const { repeats, say = () => {} } = options;
  const harmed: Record<string, number> = {};
  for (const bad of BAD_RELEASES) {
    const runs = Array.from({ length: repeats }, (_, index) =>
      release(options, policy, bad, `bad ${index}`, hours),
    );
    harmed[bad.name] = mean(runs.map((run) => run.harmed));
    const [{ verdict } = { verdict: { kind: 'none' } }] = runs;
    say(`${policy.name}, ${bad.name}: ${inPercent(harmed[bad.name] ?? 0)} (${verdict.kind})`);
  }
  return { policy: policy.name, hours, harmed, mean: mean(Object.values(harmed)) };
}

function release(
  { seed, devices }: BlastRadiusOptions,
  policy: ReleasePolicy,
  what: Release,
  run: string,
  hours: number,
): Outcome {
  return runCore({
    ...{ seed: `${seed} ${run}`, devices, shape: ORDINARY, release: what },
    outages: weather(`${seed} ${run}`),
    waves: policy.waves(devices, hours),
    counting: policy.counting,
  });
}

/** In every second run a region is out of reach, for some hours or for days. */
function weather(seed: string): readonly Outage[] {
  const dice = new Dice(seed, 'weather');
  if (dice.chance(0.5)) return [];
  const regions = Object.keys(ORDINARY.regions);
  const region = regions[Math.floor(dice.next() * regions.length)] ?? '';
  const from = dice.between(0, 200);
  const hours = dice.between(6, 60);
  return [{ region, fromMs: from * 3_600_000, toMs: (from + hours) * 3_600_000 }];
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

export const inPercent = (share: number): string => `${(share * 100).toFixed(2)} %`;

/** The share of the fleet that ours harms, of what the best of the others does. */
export const ratioToBest = ({ ours, others }: BlastRadius): number =>
  ours.mean / Math.min(...others.map((one) => one.mean));
