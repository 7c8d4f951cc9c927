import type { Freeze, Schedule, Window } from '../windows.js';
import { minuteOf } from '../windows.js';
import type { Fail, PlanProblem } from './problem.js';

/** Problems of windows and freezes alone, for fleets and brands as well. */
export function scheduleProblems(schedule: Schedule): PlanProblem[] {
  const problems: PlanProblem[] = [];
  checkSchedule(schedule, '', (path, message) => problems.push({ path, message }));
  return problems;
}

/** The same as part of a plan, at `path`. */
export function checkSchedule(schedule: Schedule, path: string, fail: Fail): void {
  const at = (step: string) => (path === '' ? step : `${path}.${step}`);
  schedule.windows.forEach((window, i) => checkWindow(window, at(`windows[${i}]`), fail));
  schedule.freezes.forEach((freeze, i) => checkFreeze(freeze, at(`freezes[${i}]`), fail));
}

const WEEKDAYS: ReadonlySet<number> = new Set([1, 2, 3, 4, 5, 6, 7]);

function checkWindow(window: Window, path: string, fail: Fail): void {
  const [from, to] = [minuteOf(window.from), minuteOf(window.to)];
  if (Number.isNaN(from) || Number.isNaN(to))
    return fail(path, 'cannot read a window: times are written HH:MM');
  if (window.days.length === 0) fail(path, 'cannot open a window on no day');
  if (window.days.some((day) => !WEEKDAYS.has(day)))
    fail(path, 'cannot open a window on another day than 1 (Monday) to 7 (Sunday)');
  const length = to > from ? to - from : to - from + 24 * 60;
  const margin = window.lastOfferBeforeMinutes ?? 0;
  if (!(Number.isSafeInteger(margin) && margin >= 0))
    fail(path, `cannot end offers ${margin} minutes before the window does`);
  else if (margin >= length)
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
  if (freeze.reason.trim() === '') fail(path, 'cannot freeze without a reason');
}
