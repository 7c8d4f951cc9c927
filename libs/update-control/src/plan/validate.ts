import { findChannel, channelText } from '../channels.js';
import type { Instant, SnapId } from '../facts.js';
import type { Requirement } from '../policy/snapshot.js';
import { predicateProblems } from '../predicates.js';
import type { RolloutPlan, RolloutTarget } from './plan.js';
import type { Fail, PlanProblem } from './problem.js';
import { checkSchedule } from './validate-schedule.js';
import { checkWaves } from './validate-waves.js';

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

/** Everything that is wrong with a plan, in sentences; empty: it may be submitted. */
export function planProblems(plan: RolloutPlan, facts: PlanFacts): PlanProblem[] {
  const problems: PlanProblem[] = [];
  const fail: Fail = (path, message) => problems.push({ path, message });
  if (plan.title.trim() === '') fail('title', 'cannot submit without a title');
  if (plan.title.length > 200) fail('title', 'cannot take a title of over 200 characters');
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

/** As assertions have it. */
const SET_NAME = /^[a-z0-9](?:-?[a-z0-9])*$/;

function checkTarget({ target, promote, onFail }: RolloutPlan, facts: PlanFacts, fail: Fail): void {
  if (target.kind === 'sequence') {
    if (onFail === 'rollback')
      fail(
        'onFail',
        'cannot roll back a sequence: publish a higher one with the older revisions in it',
      );
    if (promote !== 'none')
      fail('promote', 'cannot promote a sequence: completed, it is there for everybody');
    if (!SET_NAME.test(target.setName))
      fail('target.setName', `cannot find a validation set named "${target.setName}"`);
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

function checkRequires(plan: RolloutPlan, facts: PlanFacts, fail: Fail): void {
  const { target } = plan;
  if (target.kind !== 'revision') return;
  const waited = new Set<SnapId>();
  plan.requires.forEach((need, i) => {
    if (waited.has(need.snapId)) fail(`requires[${i}]`, 'cannot wait for the same snap twice');
    waited.add(need.snapId);
    checkNeed(need, facts, `requires[${i}]`, fail);
  });
  const graph = { ...facts.waitsFor, [target.snapId]: plan.requires.map((need) => need.snapId) };
  plan.requires.forEach((need, i) => {
    if (reaches(graph, need.snapId, target.snapId))
      fail(
        `requires[${i}]`,
        `cannot wait for ${need.snapId}: it waits for this snap, so neither would ever move`,
      );
  });
}

function checkNeed(need: Requirement, facts: PlanFacts, path: string, fail: Fail): void {
  const found = facts.revisions.find(
    (row) => row.snapId === need.snapId && row.revision === need.revision,
  );
  if (!found) fail(path, `cannot wait for revision ${need.revision}: there is none`);
  else if (found.isYanked)
    fail(path, `cannot wait for revision ${need.revision}: it was withdrawn`);
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

function checkTimes(plan: RolloutPlan, t: Instant, fail: Fail): void {
  if (plan.expiresAt !== null && plan.expiresAt <= t)
    fail('expiresAt', 'cannot expire in the past');
  if (plan.startAt !== null && plan.expiresAt !== null && plan.startAt >= plan.expiresAt)
    fail('startAt', 'cannot start after it has expired');
  if (!(plan.latestStartMs >= 0)) fail('latestStartMs', 'cannot be late by a negative time');
  // It would expire before anybody could approve it (U54).
  if (plan.startAt !== null && plan.startAt + plan.latestStartMs < t)
    fail('startAt', 'cannot start in the past');
  if (!(plan.maxGrowthPercent >= 0))
    fail('maxGrowthPercent', 'cannot let a fleet grow by a negative share');
}
