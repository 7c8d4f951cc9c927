import { describe, expect, it } from 'vitest';
import { ask } from '../../testing/ask.js';
import { FLEET, install, log, refresh, rollout, SNAP, stop } from '../../testing/world.js';

describe('rule 2, stop', () => {
  it.each([
    ['brand', stop()],
    ['fleet', stop({ scope: 'fleet', fleetId: FLEET })],
    ['snap', stop({ scope: 'snap', snapId: SNAP })],
  ])('a stop of the %s keeps every device', (_, row) => {
    expect(ask({ stops: [row] })).toMatchObject({
      outcome: 'STAY',
      revision: 6,
      codes: ['STOPPED'],
    });
  });

  it.each([
    ['another fleet', stop({ scope: 'fleet', fleetId: 'other' })],
    ['another snap', stop({ scope: 'snap', snapId: 'other' })],
    ['another revision', stop({ scope: 'revision', snapId: SNAP, revision: 5 })],
  ])('a stop of %s does not bite', (_, row) => {
    expect(ask({ stops: [row] })).toMatchObject({ outcome: 'UPDATE', revision: 7 });
  });

  it('U93 a stopped revision falls back to the previous good one, also for new installs', () => {
    const stops = [stop({ scope: 'revision', snapId: SNAP, revision: 7 })];
    expect(ask({ stops }, refresh(5))).toMatchObject({ outcome: 'UPDATE', revision: 6 });
    expect(ask({ stops }, refresh(6))).toMatchObject({
      outcome: 'STAY',
      revision: 6,
      codes: ['STOPPED', 'BASELINE'],
    });
    expect(ask({ stops }, install())).toMatchObject({ outcome: 'UPDATE', revision: 6 });
  });

  it('U93 a stop of brand or fleet lets new installs have the baseline, never a rollout', () => {
    const rollouts = [rollout(8, { includeInstalls: true })];
    const laneEvents = log([7, { kind: 'rollout', revision: 8 }]);
    expect(ask({ rollouts, laneEvents }, install())).toMatchObject({
      outcome: 'UPDATE',
      revision: 8,
    });
    for (const row of [stop(), stop({ scope: 'fleet', fleetId: FLEET })])
      expect(ask({ rollouts, laneEvents, stops: [row] }, install())).toMatchObject({
        outcome: 'UPDATE',
        revision: 7,
        codes: ['BASELINE', 'STOPPED'],
      });
  });
});
