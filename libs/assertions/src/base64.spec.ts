import { describe, expect, it } from 'vitest';
import { base64UrlLength, decodeBase64Lines, encodeBase64Lines } from './base64.js';
import { AssertionError } from './error.js';

describe('base64 in lines', () => {
  it('has lines of 76 characters and no newline at the end', () => {
    for (const length of [1, 2, 3, 56, 57, 58, 114, 529, 534]) {
      const bytes = Buffer.alloc(length, 0xa7);
      const text = encodeBase64Lines(bytes);
      expect(
        text
          .split('\n')
          .every((line, index, lines) => line.length === 76 || index === lines.length - 1),
      ).toBe(true);
      expect(text.endsWith('\n')).toBe(false);
      expect(decodeBase64Lines(text, 'text').equals(bytes)).toBe(true);
    }
  });

  it.each(['AA==', 'A\nA=\n=\n', '\nAAA=', 'AAAA\n', ''])(
    'reads %j, wherever its lines end',
    (text) => {
      expect(decodeBase64Lines(text, 'text').equals(Buffer.from(text, 'base64'))).toBe(true);
    },
  );

  it.each([
    'A',
    'AA',
    'AAA',
    'AA=',
    'AB==',
    'AAB=',
    'A A=',
    'AA\r\n==',
    '_-A=',
    'AA==AAAA',
    '=',
    '====',
    'AAAA=',
    'Ä123',
    'AA.A',
  ])('refuses %j', (text) => {
    expect(() => decodeBase64Lines(text, 'text')).toThrow(AssertionError);
  });
});

it('tells the length of base64url text without padding', () => {
  expect(base64UrlLength('A'.repeat(64))).toBe(48);
  expect(base64UrlLength('_-')).toBe(1);
  for (const text of ['A', 'AA==', 'A+', 'A A']) expect(base64UrlLength(text)).toBeNull();
});
