import { describe, expect, it } from 'vitest';
import { canRead, epochLevel, epochText, parseEpoch } from './epochs.js';

describe('epochs', () => {
  it.each([
    [undefined, { read: [0], write: [0] }],
    [null, { read: [0], write: [0] }],
    ['0', { read: [0], write: [0] }],
    [1, { read: [1], write: [1] }],
    ['1*', { read: [0, 1], write: [1] }],
    [
      { read: [1, 2], write: [2] },
      { read: [1, 2], write: [2] },
    ],
    [{ read: [3] }, { read: [3], write: [3] }],
    [{ write: [3] }, { read: [3], write: [3] }],
  ])('reads %j', (given, epoch) => {
    expect(parseEpoch(given)).toEqual(epoch);
  });

  it.each([
    '0*',
    '-1',
    '01',
    '1.5',
    'x',
    true,
    { read: [] },
    { read: [2, 1] },
    { read: [0], write: [1] },
    { read: ['0'] },
  ])('refuses %j', (given) => {
    expect(() => parseEpoch(given)).toThrow(/cannot read epoch/);
  });

  it.each([
    ['1*', '0', true],
    ['1', '1*', true],
    ['1', '0', false],
    ['0', '1', false],
    ['2*', '0', false],
  ])('epoch %s reads data of %s: %s', (candidate, installed, reads) => {
    expect(canRead(parseEpoch(candidate), parseEpoch(installed))).toBe(reads);
  });

  it('writes the short form back', () => {
    for (const text of ['0', '1', '1*', '7*']) expect(epochText(parseEpoch(text))).toBe(text);
    expect(epochText({ read: [0, 2], write: [1, 2] })).toBe('0,2/1,2');
    expect(epochLevel(parseEpoch('7*'))).toBe(7);
  });
});
