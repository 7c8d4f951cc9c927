import { describe, expect, it } from 'vitest';
import { isInRanges, plainAddress, RateLimiter } from './rate-limiter.js';

const settings = { perSecond: 2, perMinute: 5, exempt: ['10.0.0.0/8'] };
const codeOf = (work: () => void): string => {
  try {
    work();
    return 'served';
  } catch (error) {
    return (error as { code: string }).code;
  }
};

describe('RateLimiter', () => {
  it('serves as many per second and per minute as the settings say', () => {
    const limiter = new RateLimiter(settings);
    const at = (ms: number): string => codeOf(() => limiter.check('a', '192.0.2.1', ms));
    expect([at(0), at(0), at(0)]).toEqual(['served', 'served', 'busy']);
    expect([at(1000), at(1000), at(1000)]).toEqual(['served', 'served', 'busy']);
    // Five in the first minute, and what trickled in since.
    expect([at(2000), at(2000)]).toEqual(['served', 'busy']);
    expect([at(62_000), at(62_000)]).toEqual(['served', 'served']);
  });

  it('keeps sources apart and leaves exempt addresses alone', () => {
    const limiter = new RateLimiter({ ...settings, perSecond: 1 });
    expect(codeOf(() => limiter.check('a', '192.0.2.1', 0))).toBe('served');
    expect(codeOf(() => limiter.check('a', '192.0.2.1', 0))).toBe('busy');
    expect(codeOf(() => limiter.check('b', '192.0.2.2', 0))).toBe('served');
    for (let index = 0; index < 50; index++)
      expect(codeOf(() => limiter.check('c', '10.1.2.3', 0))).toBe('served');
  });

  it('V94 blocks an address for ten minutes after twenty wrong keys within ten minutes', () => {
    const limiter = new RateLimiter(settings);
    const minute = 60_000;
    const check = (ms: number): string => codeOf(() => limiter.check('a', '192.0.2.1', ms));
    for (let index = 0; index < 19; index++) limiter.countWrongKey('192.0.2.1', index * 1000);
    expect(check(20_000)).toBe('served');
    limiter.countWrongKey('192.0.2.1', 20_000);
    expect(check(21_000)).toBe('blocked-address');
    expect(codeOf(() => limiter.check('b', '192.0.2.9', 21_000))).toBe('served');
    expect(check(20_000 + 10 * minute)).toBe('blocked-address');
    expect(check(21_000 + 10 * minute)).toBe('served');
    // A few wrong keys a day are a slip, not an attack.
    for (let index = 0; index < 40; index++)
      limiter.countWrongKey('192.0.2.7', index * 11 * minute);
    expect(codeOf(() => limiter.check('d', '192.0.2.7', 440 * minute))).toBe('served');
  });
});

it('knows addresses of both families, alone and in ranges', () => {
  expect(isInRanges('192.0.2.77', ['192.0.2.0/26'])).toBe(false);
  expect(isInRanges('192.0.2.7', ['198.51.100.1', '192.0.2.0/26'])).toBe(true);
  expect(isInRanges('2001:db8::5', ['192.0.2.0/26', '2001:db8::/32'])).toBe(true);
  expect(isInRanges('not an address', ['0.0.0.0/0'])).toBe(false);
  expect([plainAddress('::ffff:192.0.2.1'), plainAddress('2001:db8::1')]).toEqual([
    '192.0.2.1',
    '2001:db8::1',
  ]);
});
