import { DEFAULT_WAVES, type WavePlan } from '#libs/update-control';
import { ORDINARY, type FleetShape } from './model/fleet.js';
import { GOOD, type Fault, type Release } from './model/release.js';
import { HOUR_MS, type Outage } from './model/traits.js';
import type { Verdict } from './outcome.js';

/** What a scenario must end with; a wave is "at the latest this one". */
export type Expected =
  | { readonly kind: 'completed' }
  | { readonly kind: 'running'; readonly wave: number }
  | { readonly kind: 'paused' | 'inconclusive'; readonly wave: number; readonly gate: string };

/** A rollout over a fleet, and what comes over it. */
export interface Scenario {
  readonly name: string;
  readonly about: string;
  readonly shape: FleetShape;
  readonly release: Release;
  readonly outages: readonly Outage[];
  /** The default plan's, unless the scenario is about others. */
  readonly waves: readonly WavePlan[];
  /** When the worker that counts and judges dies, in hours from the begin. */
  readonly workerDiesAfter: number;
  readonly expected: Expected;
  /** Of fewer devices the verdict says nothing: 2 % of them would be nobody. */
  readonly leastDevices: number;
}

const REGIONS = Object.keys(ORDINARY.regions);

const scenario = (
  name: string,
  about: string,
  expected: Expected,
  more: Partial<Omit<Scenario, 'release' | 'shape'>> & {
    readonly fault?: Fault;
    readonly shape?: Partial<FleetShape>;
  } = {},
): Scenario => {
  const { fault, shape, ...rest } = more;
  return {
    ...{ name, about, expected, outages: [], ...rest },
    waves: rest.waves ?? DEFAULT_WAVES,
    leastDevices: rest.leastDevices ?? 400,
    workerDiesAfter: rest.workerDiesAfter ?? Infinity,
    release: fault ? { name, faults: [fault] } : GOOD,
    shape: { ...ORDINARY, ...shape },
  };
};
const outage = (region: string, fromHours: number, hours: number): Outage => ({
  ...{ region, fromMs: fromHours * HOUR_MS, toMs: (fromHours + hours) * HOUR_MS },
});
const COMPLETED = { kind: 'completed' } as const;
const pausedBy = (wave: number): Expected => ({ kind: 'paused', wave, gate: 'failures' });

/** The default tolerates 2 % and does not wait until all who fell silent are known; a plan against slow poison does neither. */
const WARY = DEFAULT_WAVES.map((wave) => ({
  ...wave,
  soakMs: 48 * HOUR_MS,
  health: { ...wave.health, failPpm: 5_000 },
}));

export const SCENARIOS: readonly Scenario[] = [
  scenario('happy', 'a good release to an ordinary fleet', COMPLETED),
  scenario('arm64-bricks', 'every arm64 device is dead once it has it', pausedBy(2), {
    fault: { share: 1, architecture: 'arm64', effect: 'bricks', after: 0 },
  }),
  scenario(
    'regional-outage',
    'a good release; one region is off the net for four days',
    COMPLETED,
    {
      outages: [outage('west', 10, 96)],
    },
  ),
  scenario('clones', 'one serial of twenty runs on two machines', COMPLETED, {
    shape: { clones: 0.05 },
  }),
  scenario('mass-hold', 'six of ten devices are held by whoever stands before them', COMPLETED, {
    shape: { held: 0.6 },
  }),
  scenario('slow-poison', 'one of fifty is dead six hours after it has it', pausedBy(3), {
    fault: { share: 0.02, effect: 'bricks', after: 6 },
    waves: WARY,
    leastDevices: 3000,
  }),
  scenario('reverts', 'the health check fails, devices go back by themselves', pausedBy(1), {
    fault: { share: 1, effect: 'reverts', after: 0.5 },
  }),
  scenario(
    'dead-gate-worker',
    'devices die of it, and nobody counts: nothing may grow',
    { kind: 'running', wave: 1 },
    { fault: { share: 1, effect: 'bricks', after: 0 }, workerDiesAfter: 2 },
  ),
  scenario(
    'disk-full',
    'half of the devices have no room for it, and say nothing',
    { kind: 'inconclusive', wave: 2, gate: '' },
    { fault: { share: 0.5, effect: 'refuses', after: 0 } },
  ),
  scenario(
    'silence',
    'nobody is on the net from the first hour on',
    { kind: 'inconclusive', wave: 1, gate: 'sample' },
    { outages: REGIONS.map((region) => outage(region, 1, 14 * 24)) },
  ),
];

/**
 * So long a dead worker is waited for: twice the time that all waves take when nothing holds them, and a day at least. Whatever grows
 * without it would have grown by then.
 */
export function patienceHours(waves: readonly WavePlan[]): number {
  const soaks = waves.reduce((sum, { soakMs }) => sum + soakMs, 0);
  return Math.max(24, (2 * soaks) / HOUR_MS);
}

/** The same by other waves: it ends alike, though nobody knows at which of them. */
export function withWaves(one: Scenario, waves: readonly WavePlan[]): Scenario {
  const { expected } = one;
  const isStopped = expected.kind === 'paused' || expected.kind === 'inconclusive';
  return { ...one, waves, expected: isStopped ? { ...expected, wave: waves.length } : expected };
}

/** Whether a run ended as the scenario says. */
export function isExpected(expected: Expected, verdict: Verdict): boolean {
  if (verdict.kind !== expected.kind) return false;
  if (expected.kind === 'completed') return true;
  if (verdict.wave > expected.wave) return false;
  return expected.kind === 'running' || ('gate' in verdict && verdict.gate.includes(expected.gate));
}

/** In words, such as `paused at wave 1 by health: failures`. */
export function verdictText(verdict: Verdict | Expected): string {
  if (verdict.kind === 'completed') return 'completed';
  if (!('gate' in verdict)) return `not grown beyond wave ${verdict.wave}`;
  return `${verdict.kind} at wave ${verdict.wave}${verdict.gate === '' ? '' : ` by ${verdict.gate}`}`;
}
