import { describe, expect, it } from 'vitest';
import { ask, withRollout } from '../../testing/ask.js';
import { install, log, pin, refresh } from '../../testing/world.js';

describe('a policy that may be outdated', () => {
  const isStale = true;
  const explicit = { revision: 8, isOnlyAction: true };

  it('keeps every update back, whatever rule wants it, and critical ones too', () => {
    expect(ask({}, refresh(6, { isStale }))).toMatchObject({
      outcome: 'STAY',
      revision: 6,
      codes: ['POLICY_STALE', 'BASELINE'],
    });
    for (const [over, request] of [
      [withRollout({ isCritical: true }), refresh(6, { isStale })],
      [{ pins: [pin(7)] }, refresh(6, { isStale })],
      [{ laneEvents: log([7, 8]) }, refresh(6, { isStale, ...explicit })],
      [{}, refresh(6, { isStale, requiredRevision: 7 })],
    ] as const) {
      expect(ask(over, { ...request, isStale: false }).outcome).toBe('UPDATE');
      expect(ask(over, request)).toMatchObject({ outcome: 'STAY', revision: 6 });
      expect(ask(over, request).codes[0]).toBe('POLICY_STALE');
    }
  });

  it('says nothing where nothing would move, and serves installs from the baseline', () => {
    expect(ask({}, refresh(7, { isStale })).codes[0]).toBe('UP_TO_DATE');
    expect(ask({}, install({ isStale })).revision).toBe(7);
    const open = withRollout({ includeInstalls: true });
    expect(ask(open, install()).revision).toBe(8);
    expect(ask(open, install({ isStale })).revision).toBe(7);
  });
});
