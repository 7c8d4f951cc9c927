import { describe, expect, it } from 'vitest';
import { parseAuthorization } from './authorization.js';

const pair = { kind: 'macaroons', root: 'AAA_-', discharges: ['BBB'] };
const token = (text: string, scheme = 'macaroon') => ({ kind: 'token', scheme, token: text });

describe('authorization headers', () => {
  // publisher-api.md 2.5, and device-api.md 2.18 for the last two.
  it.each([
    ['Macaroon root=AAA_-, discharge=BBB', pair],
    ['macaroon root=AAA_-,discharge=BBB', pair],
    ['Macaroon root="AAA_-", discharge="BBB"', pair],
    ['  MACAROON   root="AAA_-" ,  discharge="BBB"  ', pair],
    ['Macaroon discharge="BBB", root="AAA_-"', pair],
    ['Macaroon root="r"', { kind: 'macaroons', root: 'r', discharges: [] }],
    [
      'Macaroon root=r, discharge=a, discharge=b',
      { kind: 'macaroons', root: 'r', discharges: ['a', 'b'] },
    ],
    ['macaroon acme_pub_8f3c', token('acme_pub_8f3c')],
    ['Macaroon MDAxZGxv==', token('MDAxZGxv==')],
    ['Bearer bst_00_x', token('bst_00_x', 'bearer')],
    ['bearer root=odd', token('root=odd', 'bearer')],
  ])('%s', (header, expected) => {
    expect(parseAuthorization(header)).toEqual(expected);
  });

  it.each([
    '',
    'Macaroon',
    'Basic dXNlcjpwYXNz',
    'Macaroon root=',
    'Macaroon root="r", root="s"',
    'Macaroon root="r", other="s"',
    'Macaroon root="r',
    'Macaroon two words',
    'Bearer "quoted"',
  ])('%j is none of the forms', (header) => {
    expect(parseAuthorization(header)).toBeNull();
  });

  it('takes no longer on a header full of blanks', () => {
    const started = performance.now();
    expect(parseAuthorization(`Macaroon a${' '.repeat(200_000)}b`)).toBeNull();
    expect(performance.now() - started).toBeLessThan(500);
  });
});
