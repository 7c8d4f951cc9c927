import { describe, expect, it } from 'vitest';
import { signUrl, verifySignedUrl } from './signed-url.js';

const signer = { baseUrl: 'https://store.example', secret: 'top' };
const until = new Date('2026-01-01T00:00:10Z');
const before = new Date('2026-01-01T00:00:09Z');

describe('a signed link', () => {
  const url = signUrl(signer, 'snaps/a_1.snap', until, 'a_1.snap');

  it('opens its blob until it expires', () => {
    expect(verifySignedUrl(url, 'top', before)).toEqual({
      ok: true,
      key: 'snaps/a_1.snap',
      fileName: 'a_1.snap',
    });
    expect(verifySignedUrl(url, 'top', until)).toEqual({ ok: false, reason: 'expired' });
  });

  it('works with or without a file name, given as path only', () => {
    const path = signUrl({ ...signer, baseUrl: '' }, 'k', until);
    expect(verifySignedUrl(path, 'top', before)).toEqual({ ok: true, key: 'k' });
  });

  it.each([
    ['another key', url.replace('a_1.snap?', 'b_1.snap?')],
    ['a later end', url.replace(/expires=\d+/, 'expires=9999999999')],
    ['another name', url.replace('name=a_1', 'name=b_1')],
    ['no signature', url.replace(/&signature=.*/, '')],
    [
      'a flipped bit',
      url.replace(/signature=(.)/, (_, c: string) => `signature=${c === 'A' ? 'B' : 'A'}`),
    ],
    ['another path', url.replace('/blobs/', '/other/')],
  ])('is refused with %s', (_, changed) => {
    expect(changed).not.toBe(url);
    expect(verifySignedUrl(changed, 'top', before)).toEqual({ ok: false, reason: 'bad-signature' });
  });

  it('is refused by another secret', () => {
    expect(verifySignedUrl(url, 'other', before).ok).toBe(false);
  });
});
