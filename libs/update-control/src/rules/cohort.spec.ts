import { describe, expect, it } from 'vitest';
import { ask } from '../../testing/ask.js';
import { HOUR, install, log, refresh, rollout, SNAP, stop, T } from '../../testing/world.js';

describe('rule 7, cohort', () => {
  const laneEvents = log([
    { revision: 5, at: T - 9 * HOUR },
    { revision: 6, at: T - 5 * HOUR },
    { revision: 7, at: T - HOUR },
  ]);
  const cohort = { issuedAt: T - 2 * HOUR, expiresAt: T + HOUR };

  it('shows the lane as it was, above rollouts', () => {
    expect(ask({ laneEvents, rollouts: [rollout(8)] }, refresh(5, { cohort }))).toMatchObject({
      revision: 6,
      codes: ['COHORT'],
    });
    expect(ask({ laneEvents }, refresh(6, { cohort }))).toMatchObject({
      outcome: 'STAY',
      codes: ['COHORT'],
    });
  });

  it('U34 never brings back a stopped revision; an expired key is no key', () => {
    const stops = [stop({ scope: 'revision', snapId: SNAP, revision: 6 })];
    expect(ask({ laneEvents, stops }, install({ cohort }))).toMatchObject({
      revision: 5,
      codes: ['COHORT', 'STOPPED'],
    });
    const over = { ...cohort, expiresAt: T };
    expect(ask({ laneEvents }, refresh(5, { cohort: over }))).toMatchObject({
      revision: 7,
      codes: ['BASELINE', 'COHORT_EXPIRED'],
    });
  });

  it('a closing after the key was made does not count', () => {
    const closed = [...laneEvents, ...log([1, 2, 3, { kind: 'close', at: T - 1 }]).slice(3)];
    expect(ask({ laneEvents: closed }, refresh(5, { cohort })).revision).toBe(6);
    expect(ask({ laneEvents: closed }, refresh(5))).toMatchObject({
      outcome: 'STAY',
      codes: ['NOTHING_RELEASED'],
    });
  });
});
