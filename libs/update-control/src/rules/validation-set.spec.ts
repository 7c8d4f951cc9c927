import { describe, expect, it } from 'vitest';
import { ask } from '../../testing/ask.js';
import { hold, log, OUT, refresh, rollout, SNAP, stop, wave } from '../../testing/world.js';

describe('rule 3, validation set', () => {
  const rollouts = [rollout(8, { waves: [wave(OUT)] })];
  const laneEvents = log([7, { kind: 'rollout', revision: 8 }]);

  it('the exact revision is served outside the wave, a stopped one is not', () => {
    const request = refresh(7, { requiredRevision: 8 });
    expect(ask({ rollouts, laneEvents }, refresh(7))).toMatchObject({
      outcome: 'STAY',
      codes: ['NOT_IN_WAVE', 'BASELINE'],
    });
    expect(ask({ rollouts, laneEvents }, request)).toMatchObject({
      outcome: 'UPDATE',
      revision: 8,
      codes: ['VSET_REQUIRED'],
    });
    const stops = [stop({ scope: 'revision', snapId: SNAP, revision: 8 })];
    expect(ask({ rollouts, laneEvents, stops }, request)).toMatchObject({
      outcome: 'NOT_FOUND',
      codes: ['STOPPED', 'VSET_REQUIRED'],
    });
  });

  it('may go back, beats a hold, and stays where the set is met', () => {
    expect(ask({ holds: [hold()] }, refresh(7, { requiredRevision: 5 }))).toMatchObject({
      outcome: 'UPDATE',
      revision: 5,
    });
    expect(ask({}, refresh(6, { requiredRevision: 6 }))).toMatchObject({
      outcome: 'STAY',
      revision: 6,
      codes: ['VSET_REQUIRED'],
    });
  });
});
