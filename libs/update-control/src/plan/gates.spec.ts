import { describe, expect, it } from 'vitest';
import type { HealthGate, WaveCounts } from './gates.js';
import { evaluateHealth, evaluateWave, excessDark } from './gates.js';
import { DEFAULT_HEALTH } from './plan.js';

const none: WaveCounts = {
  seen: 0,
  deferred: 0,
  excluded: 0,
  confirmed: 0,
  installed: 0,
  failed: 0,
  reverted: 0,
  looping: 0,
  excessDark: 0,
};
const counts = (over: Partial<WaveCounts>): WaveCounts => ({ ...none, ...over });
const clock = { k: 1000, isSoaked: true, isPastDeadline: false };
const verdict = (
  over: Partial<WaveCounts>,
  gate: Partial<HealthGate> = {},
  when: Partial<typeof clock> = {},
) => evaluateHealth({ ...DEFAULT_HEALTH, ...gate }, counts(over), { ...clock, ...when }).verdict;

describe('health gate', () => {
  it('passes with sample, success, coverage and soak, and waits while one is missing', () => {
    const good = { seen: 200, confirmed: 160 };
    expect(verdict(good)).toBe('PASS');
    expect(verdict(good, {}, { isSoaked: false })).toBe('OPEN');
    expect(verdict({ seen: 300, confirmed: 160 })).toBe('OPEN');
    expect(verdict({ seen: 149, confirmed: 149 })).toBe('OPEN');
    expect(verdict({ seen: 300, confirmed: 160, deferred: 50 })).toBe('PASS');
    expect(verdict({ seen: 300, confirmed: 160, excluded: 50 })).toBe('PASS');
    expect(
      verdict(
        { seen: 160, confirmed: 150, deferred: 5, excluded: 5 },
        {},
        { isPastDeadline: true },
      ),
    ).toBe('PASS');
  });

  it('a wave smaller than the sample is judged on what it has, without waiting for each device', () => {
    expect(verdict({ seen: 5, confirmed: 5 }, {}, { k: 5 })).toBe('PASS');
    expect(verdict({ seen: 4, confirmed: 3 }, {}, { k: 5 })).toBe('PASS');
    expect(verdict({ seen: 2, confirmed: 2 }, {}, { k: 5 })).toBe('OPEN');
    // Those that are held are not waited for; somebody must have said something all the same.
    expect(verdict({ seen: 5, deferred: 3, confirmed: 2 }, {}, { k: 5 })).toBe('PASS');
    expect(verdict({ seen: 5, deferred: 5 }, {}, { k: 5 })).toBe('OPEN');
  });

  it('failures are known before successes: in a large wave they are measured by all that have tried', () => {
    expect(verdict({ seen: 900, failed: 9, installed: 800 })).toBe('OPEN');
    expect(verdict({ seen: 900, failed: 17, installed: 800 })).toBe('FAIL');
    expect(verdict({ seen: 900, failed: 9 })).toBe('FAIL');
  });

  it('U77 five of five canaries fail by the absolute count, before the sample is there', () => {
    expect(verdict({ seen: 5, failed: 5 }, { minSample: 20, failAbs: 2 }, { k: 100 })).toBe('FAIL');
    // Two in 149 are less than 2 %: before the sample is there the count alone decides.
    expect(verdict({ seen: 149, confirmed: 147, failed: 2 }, { failAbs: 2 })).toBe('FAIL');
    expect(verdict({ seen: 5, reverted: 1 }, { minSample: 20, failAbs: 2 }, { k: 100 })).toBe(
      'OPEN',
    );
  });

  it('a wave that asks for no sample passes by time, and fails by failures', () => {
    const timed = { minSample: 0, coveragePpm: 0 };
    expect(verdict({}, timed)).toBe('PASS');
    expect(verdict({}, timed, { isSoaked: false })).toBe('OPEN');
    expect(verdict({ seen: 2, failed: 2 }, timed)).toBe('FAIL');
  });

  it('nobody polled until the deadline: inconclusive, never passed', () => {
    expect(verdict({}, {}, { isPastDeadline: true })).toBe('INCONCLUSIVE');
    expect(verdict({})).toBe('OPEN');
    expect(verdict({}, {}, { k: 0, isPastDeadline: true })).toBe('INCONCLUSIVE');
  });

  it('U79 a regional outage in both groups is no failure, admitted ones alone are', () => {
    const dark = { count: 30, total: 100 };
    expect(excessDark(dark, { count: 300, total: 1000 })).toBe(0);
    expect(excessDark(dark, { count: 0, total: 1000 })).toBe(30);
    expect(excessDark(dark, { count: 0, total: 0 })).toBe(0);
    // Three of 50 where one of 50 is to be expected is what chance does; eight are not.
    expect(excessDark({ count: 3, total: 50 }, { count: 20, total: 1000 })).toBe(0);
    expect(excessDark({ count: 8, total: 50 }, { count: 20, total: 1000 })).toBe(5);
    const wave = (count: number) => ({
      seen: 100,
      confirmed: 70,
      excessDark: excessDark(dark, { count, total: 1000 }),
    });
    expect(verdict(wave(300), { minSample: 50 })).toBe('PASS');
    expect(verdict(wave(0), { minSample: 50 })).toBe('FAIL');
  });

  it('U80 one architecture’s failure is the wave’s', () => {
    const all = counts({ seen: 1000, confirmed: 990, failed: 10 });
    const byArchitecture = {
      amd64: counts({ seen: 990, confirmed: 990 }),
      arm64: counts({ seen: 10, failed: 10 }),
    };
    expect(evaluateWave(DEFAULT_HEALTH, all, {}, clock).verdict).toBe('PASS');
    expect(evaluateWave(DEFAULT_HEALTH, all, byArchitecture, clock)).toMatchObject({
      verdict: 'FAIL',
      architecture: 'arm64',
    });
    // 5 % of the fleet, all of it failing.
    const twentieth = {
      amd64: counts({ seen: 950, confirmed: 950 }),
      arm64: counts({ seen: 50, failed: 50 }),
    };
    const fleet = counts({ seen: 1000, confirmed: 950, failed: 50 });
    expect(
      evaluateWave({ ...DEFAULT_HEALTH, failPpm: 60_000 }, fleet, twentieth, clock),
    ).toMatchObject({ verdict: 'FAIL', architecture: 'arm64' });
  });

  it('waits for an architecture that is silent, if it is there in number, though the others are well', () => {
    const fleet = counts({ seen: 1000, confirmed: 800 });
    const judged = (arm64: Partial<WaveCounts>, when: Partial<typeof clock> = {}) =>
      evaluateWave(
        DEFAULT_HEALTH,
        fleet,
        { amd64: counts({ seen: 800, confirmed: 800 }), arm64: counts(arm64) },
        { ...clock, ...when },
      );
    const waits = { cause: 'coverage', architecture: 'arm64' };
    expect(judged({ seen: 200 })).toMatchObject({ verdict: 'OPEN', ...waits });
    expect(judged({ seen: 200, confirmed: 119 })).toMatchObject({ verdict: 'OPEN', ...waits });
    expect(judged({ seen: 200, confirmed: 120 })).toMatchObject({ verdict: 'PASS' });
    expect(judged({ seen: 200, confirmed: 60, deferred: 80, excluded: 20 }).verdict).toBe('PASS');
    // Nineteen may be one household.
    expect(judged({ seen: 19 }).verdict).toBe('PASS');
    expect(judged({ seen: 20 }).verdict).toBe('OPEN');
    expect(judged({ seen: 20 }, { isPastDeadline: true })).toMatchObject({
      verdict: 'INCONCLUSIVE',
      ...waits,
    });
  });

  it('U85 a share of exactly failPpm is no failure, one device more is', () => {
    expect(verdict({ seen: 1000, confirmed: 980, failed: 20 })).toBe('PASS');
    expect(verdict({ seen: 1000, confirmed: 979, failed: 21 })).toBe('FAIL');
  });
});
