import type { WavePlan } from '#libs/update-control';
import { Calendar } from '../model/calendar.js';
import { makeFleet, type FleetShape } from '../model/fleet.js';
import type { Release } from '../model/release.js';
import { HOUR_MS, type Outage } from '../model/traits.js';
import { outcomeOf, type Outcome } from '../outcome.js';
import { patienceHours } from '../scenarios.js';
import { CoreStore } from './core-store.js';
import type { Counting } from './judge.js';
import { BASELINE, TARGET } from './policy-rows.js';

export interface CoreRun {
  readonly seed: string;
  readonly devices: number;
  readonly shape: FleetShape;
  readonly release: Release;
  readonly outages: readonly Outage[];
  readonly waves: readonly WavePlan[];
  readonly counting?: Counting;
  /** When the worker that judges dies, in hours from the begin; it does not come back. */
  readonly workerDiesAfter?: number;
  readonly onProgress?: (hours: number, store: CoreStore) => void;
}

/** Any Monday; nothing depends on it. */
const START_MS = Date.UTC(2026, 0, 5);
const LIMIT_HOURS = 60 * 24;
/** What follows the last word, so that what devices were offered is installed, or not. */
const EPILOGUE_HOURS = 24;

/** A whole rollout over a fleet of virtual devices, hour by hour, in this process. */
export function runCore(run: CoreRun): Outcome {
  const { seed, release, outages, workerDiesAfter = Infinity } = run;
  const around = { startMs: START_MS, target: TARGET, release, outages };
  const devices = makeFleet(seed, run.devices, run.shape, BASELINE, around);
  const store = new CoreStore({
    ...{ seed, startMs: START_MS, waves: run.waves, counting: run.counting ?? 'signals' },
    members: [...new Map(devices.map(({ traits }) => [traits.uid, traits])).values()],
  });
  const calendar = new Calendar(devices);
  let hour = 0;
  let endedAt = Infinity;
  const limit = Math.min(LIMIT_HOURS, workerDiesAfter + patienceHours(run.waves));
  while (hour < Math.min(limit, endedAt + EPILOGUE_HOURS)) {
    passHour(store, calendar, START_MS + hour * HOUR_MS);
    hour += 1;
    if (hour < workerDiesAfter) store.tick(START_MS + hour * HOUR_MS);
    if (store.verdict.kind !== 'running') endedAt = Math.min(endedAt, hour);
    run.onProgress?.(hour, store);
  }
  const hours = Math.min(hour, endedAt);
  return outcomeOf(devices, store.stepOf, {
    ...{ verdict: store.verdict, hours },
    openedAt: store.opened.map(({ openedAt }) => Math.round((openedAt - START_MS) / HOUR_MS)),
    endMs: START_MS + (hours + EPILOGUE_HOURS) * HOUR_MS,
  });
}

function passHour(store: CoreStore, calendar: Calendar, hourMs: number): void {
  for (const device of calendar.take(hourMs)) {
    const { uid } = device.traits;
    const conversation = device.poll();
    for (let call = conversation.next(); call.done !== true;)
      call = conversation.next(store.answer(uid, call.value));
    calendar.add(device);
  }
}
