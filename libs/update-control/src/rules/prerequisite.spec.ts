import { describe, expect, it } from 'vitest';
import { ask, withRollout } from '../../testing/ask.js';
import { lane, log, refresh, snap } from '../../testing/world.js';
import type { PolicyRows } from '../policy/rows.js';

describe('rule 11, prerequisites', () => {
  const gadget = snap({ id: 'gadgetId', name: 'acme-gadget', type: 'gadget' });
  const over = (ifMissing: 'skip' | 'wait' = 'wait'): Partial<PolicyRows> => ({
    ...withRollout({
      requires: [{ snapId: 'gadgetId', channel: 'latest/stable', revision: 3, ifMissing }],
    }),
    snaps: [snap(), gadget],
    lanes: [lane(), lane('latest/stable', { snapId: 'gadgetId' })],
    laneEvents: [
      ...log([7, { kind: 'rollout', revision: 8 }]),
      ...log([3, 2], 'gadgetId latest/stable'),
    ],
  });
  const has = (number: number) => refresh(7, { context: { gadgetId: { revision: number } } });

  it('waits until the context shows the other snap at that place of its lane', () => {
    expect(ask(over(), has(1))).toMatchObject({ outcome: 'STAY', codes: ['WAITS_FOR'] });
    expect(ask(over(), has(1)).reasons[0]?.detail).toEqual({
      snap: 'acme-gadget',
      have: 1,
      need: 3,
    });
    expect(ask(over(), has(3)).revision).toBe(8);
    // 2 was released after 3 and is later in lane order.
    expect(ask(over(), has(2)).revision).toBe(8);
  });

  it('U27 on a device without that snap: wait or skip, explained', () => {
    expect(ask(over('wait'), refresh(7))).toMatchObject({ outcome: 'STAY', codes: ['WAITS_FOR'] });
    expect(ask(over('skip'), refresh(7))).toMatchObject({
      outcome: 'UPDATE',
      revision: 8,
      codes: ['ROLLOUT_ADMITTED', 'PREREQUISITE_SKIPPED'],
    });
  });
});
