import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bucket, EVERYBODY, freezeThreshold } from './buckets.js';
import { activeMsAt, earliestAdmission, rampMsFor, thresholdAt } from './ramp.js';

const HOUR = 3_600_000;
const wave = { threshold: 1_000_000, prevThreshold: 200_000, rampMs: 10 * HOUR, activeMsAtOpen: 0 };
const running = { activeMs: 0, activeSince: 0, leaseUntil: 100 * HOUR };

describe('ramp', () => {
  it('grows in line with active time and ends at the wave', () => {
    const at = (hours: number) => thresholdAt(wave, running, hours * HOUR);
    expect([0, 5, 10, 20].map(at)).toEqual([200_000, 600_000, 1_000_000, 1_000_000]);
  });

  it('a wave without a ramp is admitted at once', () => {
    expect(
      thresholdAt({ ...wave, rampMs: 0 }, { activeMs: 0, activeSince: null, leaseUntil: null }, 0),
    ).toBe(1_000_000);
  });

  it('U44 admissions per hour follow the rate, a pause of 3 h adds 3 h, and nothing jumps at resume', () => {
    expect(rampMsFor(150, 50, 20)).toBe(5 * HOUR);
    // 20,000 devices, a quarter is in, another half follows at 2,000 an hour.
    const fleet = Array.from({ length: 20_000 }, (_, i) => bucket('0f'.repeat(16), `device-${i}`));
    const quarter = freezeThreshold(fleet, { percent: 25 });
    const most = freezeThreshold(fleet, { percent: 75 }, quarter.threshold);
    const ramp = {
      threshold: most.threshold,
      prevThreshold: quarter.threshold,
      rampMs: rampMsFor(most.k, quarter.k, 2_000),
      activeMsAtOpen: 0,
    };
    const admittedAt = (hours: number) =>
      fleet.filter((own) => own < thresholdAt(ramp, running, hours * HOUR)).length;
    for (const hour of [1, 2, 3, 4, 5]) {
      const perHour = admittedAt(hour) - admittedAt(hour - 1);
      expect(Math.abs(perHour - 2_000)).toBeLessThanOrEqual(100);
    }
    const before = thresholdAt(wave, running, 4 * HOUR);
    const paused = { activeMs: 4 * HOUR, activeSince: null, leaseUntil: null };
    expect(thresholdAt(wave, paused, 7 * HOUR)).toBe(before);
    const resumed = { activeMs: 4 * HOUR, activeSince: 7 * HOUR, leaseUntil: 100 * HOUR };
    expect(thresholdAt(wave, resumed, 7 * HOUR)).toBe(before);
    expect(thresholdAt(wave, resumed, 13 * HOUR - 1)).toBeLessThan(1_000_000);
    expect(thresholdAt(wave, resumed, 13 * HOUR)).toBe(1_000_000);
  });

  it('without the tick that renews the lease growth stops at its end, and goes on without a burst', () => {
    const leased = { ...running, leaseUntil: 3 * HOUR };
    expect(thresholdAt(wave, leased, 9 * HOUR)).toBe(thresholdAt(wave, running, 3 * HOUR));
    const back = {
      activeMs: activeMsAt(leased, 9 * HOUR),
      activeSince: 9 * HOUR,
      leaseUntil: 10 * HOUR,
    };
    expect(thresholdAt(wave, back, 9 * HOUR)).toBe(thresholdAt(wave, running, 3 * HOUR));
  });

  it('never falls in time, stays within the wave, and says when it will reach a bucket', () => {
    const arbitrary = fc.record({
      low: fc.integer({ min: 0, max: EVERYBODY - 1 }),
      high: fc.integer({ min: 0, max: EVERYBODY - 1 }),
      rampMs: fc.integer({ min: 1, max: 1000 * HOUR }),
      times: fc.tuple(fc.nat(2000 * HOUR), fc.nat(2000 * HOUR)),
      own: fc.integer({ min: 0, max: EVERYBODY - 1 }),
    });
    fc.assert(
      fc.property(arbitrary, ({ low, high, rampMs, times, own }) => {
        const some = {
          threshold: Math.max(low, high),
          prevThreshold: Math.min(low, high),
          rampMs,
          activeMsAtOpen: 0,
        };
        const clock = { activeMs: 0, activeSince: 0, leaseUntil: null };
        const [t1, t2] = [Math.min(...times), Math.max(...times)];
        const [a, b] = [thresholdAt(some, clock, t1), thresholdAt(some, clock, t2)];
        expect(some.prevThreshold <= a && a <= b && b <= some.threshold).toBe(true);
        const earliest = earliestAdmission(some, clock, own, t1);
        if (own >= some.threshold) expect(earliest).toBeNull();
        else if (earliest !== null && own >= a) {
          expect(own < thresholdAt(some, clock, earliest)).toBe(true);
          expect(own < thresholdAt(some, clock, earliest - 1)).toBe(false);
        }
      }),
    );
  });
});
