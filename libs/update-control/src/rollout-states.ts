export const ROLLOUT_STATES = [
  'DRAFT',
  'PENDING_APPROVAL',
  'REJECTED',
  'SCHEDULED',
  'EXPIRED',
  'ACTIVE',
  'PAUSED',
  'ABORTED',
  'ROLLING_BACK',
  'ROLLED_BACK',
  'COMPLETING',
  'COMPLETED',
  'SUPERSEDED',
] as const;
export type RolloutState = (typeof ROLLOUT_STATES)[number];

export const ROLLOUT_EVENTS = [
  'submit',
  'edit',
  'withdraw',
  'approve',
  'break-glass',
  'reject',
  'take-back',
  'start',
  'impact-grew',
  'expire',
  'cancel',
  'pause',
  'resume',
  'abort',
  'rollback',
  'rollback-completed',
  'rollback-aborted',
  'last-wave-passed',
  'settle',
  'supersede',
] as const;
/** `approve` is the last of the approvals that are needed; `take-back` stands for it; `settle` is the end of the final soak. */
export type RolloutEvent = (typeof ROLLOUT_EVENTS)[number];

/** `system`: tick, gate-check and reconciler. */
export type Actor = 'author' | 'releaser' | 'approver' | 'operator' | 'admin' | 'system';

export interface Transition {
  readonly from: RolloutState;
  readonly event: RolloutEvent;
  readonly to: RolloutState;
  /** Who may cause it; a releaser may do what an operator may. */
  readonly by: readonly Actor[];
  /** A second person must have agreed. `after-automatic-pause`: only then. */
  readonly needsApproval?: 'always' | 'after-automatic-pause' | 'unless-in-plan';
  /** What the caller checks in the same transaction, in words. */
  readonly when?: string;
}

/** The whole machine of update-control.md 2.5; what is not in the table does not happen. */
export const TRANSITIONS: readonly Transition[] = [
  { from: 'DRAFT', event: 'edit', to: 'DRAFT', by: ['author', 'releaser'] },
  {
    from: 'DRAFT',
    event: 'submit',
    to: 'PENDING_APPROVAL',
    by: ['releaser'],
    when: 'plan valid, frozen and hashed; preview stored with it',
  },
  {
    from: 'DRAFT',
    event: 'take-back',
    to: 'SCHEDULED',
    by: ['system'],
    when: 'a wave of its parent failed, whose approved plan says onFail: rollback',
  },
  {
    from: 'PENDING_APPROVAL',
    event: 'edit',
    to: 'DRAFT',
    by: ['author'],
    when: 'all approvals are voided',
  },
  {
    from: 'PENDING_APPROVAL',
    event: 'withdraw',
    to: 'DRAFT',
    by: ['author'],
    when: 'all approvals are voided',
  },
  {
    from: 'PENDING_APPROVAL',
    event: 'approve',
    to: 'SCHEDULED',
    by: ['approver'],
    when: 'plan hash equal, approver is neither author nor last editor',
  },
  {
    from: 'PENDING_APPROVAL',
    event: 'break-glass',
    to: 'SCHEDULED',
    by: ['admin'],
    when: 'a reason is given; every admin is told, and the rollout is flagged for good',
  },
  { from: 'PENDING_APPROVAL', event: 'reject', to: 'REJECTED', by: ['approver'] },
  { from: 'PENDING_APPROVAL', event: 'expire', to: 'EXPIRED', by: ['system'] },
  { from: 'PENDING_APPROVAL', event: 'cancel', to: 'ABORTED', by: ['author', 'releaser'] },
  {
    from: 'SCHEDULED',
    event: 'start',
    to: 'ACTIVE',
    by: ['system', 'releaser'],
    when: 'target not withdrawn, no other live rollout on fleet and lane unless superseded',
  },
  {
    from: 'SCHEDULED',
    event: 'impact-grew',
    to: 'PENDING_APPROVAL',
    by: ['system'],
    when: 'the fleet grew beyond what was approved; alarm',
  },
  {
    from: 'SCHEDULED',
    event: 'expire',
    to: 'EXPIRED',
    by: ['system'],
    when: 'start missed by more than latestStart',
  },
  { from: 'SCHEDULED', event: 'cancel', to: 'ABORTED', by: ['author', 'releaser'] },
  {
    from: 'ACTIVE',
    event: 'pause',
    to: 'PAUSED',
    by: ['operator', 'system'],
    when: 'the ramp clock stops',
  },
  {
    from: 'PAUSED',
    event: 'resume',
    to: 'ACTIVE',
    by: ['releaser'],
    needsApproval: 'after-automatic-pause',
    when: 'the failures seen are acknowledged',
  },
  { from: 'ACTIVE', event: 'abort', to: 'ABORTED', by: ['releaser', 'system'] },
  { from: 'PAUSED', event: 'abort', to: 'ABORTED', by: ['releaser', 'system'] },
  {
    from: 'ACTIVE',
    event: 'rollback',
    to: 'ROLLING_BACK',
    by: ['releaser', 'system'],
    needsApproval: 'unless-in-plan',
    when: 'makes the child rollout',
  },
  {
    from: 'PAUSED',
    event: 'rollback',
    to: 'ROLLING_BACK',
    by: ['releaser', 'system'],
    needsApproval: 'unless-in-plan',
    when: 'makes the child rollout',
  },
  { from: 'ROLLING_BACK', event: 'rollback-completed', to: 'ROLLED_BACK', by: ['system'] },
  { from: 'ROLLING_BACK', event: 'rollback-aborted', to: 'ABORTED', by: ['system'] },
  {
    from: 'ACTIVE',
    event: 'last-wave-passed',
    to: 'COMPLETING',
    by: ['system'],
    when: 'the baseline moves in the same transaction',
  },
  {
    from: 'COMPLETING',
    event: 'settle',
    to: 'COMPLETED',
    by: ['system'],
    when: 'final soak passed or deadline',
  },
  { from: 'ACTIVE', event: 'supersede', to: 'SUPERSEDED', by: ['releaser', 'system'] },
  { from: 'PAUSED', event: 'supersede', to: 'SUPERSEDED', by: ['releaser', 'system'] },
  { from: 'COMPLETING', event: 'supersede', to: 'SUPERSEDED', by: ['releaser', 'system'] },
];

/** The transition for an event, or null where the state does not know it. */
export function findTransition(state: RolloutState, event: RolloutEvent): Transition | null {
  return TRANSITIONS.find((row) => row.from === state && row.event === event) ?? null;
}

/** Where an event leads; null when nothing may happen (a second pause, a late tick): the caller reloads. */
export function nextState(state: RolloutState, event: RolloutEvent): RolloutState | null {
  return findTransition(state, event)?.to ?? null;
}

/** No event leads out of it. */
export function isTerminal(state: RolloutState): boolean {
  return !TRANSITIONS.some((row) => row.from === state);
}

/** Offers may depend on it: at most one such rollout per fleet and lane. */
export function isLive(state: RolloutState): boolean {
  return state === 'ACTIVE' || state === 'PAUSED' || state === 'COMPLETING';
}

export type WaveState = 'WAITING' | 'OPENING' | 'OPEN' | 'PASSED' | 'FAILED' | 'INCONCLUSIVE';
export type WaveEvent = 'open' | 'frozen' | 'pass' | 'fail' | 'inconclusive' | 'retry';

/** Waves: a failed or inconclusive attempt stays closed with its evidence; `retry` is a new attempt on the same threshold. */
export const WAVE_TRANSITIONS: readonly {
  readonly from: WaveState;
  readonly event: WaveEvent;
  readonly to: WaveState;
}[] = [
  { from: 'WAITING', event: 'open', to: 'OPENING' },
  { from: 'OPENING', event: 'frozen', to: 'OPEN' },
  { from: 'OPEN', event: 'pass', to: 'PASSED' },
  { from: 'OPEN', event: 'fail', to: 'FAILED' },
  { from: 'OPEN', event: 'inconclusive', to: 'INCONCLUSIVE' },
  { from: 'FAILED', event: 'retry', to: 'OPEN' },
  { from: 'INCONCLUSIVE', event: 'retry', to: 'OPEN' },
];

export function nextWaveState(state: WaveState, event: WaveEvent): WaveState | null {
  return WAVE_TRANSITIONS.find((row) => row.from === state && row.event === event)?.to ?? null;
}
