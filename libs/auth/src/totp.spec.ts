import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { TOTP_SECRET_BYTES, formatTotpSecret, totpCode, totpUri, verifyTotp } from './totp.js';

const secret = formatTotpSecret(Buffer.from('12345678901234567890'));
const at = (seconds: number): Date => new Date(seconds * 1000);

describe('second factor', () => {
  it('writes secrets in base32', () => {
    expect(secret).toBe('GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ');
    expect(formatTotpSecret(randomBytes(TOTP_SECRET_BYTES))).toMatch(/^[A-Z2-7]{32}$/);
  });

  // RFC 6238 appendix B (SHA-1), last six of its eight digits.
  it.each([
    [59, '287082'],
    [1111111109, '081804'],
    [1111111111, '050471'],
    [1234567890, '005924'],
    [2000000000, '279037'],
    [20000000000, '353130'],
  ])('at %i s the code is %s', (seconds, code) => {
    expect(totpCode(secret, at(seconds))).toBe(code);
  });

  it('accepts one step on either side', () => {
    const code = totpCode(secret, at(1000));
    for (const seconds of [970, 1000, 1030])
      expect(verifyTotp(secret, code, at(seconds), null)).toBe(33);
    for (const seconds of [930, 1080])
      expect(verifyTotp(secret, code, at(seconds), null)).toBeNull();
    expect(verifyTotp(secret, `${code.slice(0, 3)} ${code.slice(3)}`, at(1000), null)).toBe(33);
  });

  it('takes no code twice', () => {
    const code = totpCode(secret, at(1000));
    expect(verifyTotp(secret, code, at(1000), 32)).toBe(33);
    expect(verifyTotp(secret, code, at(1000), 33)).toBeNull();
    expect(verifyTotp(secret, totpCode(secret, at(970)), at(1000), 33)).toBeNull();
  });

  it('refuses wrong, short and empty codes, and unreadable secrets', () => {
    for (const code of ['', '0', '12345', '1234567', 'abcdef']) {
      expect(verifyTotp(secret, code, at(1000), null)).toBeNull();
    }
    expect(() => totpCode('not base32!', at(0))).toThrow('cannot read the second-factor secret');
  });

  it('is handed to authenticator apps', () => {
    expect(totpUri('ACME Store', 'dev@acme.test', secret)).toBe(
      `otpauth://totp/ACME%20Store:dev%40acme.test?secret=${secret}&issuer=ACME%20Store`,
    );
  });
});
