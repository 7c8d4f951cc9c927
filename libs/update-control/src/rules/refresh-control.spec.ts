import { describe, expect, it } from 'vitest';
import { ask } from '../../testing/ask.js';
import { refresh, snap, SNAP } from '../../testing/world.js';
import type { PolicyRows } from '../policy/rows.js';

describe('rule 12, refresh-control', () => {
  const gating = snap({ id: 'gateId', name: 'acme-gate', refreshControl: [SNAP] });
  const over: Partial<PolicyRows> = { snaps: [snap(), gating] };
  const context = { gateId: { revision: 1 } };

  it('U28 a missing validation is predicted and named', () => {
    const answer = ask(over, refresh(6, { context }));
    expect(answer).toMatchObject({ outcome: 'STAY', revision: 6, codes: ['NOT_VALIDATED_BY'] });
    expect(answer.reasons[0]?.detail).toEqual({ gating: 'acme-gate', revision: 7 });
  });

  it('does not bite with the validation, without the gating snap, or when the device ignores it', () => {
    const validations = [{ gatingSnapId: 'gateId', snapId: SNAP, revision: 7 }];
    expect(ask({ ...over, validations }, refresh(6, { context })).revision).toBe(7);
    expect(ask(over, refresh(6)).revision).toBe(7);
    expect(ask(over, refresh(6, { context, ignoreValidation: true })).revision).toBe(7);
  });
});
