import { CompressedTime } from '../compressed-time.js';
import { HOUR_MS } from '../model/traits.js';
import type { Outcome } from '../outcome.js';
import { patienceHours } from '../scenarios.js';
import { Rehearsal, STEP_MS, type RehearsalOrder } from './rehearsal.js';
import type { RehearsalGround } from './rehearsal-ground.js';

const LIMIT_HOURS = 60 * 24;

/** Within so much the clocks of two processes do. */
const CLOCKS_AGREE_MS = 500;

export interface StoreRun {
  readonly scenario: string;
  readonly outcome: Outcome;
  /** Scheduled refreshes that were due; those that a device skipped, or that did not get through, are among them. */
  readonly polls: number;
  readonly requests: number;
  readonly seconds: number;
}

export interface StoreRunOptions {
  /** What follows the last word, so that what devices were offered is installed, or not; a day, if not said. */
  readonly epilogueHours?: number;
  readonly onProgress?: (rehearsal: Rehearsal, hours: number) => Promise<void>;
  /** So long a dead worker is waited for; as long as the scenario's waves ask for (`patienceHours`), if not said. */
  readonly withoutWorkerHours?: number;
}

/** One that is under way. */
interface Running {
  readonly rehearsal: Rehearsal;
  endedAtMs: number;
}

/**
 * Rehearses scenarios side by side on one store, step by step: the store's clock is moved, the devices that are due poll, what they
 * said is written, the worker counts, the gates judge. Those whose worker dies are to be rehearsed alone.
 */
export async function runStore(
  ground: RehearsalGround,
  orders: readonly RehearsalOrder[],
  { onProgress, epilogueHours = 24, withoutWorkerHours }: StoreRunOptions = {},
): Promise<StoreRun[]> {
  const startMs = ground.nextMonday();
  const prepared = [];
  for (const order of orders) prepared.push(await Rehearsal.prepare(ground, order, startMs));
  const [first] = prepared;
  if (first === undefined) return [];
  const time = new CompressedTime(ground.installation.databaseUrls.owner, first.probe);
  await time.moveTo(new Date(startMs));
  const running: Running[] = [];
  for (const { start } of prepared) running.push({ rehearsal: await start(), endedAtMs: Infinity });
  const dies = Math.min(...orders.map(({ scenario }) => scenario.workerDiesAfter));
  const patience = Math.max(...orders.map(({ scenario: { waves } }) => patienceHours(waves)));
  const limit = Math.min(LIMIT_HOURS, dies + (withoutWorkerHours ?? patience));
  const begun = { at: performance.now(), requests: ground.wire.answered };
  for (let at = startMs; at < startMs + limit * HOUR_MS; at += STEP_MS) {
    const left = running.filter(({ endedAtMs }) => at < endedAtMs + epilogueHours * HOUR_MS);
    if (left.length === 0) break;
    const hours = (at + STEP_MS - startMs) / HOUR_MS;
    if (hours >= dies) await ground.loseWorker();
    await step(ground, time, left, at);
    for (const { rehearsal } of left) await onProgress?.(rehearsal, hours);
  }
  const seconds = (performance.now() - begun.at) / 1_000;
  const requests = ground.wire.answered - begun.requests;
  return Promise.all(
    running.map(async ({ rehearsal, endedAtMs }) => ({
      scenario: rehearsal.scenario.name,
      outcome: await rehearsal.outcome(Math.min(endedAtMs, startMs + limit * HOUR_MS)),
      polls: rehearsal.polls,
      ...{ requests, seconds },
    })),
  );
}

/** One stretch of fleet time. */
async function step(
  ground: RehearsalGround,
  time: CompressedTime,
  running: readonly Running[],
  beginMs: number,
): Promise<void> {
  const endMs = beginMs + STEP_MS;
  await time.moveTo(new Date(endMs));
  for (const { rehearsal } of running) await rehearsal.pollDue(beginMs, time.now);
  await ground.rounds.written();
  if (!ground.hasWorker) return;
  // Not by a count that was begun before the last of them had polled, as far as clocks agree.
  const since = new Date(Math.max(endMs, time.now.getTime() - CLOCKS_AGREE_MS));
  const live = running.filter(({ endedAtMs }) => endedAtMs === Infinity);
  await Promise.all(live.map(({ rehearsal }) => rehearsal.judge(since)));
  for (const one of live) {
    if ((await one.rehearsal.verdict()).kind === 'running') continue;
    one.endedAtMs = endMs;
    await one.rehearsal.end();
  }
}
