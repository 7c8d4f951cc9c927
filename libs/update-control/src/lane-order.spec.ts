import { describe, expect, it } from 'vitest';
import { log } from '../testing/world.js';
import type { Happening } from '../testing/world.js';
import { isOlder, planLaneEvent } from './lane-order.js';
import { parseEpoch } from './epochs.js';

/** Revisions from oldest to newest in lane order after these events. */
function order(happenings: readonly (number | Happening)[]): number[] {
  const ranks = new Map(
    log(happenings).flatMap((e) => (e.revision === null ? [] : [[e.revision, e.rank ?? 0]])),
  );
  return [...ranks].sort((a, b) => (a[1] ?? 0) - (b[1] ?? 0)).map(([revision]) => revision ?? 0);
}

describe('lane order', () => {
  it('puts what first enters on top', () => {
    expect(order([5, 7, 6])).toEqual([5, 7, 6]);
  });

  it('U21 a re-release keeps its rank, a rollback by intent gets a new one', () => {
    expect(order([5, 7, 5])).toEqual([5, 7]);
    expect(order([5, 7, { kind: 'rollback', revision: 5 }])).toEqual([7, 5]);
  });

  it('U21 a baseline patch is ranked below the lowest live target, patch above patch', () => {
    const patches = [8, 9, 10].map((revision) => ({ revision, live: [20, 21] }));
    expect(
      order([7, { kind: 'rollout', revision: 20 }, { kind: 'rollout', revision: 21 }, ...patches]),
    ).toEqual([7, 8, 9, 10, 20, 21]);
  });

  it('a target that enters during another rollout goes on top', () => {
    expect(
      order([7, { kind: 'rollout', revision: 8 }, { kind: 'rollout', revision: 9, live: [8] }]),
    ).toEqual([7, 8, 9]);
  });

  it('a late fix for an old epoch stands below the first revision of the newer one', () => {
    expect(
      order([
        1,
        { revision: 2, epoch: '1*' },
        { revision: 3, epoch: '1' },
        { revision: 4, epoch: '0' },
      ]),
    ).toEqual([1, 4, 2, 3]);
  });

  it('holds a thousand patches under one rollout before it says that it is full', () => {
    const epoch = parseEpoch('0');
    const ranked = [
      { revision: 1, rank: 2 ** 32, epoch },
      { revision: 2, rank: 2 ** 33, epoch },
    ];
    const patch = (revision: number) =>
      planLaneEvent(
        { isProtected: false, lastSeq: revision, ranked, liveTargets: [2] },
        { kind: 'release', revision, epoch },
      );
    for (let revision = 3; revision < 1003; revision += 1)
      ranked.push({ revision, epoch, rank: patch(revision).rank });
    expect(new Set(ranked.map((r) => r.rank)).size).toBe(ranked.length);
    expect(() => {
      for (let revision = 1003; ; revision += 1)
        ranked.push({ revision, epoch, rank: patch(revision).rank });
    }).toThrow(/no room is left below the rollout/);
  });

  it('U55 a bare release to a protected lane is refused, a rollout is not', () => {
    const lane = { isProtected: true, lastSeq: 0, ranked: [], liveTargets: [] };
    const plan = { revision: 1, epoch: parseEpoch('0') };
    expect(() => planLaneEvent(lane, { ...plan, kind: 'release' })).toThrow(
      /the lane is protected/,
    );
    expect(planLaneEvent(lane, { ...plan, kind: 'rollout' }).seq).toBe(1);
  });

  it('compares by number where the lane never held one of them', () => {
    const lane = { ranks: { 5: 2, 7: 1 } };
    expect([
      isOlder(lane, 5, 7),
      isOlder(lane, 7, 5),
      isOlder(lane, 6, 7),
      isOlder(undefined, 7, 5),
    ]).toEqual([false, true, true, false]);
  });
});
