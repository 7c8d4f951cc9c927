import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  assertGrowing,
  assertSalt,
  bucket,
  EVERYBODY,
  freezeThreshold,
  shareThreshold,
  waveCount,
} from './buckets.js';

const SALT = '00112233445566778899aabbccddeeff';
const salt = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .map((bytes) => Buffer.from(bytes).toString('hex'));
const uids = (count: number) =>
  Array.from({ length: count }, (_, i) => `00000000-0000-4000-8000-${String(i).padStart(12, '0')}`);

describe('bucket', () => {
  it.each([
    [SALT, '9b2f0c52-8a0e-4f0e-9c0e-0d2b5c6a7f10', 2894620512210394],
    [SALT, '00000000-0000-4000-8000-000000000001', 5617287291896337],
    ['ffeeddccbbaa99887766554433221100', '9b2f0c52-8a0e-4f0e-9c0e-0d2b5c6a7f10', 1132221529540816],
  ])('U11 vector %s %s', (saltHex, uid, expected) => {
    expect(bucket(saltHex, uid)).toBe(expected);
  });

  it('is an integer in [0, 2^53) for any device', () => {
    fc.assert(
      fc.property(salt, fc.string(), (saltHex, uid) => {
        const own = bucket(saltHex, uid);
        expect(Number.isSafeInteger(own) && own >= 0 && own < EVERYBODY).toBe(true);
      }),
    );
  });

  it('U41 two rollouts take independent first 5 % of 100,000 devices', () => {
    const threshold = shareThreshold(5);
    const all = uids(100_000);
    const both = all.filter(
      (uid) =>
        bucket(SALT, uid) < threshold &&
        bucket('ffeeddccbbaa99887766554433221100', uid) < threshold,
    ).length;
    const sigma = Math.sqrt(100_000 * 0.0025 * 0.9975);
    expect(Math.abs(both - 250)).toBeLessThan(4 * sigma);
  });

  it('refuses a salt that is not 16 bytes', () => {
    expect(() => assertSalt('abc')).toThrow(/cannot use salt/);
    expect(() => assertSalt(SALT)).not.toThrow();
  });
});

describe('thresholds', () => {
  const sizes = [1, 5, 50].flatMap((percent) =>
    [1, 2, 5, 20, 99, 100, 1000].map((population) => ({ percent, population })),
  );

  it.each(sizes)('U40 $percent % of $population devices is exact', ({ percent, population }) => {
    const buckets = uids(population).map((uid) => bucket(SALT, uid));
    const frozen = freezeThreshold(buckets, { percent, minCount: 2 });
    const k = Math.min(population, Math.max(2, Math.ceil((population * percent) / 100)));
    expect(frozen).toEqual({ population, k, threshold: frozen.threshold });
    expect(buckets.filter((own) => own < frozen.threshold)).toHaveLength(k);
  });

  it('a count is a count, and never more than there are', () => {
    expect(waveCount({ count: 7 }, 100)).toBe(7);
    expect(waveCount({ count: 7 }, 3)).toBe(3);
    expect(waveCount({ percent: 0.000001 }, 1_000_000)).toBe(1);
  });

  it('a hundred per cent is everybody, also who was never seen; nobody of an empty fleet is known', () => {
    expect(freezeThreshold([1, 2, 3], { percent: 100 }).threshold).toBe(EVERYBODY);
    expect(freezeThreshold([], { percent: 100 })).toEqual({
      population: 0,
      k: 0,
      threshold: EVERYBODY,
    });
    expect(freezeThreshold([], { percent: 5, minCount: 5 })).toEqual({
      population: 0,
      k: 0,
      threshold: 0,
    });
  });

  it('U42 of newcomers after the freeze about the same share is admitted, at 100 % all', () => {
    const all = uids(40_000).map((uid) => bucket(SALT, uid));
    const { threshold } = freezeThreshold(all.slice(0, 20_000), { percent: 5 });
    const admitted = all.slice(20_000).filter((own) => own < threshold).length;
    // Both the threshold and the newcomers vary: twice the variance of one sample.
    expect(Math.abs(admitted - 1000)).toBeLessThan(4 * Math.sqrt(2 * 20_000 * 0.05 * 0.95));
    const whole = freezeThreshold(all.slice(0, 50), { percent: 100 }).threshold;
    expect(all.slice(50).filter((own) => own >= whole)).toEqual([]);
    expect(Math.max(...all.slice(0, 50))).toBeLessThan(Math.max(...all.slice(50)));
  });

  it('a salt decides who the first k are', () => {
    const first = (saltHex: string) => {
      const members = uids(200).map((uid) => ({ uid, own: bucket(saltHex, uid) }));
      const { threshold } = freezeThreshold(
        members.map((m) => m.own),
        { count: 10 },
      );
      return members.filter((m) => m.own < threshold).map((m) => m.uid);
    };
    expect(first(SALT)).toEqual(first(SALT));
    expect(first(SALT)).not.toEqual(first('ffeeddccbbaa99887766554433221100'));
  });

  it('U38 no device ever leaves a rollout, whatever the fleet and the sizes do between waves', () => {
    const waves = fc.array(
      fc.tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 1, max: 100 })),
      { maxLength: 6 },
    );
    fc.assert(
      fc.property(salt, waves, (saltHex, plan) => {
        const all = uids(60).map((uid) => bucket(saltHex, uid));
        let threshold = 0;
        let admitted: number[] = [];
        for (const [members, percent] of plan) {
          threshold = freezeThreshold(all.slice(0, members), { percent }, threshold).threshold;
          const now = all.filter((own) => own < threshold);
          expect(now).toEqual(expect.arrayContaining(admitted));
          admitted = now;
        }
      }),
    );
  });

  it('U39 lowering is refused with the way out', () => {
    expect(() => assertGrowing(500, 499)).toThrow(
      /abort the rollout and start a new one, with inheritSaltFrom/,
    );
    expect(() => assertGrowing(500, 500)).not.toThrow();
  });

  it('shares are exact at the ends and refused outside', () => {
    expect(shareThreshold(0)).toBe(0);
    expect(shareThreshold(50)).toBe(2 ** 52);
    expect(shareThreshold(100)).toBe(EVERYBODY);
    for (const bad of [-1, 100.5, Number.NaN])
      expect(() => shareThreshold(bad)).toThrow(/cannot use a share/);
  });
});
