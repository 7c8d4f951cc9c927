import { describe, expect, it } from 'vitest';
import { ask } from '../../testing/ask.js';
import { device, log, refresh, SNAP } from '../../testing/world.js';

describe('rule 13, give-up and revert memory', () => {
  const failed = (attempts: number) =>
    device({ memory: { [SNAP]: { failedAttempts: { 7: attempts } } } });

  it('U73 after three failed attempts there is no fourth offer of that revision', () => {
    expect(ask({}, refresh(6), failed(2)).revision).toBe(7);
    expect(ask({}, refresh(6), failed(3))).toMatchObject({
      outcome: 'STAY',
      revision: 6,
      codes: ['GAVE_UP'],
    });
    expect(ask({ laneEvents: log([6, 7, 8]) }, refresh(6), failed(3)).revision).toBe(8);
  });

  it('U74 a revert is respected for scheduled offers until the target changes', () => {
    const reverted = device({ memory: { [SNAP]: { reverted: [7] } } });
    expect(ask({}, refresh(6), reverted)).toMatchObject({
      outcome: 'STAY',
      codes: ['REVERTED_HERE'],
    });
    expect(ask({}, refresh(6, { isScheduled: false }), reverted).revision).toBe(7);
    expect(ask({ laneEvents: log([6, 7, 8]) }, refresh(6), reverted).revision).toBe(8);
  });

  it('remembers per instance', () => {
    const who = device({ memory: { dash_a: { reverted: [7] } } });
    expect(ask({}, refresh(6, { instanceKey: 'dash_a' }), who).outcome).toBe('STAY');
    expect(ask({}, refresh(6, { instanceKey: 'dash_b' }), who).outcome).toBe('UPDATE');
  });
});
