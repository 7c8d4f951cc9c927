import { describe, expect, it } from 'vitest';
import {
  SESSION_HARD_MS,
  SESSION_SOFT_MS,
  mintDeviceSession,
  readDeviceSession,
} from './device-session.js';

const identity = {
  deviceUid: '0199d0c0-0000-7000-8000-000000000001',
  brandId: 'AcmeAccountId000000000000000000',
  model: 'acme-gw',
  serial: 'GW "771", größer',
  storeId: '',
  deviceKeyId: 'k'.repeat(64),
};
const now = new Date('2026-11-21T10:00:00.123Z');
const after = (ms: number): Date => new Date(now.getTime() + ms);
const [older, newer] = ['2026-10', '2026-11'].map((id, at) => ({
  id,
  secret: Buffer.alloc(32, at),
}));
if (older === undefined || newer === undefined) throw new Error('two keys');
const token = mintDeviceSession(identity, older, now);

describe('device sessions', () => {
  it('carry their claims in text that a quoted header value may hold', () => {
    expect(token).toMatch(/^[A-Za-z0-9._-]+$/);
    expect(readDeviceSession(`Macaroon root="${token}"`, [older], now)).toEqual({
      state: 'valid',
      wantsRenewal: false,
      session: {
        ...identity,
        issuedAt: now,
        softExpiresAt: after(SESSION_SOFT_MS),
        hardExpiresAt: after(SESSION_HARD_MS),
      },
    });
  });

  it('ask for renewal after 24 h and end after 7 days', () => {
    const read = (ms: number) => readDeviceSession(token, [older], after(ms));
    expect(read(86_400_000 - 1)).toMatchObject({ state: 'valid', wantsRenewal: false });
    expect(read(86_400_000)).toMatchObject({ state: 'valid', wantsRenewal: true });
    expect(read(7 * 86_400_000 - 1)).toMatchObject({ state: 'valid', wantsRenewal: true });
    expect(read(7 * 86_400_000)).toMatchObject({ state: 'expired', session: identity });
  });

  it('survive a rotation of keys until the former key is taken away', () => {
    expect(readDeviceSession(token, [newer, older], now).state).toBe('valid');
    expect(readDeviceSession(token, [newer], now)).toEqual({
      state: 'invalid',
      reason: 'unknown-key',
    });
    const sameName = { id: older.id, secret: newer.secret };
    expect(readDeviceSession(token, [sameName], now)).toEqual({
      state: 'invalid',
      reason: 'bad-signature',
    });
  });

  it('are refused with any character changed', () => {
    for (let at = 0; at < token.length; at += 1) {
      const other = token[at] === 'A' ? 'B' : 'A';
      const changed = token.slice(0, at) + other + token.slice(at + 1);
      if (changed !== token) expect(readDeviceSession(changed, [older], now).state).toBe('invalid');
    }
  });

  it('have one spelling: unused bits of the last character count', () => {
    const [last = ''] = token.slice(-1);
    const next = String.fromCharCode(last.charCodeAt(0) + 1);
    expect(readDeviceSession(token.slice(0, -1) + next, [older], now).state).toBe('invalid');
  });

  it.each(['Macaroon root="MDAxZGxvY2F0aW9u"', 'Macaroon root=""', 'Bearer x', '', 'ds1.x.y'])(
    '%j is malformed, as a foreign store’s macaroon is',
    (header) => {
      expect(readDeviceSession(header, [older], now)).toEqual({
        state: 'invalid',
        reason: 'malformed',
      });
    },
  );
});
