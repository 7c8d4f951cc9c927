import { describe, expect, it } from 'vitest';
import { ask, withRollout } from '../../testing/ask.js';
import { install, refresh } from '../../testing/world.js';

describe('rule 16, load shed', () => {
  const isShed = true;

  it('keeps what could wait, never an install or a critical rollout', () => {
    expect(ask({}, refresh(6, { isShed }))).toMatchObject({
      outcome: 'STAY',
      revision: 6,
      codes: ['SHED'],
    });
    expect(ask({}, install({ isShed })).revision).toBe(7);
    expect(ask(withRollout({ isCritical: true }), refresh(6, { isShed })).revision).toBe(8);
    expect(ask({}, refresh(7, { isShed })).codes).toEqual(['UP_TO_DATE', 'BASELINE']);
  });
});
