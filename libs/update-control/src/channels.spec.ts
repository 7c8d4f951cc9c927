import { describe, expect, it } from 'vitest';
import { channelText, fallbackChain, findChannel, parseChannel } from './channels.js';

describe('channels', () => {
  it.each([
    ['edge', 'latest/edge'],
    ['latest/stable', 'latest/stable'],
    ['2.0/stable', '2.0/stable'],
    ['stable/fix-42', 'latest/stable/fix-42'],
    ['2.0/stable/fix-42', '2.0/stable/fix-42'],
    ['22', '22/stable'],
    ['latest', 'latest/stable'],
    ['Stable', 'Stable/stable'],
    ['22/edge/branch', '22/edge/branch'],
  ])('reads %s as %s', (text, long) => {
    expect(channelText(parseChannel(text))).toBe(long);
  });

  it.each([
    '',
    'foo/bar',
    'a/b/c/d',
    'latest/',
    '/stable',
    'stable/',
    'edge/a_b',
    'edge/-x',
    'edge/x-',
    'edge/stable',
    'latest/edge/',
    'edge/stable/x',
    'a b/stable',
  ])('refuses %j', (text) => {
    expect(findChannel(text)).toBeNull();
    expect(() => parseChannel(text)).toThrow(/cannot read channel/);
  });

  it('fills in the default track where none is said', () => {
    expect(channelText(parseChannel('candidate', '22'))).toBe('22/candidate');
    expect(channelText(parseChannel('latest/candidate', '22'))).toBe('latest/candidate');
  });

  it('falls back from branch to risk to more stable risks, never to another track', () => {
    expect(fallbackChain(parseChannel('22/beta/fix'))).toEqual([
      '22/beta/fix',
      '22/beta',
      '22/candidate',
      '22/stable',
    ]);
    expect(fallbackChain(parseChannel('stable'))).toEqual(['latest/stable']);
  });
});
