import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  findTransition,
  isLive,
  isTerminal,
  nextState,
  nextWaveState,
  ROLLOUT_EVENTS,
  ROLLOUT_STATES,
  TRANSITIONS,
} from './rollout-states.js';
import type { RolloutState } from './rollout-states.js';

describe('rollout states', () => {
  it.each([
    ['the happy path', ['submit', 'approve', 'start', 'last-wave-passed', 'settle'], 'COMPLETED'],
    [
      'a pause in between',
      ['submit', 'approve', 'start', 'pause', 'resume', 'last-wave-passed'],
      'COMPLETING',
    ],
    ['an edit after submission', ['submit', 'edit'], 'DRAFT'],
    ['a rejection', ['submit', 'reject'], 'REJECTED'],
    ['an abort', ['submit', 'approve', 'start', 'abort'], 'ABORTED'],
    [
      'a rollback',
      ['submit', 'approve', 'start', 'pause', 'rollback', 'rollback-completed'],
      'ROLLED_BACK',
    ],
    [
      'a rollback whose child was aborted',
      ['submit', 'approve', 'start', 'rollback', 'rollback-aborted'],
      'ABORTED',
    ],
    ['a successor', ['submit', 'approve', 'start', 'supersede'], 'SUPERSEDED'],
    ['a fleet that grew (U51)', ['submit', 'approve', 'impact-grew'], 'PENDING_APPROVAL'],
    ['a missed start (U54)', ['submit', 'approve', 'expire'], 'EXPIRED'],
  ] as const)('%s', (_, events, end) => {
    const state = events.reduce<RolloutState | null>(
      (now, event) => now && nextState(now, event),
      'DRAFT',
    );
    expect(state).toBe(end);
  });

  it('random events never leave the table, and ends are ends', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...ROLLOUT_EVENTS), { maxLength: 40 }), (events) => {
        let state: RolloutState = 'DRAFT';
        for (const event of events) {
          const next = nextState(state, event);
          expect(
            next === null ||
              TRANSITIONS.some((t) => t.from === state && t.event === event && t.to === next),
          ).toBe(true);
          if (isTerminal(state)) expect(next).toBeNull();
          state = next ?? state;
        }
      }),
    );
  });

  it('the table says each thing once and reaches every state', () => {
    const keys = TRANSITIONS.map((t) => `${t.from} ${t.event}`);
    expect(new Set(keys).size).toBe(keys.length);
    expect(new Set(['DRAFT', ...TRANSITIONS.map((t) => t.to)])).toEqual(new Set(ROLLOUT_STATES));
    expect(ROLLOUT_STATES.filter(isTerminal)).toEqual([
      'REJECTED',
      'EXPIRED',
      'ABORTED',
      'ROLLED_BACK',
      'COMPLETED',
      'SUPERSEDED',
    ]);
    expect(ROLLOUT_STATES.filter(isLive)).toEqual(['ACTIVE', 'PAUSED', 'COMPLETING']);
  });

  it('pause and abort need one person, resume after an automatic pause and rollback a second (update-control.md 0 nr. 9)', () => {
    expect(findTransition('ACTIVE', 'pause')).toMatchObject({ by: ['operator', 'system'] });
    expect(findTransition('ACTIVE', 'pause')?.needsApproval).toBeUndefined();
    expect(findTransition('PAUSED', 'resume')?.needsApproval).toBe('after-automatic-pause');
    expect(findTransition('ACTIVE', 'rollback')?.needsApproval).toBe('unless-in-plan');
    expect(findTransition('PENDING_APPROVAL', 'approve')?.by).toEqual(['approver']);
  });

  it('a second pause or a late tick leads nowhere', () => {
    expect(nextState('PAUSED', 'pause')).toBeNull();
    expect(nextState('ABORTED', 'start')).toBeNull();
    expect(nextWaveState('PASSED', 'open')).toBeNull();
    expect(nextWaveState('FAILED', 'retry')).toBe('OPEN');
  });
});
