import { describe, expect, it } from 'vitest';
import { ask } from '../../testing/ask.js';
import { device, LANE, log, refresh, revision, rollout, SNAP, stop } from '../../testing/world.js';
import { parseEpoch } from '../epochs.js';
import type { PolicyRows } from '../policy/rows.js';

describe('rule 8, rollback', () => {
  const bad = {
    isRollback: true,
    replaces: { all: 8 },
    target: { kind: 'revision', laneId: LANE, revisions: { all: 7 } },
  } as const;
  const over: Partial<PolicyRows> = {
    laneEvents: log([5, 6, 7, { kind: 'promote', revision: 8 }]),
    rollouts: [rollout(7, bad)],
  };

  it('U94 each device goes to its own last good revision, else to the baseline before', () => {
    // The bad one had been good on it, too.
    const remembers = device({ memory: { [SNAP]: { good: [8, 6, 5] } } });
    expect(ask(over, refresh(8), remembers)).toMatchObject({
      outcome: 'UPDATE',
      revision: 6,
      codes: ['ROLLOUT_ADMITTED'],
    });
    expect(ask(over, refresh(8))).toMatchObject({ outcome: 'UPDATE', revision: 7 });
  });

  it('devices never touched stay, and are not led to the bad revision meanwhile', () => {
    expect(ask(over, refresh(7))).toMatchObject({ outcome: 'STAY', revision: 7 });
    expect(ask(over, refresh(6))).toMatchObject({ outcome: 'UPDATE', revision: 7 });
    const target = { kind: 'revision', laneId: LANE, revisions: { all: 6 } } as const;
    const older = { ...over, rollouts: [rollout(6, { ...bad, target })] };
    expect(ask(older, refresh(8)).revision).toBe(6);
    expect(ask(older, refresh(5))).toMatchObject({
      outcome: 'UPDATE',
      revision: 7,
      codes: ['BASELINE', 'ROLLED_BACK', 'ROLLED_BACK'],
    });
    expect(ask({ laneEvents: over.laneEvents ?? [] }, refresh(7))).toMatchObject({
      outcome: 'UPDATE',
      revision: 8,
    });
  });

  it('one that cannot read the data is not served', () => {
    const revisions = [revision(6), revision(7), revision(8, { epoch: parseEpoch('1*') })];
    const request = refresh(8, { installed: { revision: 8, epoch: parseEpoch('1*') } });
    expect(ask({ ...over, revisions }, request)).toMatchObject({ outcome: 'STAY', revision: 8 });
  });

  it('U95 a stop during the rollback keeps everybody; a rollback of the rollback leads there again', () => {
    expect(
      ask({ ...over, stops: [stop({ scope: 'rollout', rolloutId: 'rollout-7' })] }, refresh(8)),
    ).toMatchObject({ outcome: 'STAY', revision: 8 });
    const forth = {
      isRollback: true,
      replaces: { all: 7 },
      target: { kind: 'revision', laneId: LANE, revisions: { all: 8 } },
    } as const;
    const back = {
      ...over,
      rollouts: [rollout(7, { ...bad, state: 'ABORTED' }), rollout(8, forth)],
    };
    // Whatever was good on them before.
    for (const who of [device(), device({ memory: { [SNAP]: { good: [7, 6] } } })])
      expect(ask(back, refresh(7), who)).toMatchObject({ outcome: 'UPDATE', revision: 8 });
    expect(ask(back, refresh(8))).toMatchObject({ outcome: 'STAY', revision: 8 });
  });
});
