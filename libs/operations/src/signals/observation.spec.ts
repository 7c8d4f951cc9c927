import { expect, it } from 'vitest';
import { climb, firstOffer, type Evidence } from '#libs/update-control';
import { takeIn, type Known, type Observation } from './observation.js';

const HOUR = 3_600_000;
const SNAP = { instanceKey: 'dashboard', snapId: 'dashboardId' };
const PLACE = { ...SNAP, rolloutId: 'rollout', revision: 4 };
const heard = (at: number, evidence: Evidence): Observation => ({
  ...{ ...SNAP, deviceUid: 'device', brandId: 'brand', at },
  about: { rolloutId: PLACE.rolloutId, revision: PLACE.revision, evidence, soakMs: 0 },
});
const attemptedAt = (at: number): Known['place'] => {
  const moment = { at, soakMs: 0 };
  return { ...PLACE, state: climb(firstOffer(at), { kind: 'attempt' }, moment) };
};
const BEHIND: Evidence = { kind: 'behind', revision: 3, isScheduled: true, isHeld: false };

it('an attempt that came to nothing counts as failed', () => {
  const { place, memory } = takeIn({ place: attemptedAt(0), memory: {} }, heard(HOUR, BEHIND));
  expect([place?.state.step, memory.failedAttempts]).toEqual(['FAILED', { 4: 1 }]);
});

it('what was heard before a device was reset, and is written after that, says nothing of it any more', () => {
  const attempted = attemptedAt(0);
  if (!attempted) throw new Error('cannot attempt');
  const left = { ...attempted, state: { ...attempted.state, step: 'LEFT', stepAt: HOUR } } as const;
  const known = { place: left, memory: {} };
  for (const evidence of [BEHIND, { kind: 'offered', isHeld: false } as const])
    expect(takeIn(known, heard(HOUR - 1, evidence))).toBe(known);
  const again = takeIn(known, heard(HOUR, { kind: 'offered', isHeld: false }));
  expect(again.place?.state.step).toBe('OFFERED');
});
