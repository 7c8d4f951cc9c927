import { describe, expect, it } from 'vitest';
import { oneYearAfter, parseTime } from './time.js';

describe('times', () => {
  it.each([
    '2024-02-29T23:59:59Z',
    '2000-02-29T00:00:00Z',
    '1969-12-31T23:59:59Z',
    '0001-01-01T00:00:00Z',
    '9999-12-31T23:59:59.999Z',
    '2024-03-01T10:00:00+05:30',
    '2024-03-01T10:00:00.25-11:00',
  ])('%s is the instant that JavaScript reads', (text) => {
    expect(parseTime(text)).toBe(BigInt(Date.parse(text)) * 1_000_000n);
  });

  it('keep nanoseconds and drop what is finer', () => {
    expect(parseTime('1970-01-01T00:00:00.123456789999Z')).toBe(123456789n);
  });

  it.each([
    '',
    'now',
    '2024-02-30T00:00:00Z',
    '2023-02-29T00:00:00Z',
    '1900-02-29T00:00:00Z',
    '2024-13-01T00:00:00Z',
    '2024-00-01T00:00:00Z',
    '2024-01-00T00:00:00Z',
    '2024-01-01T24:00:00Z',
    '2024-01-01T00:60:00Z',
    '2024-01-01T00:00:60Z',
    '2024-01-01t00:00:00Z',
    '2024-01-01T00:00:00z',
    '2024-01-01 00:00:00Z',
    '2024-01-01T0:00:00Z',
    '2024-01-01T00:00:00,5Z',
    '2024-01-01T00:00:00.Z',
    '2024-01-01T00:00:00',
    '2024-01-01T00:00:00+0530',
    '2024-01-01T00:00:00+24:00',
    '2024-01-01T00:00:00+05:60',
    'x024-01-01T00:00:00Z',
    '2024-01-01T00:00:00ZZ',
    '2024-01-01T00:00:00+5:30',
    '-024-01-01T00:00:00Z',
    '2024-01-01T00:00:00.5+05x30',
    '12024-01-01T00:00:00Z',
  ])('%s is none', (text) => {
    expect(parseTime(text)).toBeNull();
  });

  it('a year later is the same day, but for 29 February', () => {
    const at = (text: string): bigint => parseTime(text) ?? 0n;
    expect(oneYearAfter(at('2023-03-01T01:02:03.000000004Z'))).toBe(
      at('2024-03-01T01:02:03.000000004Z'),
    );
    expect(oneYearAfter(at('2024-02-29T00:00:00Z'))).toBe(at('2025-03-01T00:00:00Z'));
  });
});
