import { describe, expect, it } from 'vitest';
import { ask } from '../../testing/ask.js';
import { device, install, lane, log, refresh, rollout, SNAP, T } from '../../testing/world.js';

describe('rule 15, downgrade guard', () => {
  it('U20 without authority a device stays, with an approved rollback it goes', () => {
    const over = (isRollback: boolean) => ({
      laneEvents: log([5, 7]),
      rollouts: [rollout(5, { isRollback })],
    });
    expect(ask(over(false), refresh(7))).toMatchObject({
      outcome: 'STAY',
      revision: 7,
      codes: ['NO_DOWNGRADE', 'ROLLOUT_ADMITTED'],
    });
    expect(ask(over(true), refresh(7))).toMatchObject({ outcome: 'UPDATE', revision: 5 });
  });

  const lanes = [lane(), lane('latest/edge'), lane('latest/edge/fix', { expiresAt: T })];
  const laneEvents = [
    ...log([7]),
    ...log([10], `${SNAP} latest/edge`),
    ...log([12], `${SNAP} latest/edge/fix`),
  ];

  it('U22 an explicit channel switch to an older revision works, also when snap switch did it before', () => {
    const switched = refresh(10, { channel: 'stable', trackingChannel: 'latest/edge' });
    expect(ask({ lanes, laneEvents }, switched)).toMatchObject({
      outcome: 'UPDATE',
      revision: 7,
      codes: ['BASELINE', 'CHANNEL_SWITCH'],
    });
    const sawEdge = device({ memory: { [SNAP]: { observedChannel: 'latest/edge' } } });
    expect(ask({ lanes, laneEvents }, refresh(10), sawEdge)).toMatchObject({
      outcome: 'UPDATE',
      revision: 7,
    });
    const sawStable = device({ memory: { [SNAP]: { observedChannel: 'stable' } } });
    expect(ask({ lanes, laneEvents }, refresh(10), sawStable)).toMatchObject({
      outcome: 'STAY',
      codes: ['NO_DOWNGRADE', 'BASELINE'],
    });
  });

  it('U22 a branch that expired silently does not take anybody back', () => {
    const request = refresh(12, { trackingChannel: 'latest/edge/fix' });
    expect(ask({ lanes, laneEvents }, request)).toMatchObject({ outcome: 'STAY', revision: 12 });
    expect(ask({ lanes, laneEvents }, request).codes).toContain('CHANNEL_FALLBACK');
  });

  it('does not bite for a new install or for what is later in lane order with a lower number', () => {
    expect(ask({ laneEvents: log([9, 4]) }, refresh(9)).revision).toBe(4);
    expect(ask({ laneEvents: log([9, 4]) }, install()).revision).toBe(4);
  });
});
