import type { DeviceFacts, RequestFacts } from '../src/facts.js';
import { compilePolicy } from '../src/policy/compile.js';
import type { PolicyRows } from '../src/policy/rows.js';
import { resolve } from '../src/resolve.js';
import { device, log, refresh, rollout, rows, T } from './world.js';

/** What `resolve()` says by the world's policy with `over` in place of its rows, and the codes of its reasons. */
export function ask(
  over: Partial<PolicyRows>,
  request: RequestFacts = refresh(6),
  who: DeviceFacts = device(),
  t = T,
) {
  const { outcome, revision, channel, reasons, retryHint } = resolve(
    who,
    request,
    compilePolicy(rows(over)),
    t,
  );
  return { outcome, revision, channel, codes: reasons.map(({ code }) => code), reasons, retryHint };
}

/** 7 is the baseline, 8 a rollout of the one fleet. */
export const withRollout = (over: Parameters<typeof rollout>[1] = {}): Partial<PolicyRows> => ({
  laneEvents: log([5, 6, 7, { kind: 'rollout', revision: 8 }]),
  rollouts: [rollout(8, over)],
});
