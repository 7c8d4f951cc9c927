import { findChannel, channelText } from '../channels.js';
import type { WaveSize } from '../buckets.js';
import type { Instant, SnapId } from '../facts.js';
import { predicateProblems } from '../predicates.js';
import type { Freeze, Schedule, Window } from '../windows.js';
import { minuteOf } from '../windows.js';
import type { RolloutPlan, RolloutTarget, WavePlan } from './plan.js';

export interface PlanProblem {
  /** Member of the plan, e.g. `waves[1].size`. */
  readonly path: string;
  readonly message: string;
}

/** What the caller knows and the plan is measured against. */
export interface PlanFacts {
  readonly t: Instant;
  readonly revisions: readonly {
    readonly snapId: SnapId;
    readonly revision: number;
    readonly architectures: readonly string[];
    readonly isYanked: boolean;
  }[];
  /** Architectures of the fleet's devices; each needs a target. */
  readonly fleetArchitectures: readonly string[];
  /** `requires` of the other live rollouts: snap → snaps it waits for. */
  readonly waitsFor: Readonly<Record<SnapId, readonly SnapId[]>>;
  /** Devices on which an enforced validation set pins the snap to another revision (U29). */
  readonly pinnedBySets: number;
}

type Fail = (path: string, message: string) => void;

/** Everything that is wrong with a plan, in sentences; empty: it may be submitted. */
export function planProblems(plan: RolloutPlan, facts: PlanFacts): PlanProblem[] {
  const problems: PlanProblem[] = [];
  const fail: Fail = (path, message) => problems.push({ path, message });
  if (plan.title.trim() === '') fail('title', 'cannot submit without a title');
  checkTarget(plan, facts, fail);
  checkFleet(plan, fail);
  checkWaves(plan.waves, fail);
  checkRequires(plan, facts, fail);
  if (plan.schedule) checkSchedule(plan.schedule, 'schedule', fail);
  checkTimes(plan, facts.t, fail);
  if (plan.replaces && !plan.isRollback)
    fail('replaces', 'cannot replace revisions unless the rollout is a rollback');
  return problems;
}

function checkTarget({ target }: RolloutPlan, facts: PlanFacts, fail: Fail): void {
  if (target.kind === 'sequence') {
    if (!(Number.isSafeInteger(target.sequence) && target.sequence > 0))
      fail('target.sequence', 'cannot roll out a sequence that is not a positive number');
    return;
  }
  const channel = findChannel(target.channel);
  if (!channel || channelText(channel) !== target.channel)
    fail(
      'target.channel',
      `cannot use channel "${target.channel}": write it as track/risk[/branch]`,
    );
  if (Object.keys(target.revisions).length === 0)
    fail('target.revisions', 'cannot roll out nothing: name a revision');
  for (const [architecture, revision] of Object.entries(target.revisions))
    checkRevision(target, architecture, revision, facts, fail);
  for (const architecture of facts.fleetArchitectures) {
    if (!Object.hasOwn(target.revisions, architecture) && !Object.hasOwn(target.revisions, 'all')) {
      fail('target.revisions', `cannot leave out ${architecture}: the fleet has such devices`);
    }
  }
  if (facts.pinnedBySets > 0) {
    fail(
      'target',
      `cannot roll out a single snap that a validation set pins on ${facts.pinnedBySets} devices: roll out a sequence of the set`,
    );
  }
}

function checkRevision(
  target: RolloutTarget & { kind: 'revision' },
  architecture: string,
  revision: number,
  facts: PlanFacts,
  fail: Fail,
): void {
  const path = `target.revisions.${architecture}`;
  const found = facts.revisions.find(
    (row) => row.snapId === target.snapId && row.revision === revision,
  );
  if (!found) return fail(path, `cannot roll out revision ${revision}: there is none`);
  if (found.isYanked) fail(path, `cannot roll out revision ${revision}: it was withdrawn`);
  if (!found.architectures.includes('all') && !found.architectures.includes(architecture)) {
    fail(
      path,
      `cannot roll out revision ${revision} to ${architecture}: it was built for ${found.architectures.join(', ')}`,
    );
  }
}

function rolledOut(target: RolloutTarget): SnapId[] {
  return target.kind === 'revision' ? [target.snapId] : [];
}

function checkFleet(plan: RolloutPlan, fail: Fail): void {
  if (!plan.fleet.predicate) return;
  for (const problem of predicateProblems(plan.fleet.predicate, rolledOut(plan.target))) {
    fail(`fleet.predicate${problem.path === '' ? '' : `.${problem.path}`}`, problem.message);
  }
}

function checkWaves(waves: readonly WavePlan[], fail: Fail): void {
  if (waves.length === 0) fail('waves', 'cannot roll out without a wave');
  let before = { percent: 0, count: 0 };
  waves.forEach((wave, i) => {
    const path = `waves[${i}]`;
    if (!wave.size && !wave.selector)
      fail(path, 'cannot open a wave with neither size nor selector');
    if (wave.size) before = checkSize(wave.size, `${path}.size`, before, fail);
    for (const problem of wave.selector ? predicateProblems(wave.selector) : [])
      fail(`${path}.selector`, problem.message);
    if (wave.devicesPerHour !== null && !(wave.devicesPerHour > 0))
      fail(`${path}.devicesPerHour`, 'cannot admit zero devices per hour');
    if (!(wave.soakMs >= 0)) fail(`${path}.soakMs`, 'cannot soak for a negative time');
    if (!(wave.deadlineMs > wave.soakMs))
      fail(`${path}.deadlineMs`, 'cannot end a wave before its soak has passed');
    if (!(wave.health.minSample >= 1))
      fail(`${path}.health.minSample`, 'cannot judge a wave on no device');
  });
  const last = waves[waves.length - 1];
  if (last && last.size?.percent !== 100)
    fail('waves', 'cannot complete: the last wave does not reach 100 %');
}

function checkSize(
  size: WaveSize,
  path: string,
  before: { percent: number; count: number },
  fail: Fail,
): { percent: number; count: number } {
  const { percent, count } = size;
  if ((percent === undefined) === (count === undefined))
    fail(path, 'cannot size a wave by both or neither of percent and count');
  if (percent !== undefined && !(percent > 0 && percent <= 100))
    fail(path, `cannot admit ${percent} %: not between 0 and 100`);
  if (count !== undefined && !(Number.isSafeInteger(count) && count > 0))
    fail(path, `cannot admit ${count} devices`);
  if ((percent ?? 100) < before.percent || (count ?? Number.MAX_SAFE_INTEGER) < before.count) {
    fail(path, 'cannot make a wave smaller than the one before it: sizes are cumulative');
  }
  return { percent: percent ?? before.percent, count: count ?? before.count };
}

function checkRequires(plan: RolloutPlan, facts: PlanFacts, fail: Fail): void {
  const { target } = plan;
  if (target.kind !== 'revision') return;
  const graph = { ...facts.waitsFor, [target.snapId]: plan.requires.map((need) => need.snapId) };
  plan.requires.forEach((need, i) => {
    if (reaches(graph, need.snapId, target.snapId))
      fail(
        `requires[${i}]`,
        `cannot wait for ${need.snapId}: it waits for this snap, so neither would ever move`,
      );
  });
}

function reaches(
  graph: Readonly<Record<string, readonly string[]>>,
  from: string,
  to: string,
): boolean {
  const seen = new Set<string>();
  const queue = [from];
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    if (next === to) return true;
    if (seen.has(next)) continue;
    seen.add(next);
    queue.push(...(Object.hasOwn(graph, next) ? (graph[next] ?? []) : []));
  }
  return false;
}

/** Problems of windows and freezes alone, for fleets and brands as well. */
export function scheduleProblems(schedule: Schedule): PlanProblem[] {
  const problems: PlanProblem[] = [];
  checkSchedule(schedule, '', (path, message) => problems.push({ path, message }));
  return problems;
}

function checkSchedule(schedule: Schedule, path: string, fail: Fail): void {
  const at = (step: string) => (path === '' ? step : `${path}.${step}`);
  schedule.windows.forEach((window, i) => checkWindow(window, at(`windows[${i}]`), fail));
  schedule.freezes.forEach((freeze, i) => checkFreeze(freeze, at(`freezes[${i}]`), fail));
}

function checkWindow(window: Window, path: string, fail: Fail): void {
  const [from, to] = [minuteOf(window.from), minuteOf(window.to)];
  if (Number.isNaN(from) || Number.isNaN(to))
    return fail(path, 'cannot read a window: times are written HH:MM');
  if (window.days.length === 0) fail(path, 'cannot open a window on no day');
  if (!window.days.every((day) => Number.isInteger(day) && day >= 1 && day <= 7))
    fail(path, 'cannot open a window on another day than 1 (Monday) to 7 (Sunday)');
  const length = to > from ? to - from : to - from + 24 * 60;
  if ((window.lastOfferBeforeMinutes ?? 0) >= length)
    fail(
      path,
      'cannot offer in a window that is over before it opens: lastOfferBeforeMinutes is too long',
    );
}

function checkFreeze(freeze: Freeze, path: string, fail: Fail): void {
  const isTime = (text: string) =>
    /^\d{4}-\d\d-\d\dT\d\d:\d\d$/.test(text) && !Number.isNaN(Date.parse(`${text}Z`));
  if (!isTime(freeze.from) || !isTime(freeze.until))
    return fail(path, 'cannot read a freeze: times are written YYYY-MM-DDTHH:MM');
  if (freeze.until <= freeze.from) fail(path, 'cannot freeze until before it begins');
}

function checkTimes(plan: RolloutPlan, t: Instant, fail: Fail): void {
  if (plan.expiresAt !== null && plan.expiresAt <= t)
    fail('expiresAt', 'cannot expire in the past');
  if (plan.startAt !== null && plan.expiresAt !== null && plan.startAt >= plan.expiresAt)
    fail('startAt', 'cannot start after it has expired');
  if (!(plan.latestStartMs >= 0)) fail('latestStartMs', 'cannot be late by a negative time');
}
