import { describe, expect, it } from 'vitest';
import { ask } from '../../testing/ask.js';
import { BRAND, install, LANE, log, pin, refresh, revision, rollout } from '../../testing/world.js';
import { parseEpoch } from '../epochs.js';
import type { PolicyRows } from '../policy/rows.js';

describe('rule 10, floors and epochs', () => {
  const floors = [20, 10].map((number) => ({
    id: `floor-${number}`,
    brandId: BRAND,
    laneId: LANE,
    revision: number,
  }));
  const revisions = [5, 10, 15, 20, 25].map((number) => revision(number));
  const laneEvents = log([5, 10, 15, 20, 25]);

  it('a device at 5 gets 10, 20, 25 in three polls', () => {
    const over = { floors, revisions, laneEvents };
    const way: (number | undefined)[] = [5];
    for (let i = 0; i < 3; i += 1) way.push(ask(over, refresh(way.at(-1) ?? 0)).revision);
    expect(way).toEqual([5, 10, 20, 25]);
    expect(ask(over, refresh(5)).reasons[0]).toMatchObject({
      code: 'VIA_FLOOR',
      detail: { floor: 10, goal: 25 },
    });
    expect(ask(over, refresh(25))).toMatchObject({
      outcome: 'STAY',
      codes: ['UP_TO_DATE', 'BASELINE'],
    });
  });

  it('does not bite past the floor, for another architecture, or for a new install', () => {
    expect(ask({ floors, revisions, laneEvents }, refresh(20)).revision).toBe(25);
    expect(ask({ floors, revisions, laneEvents }, install()).revision).toBe(25);
    expect(ask({ floors, revisions, laneEvents, pins: [pin(15)] }, refresh(10)).revision).toBe(15);
    const arm = [
      revision(5),
      revision(10, { architectures: ['arm64'] }),
      revision(20, { architectures: ['arm64'] }),
      revision(25),
    ];
    expect(ask({ floors, revisions: arm, laneEvents }, refresh(5)).revision).toBe(25);
  });

  it('binds pins and rollouts as well', () => {
    expect(ask({ floors, revisions, laneEvents, pins: [pin(25)] }, refresh(15)).revision).toBe(20);
    expect(
      ask({ floors, revisions, laneEvents, rollouts: [rollout(25)] }, refresh(5)).revision,
    ).toBe(10);
  });

  const epochs = { 1: '0', 2: '1*', 3: '1', 4: '0' } as const;
  const withEpochs = (order: readonly (keyof typeof epochs)[]): Partial<PolicyRows> => ({
    revisions: order.map((number) => revision(number, { epoch: parseEpoch(epochs[number]) })),
    laneEvents: log(order.map((number) => ({ revision: number, epoch: epochs[number] }))),
  });
  const at = (number: keyof typeof epochs) =>
    refresh(number, { installed: { revision: number, epoch: parseEpoch(epochs[number]) } });

  it('U23 epoch 0 → 1* → 1, one hop per poll, never 1 directly', () => {
    const over = withEpochs([1, 2, 3]);
    expect(ask(over, at(1)).revision).toBe(2);
    expect(ask(over, at(2)).revision).toBe(3);
    expect(ask(over, at(3)).outcome).toBe('STAY');
    expect(ask({ ...over, rollouts: [rollout(3)] }, at(1))).toMatchObject({
      revision: 2,
      codes: ['VIA_EPOCH', 'EPOCH_UNREADABLE', 'ROLLOUT_ADMITTED'],
    });
  });

  it('U23 without a stepping stone the device stays and says why', () => {
    expect(ask(withEpochs([1, 3]), at(1))).toMatchObject({
      outcome: 'STAY',
      revision: 1,
      codes: ['EPOCH_UNREADABLE', 'BASELINE'],
    });
  });

  it('U24 a late fix for epoch 0 reaches only devices there, and they go on from it', () => {
    const over = withEpochs([1, 2, 3, 4]);
    expect(ask(over, at(1)).revision).toBe(4);
    expect(ask(over, at(4)).revision).toBe(2);
    expect(ask(over, at(2)).revision).toBe(3);
    expect(ask(over, at(3)).outcome).toBe('STAY');
    expect(ask(over, install()).revision).toBe(3);
  });
});
