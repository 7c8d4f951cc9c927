import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { formatApiKey, readApiKey } from './api-key.js';
import { AuthError } from './auth-error.js';
import { formatId, formatNonce, hashNonce } from './random-text.js';
import { TOKEN_RANDOM_BYTES, formatToken, isSameHash, parseToken } from './secret-token.js';

describe('tokens', () => {
  it.each(['session', 'token'] as const)(
    'of kind %s are found by lookup and known by hash',
    (kind) => {
      const made = formatToken(kind, randomBytes(TOKEN_RANDOM_BYTES));
      const read = parseToken(made.text);
      expect(read).toEqual({ kind, lookup: made.lookup, hash: made.hash });
      expect(isSameHash(read?.hash ?? '', made.hash)).toBe(true);
      expect(made.hash).not.toContain(made.text.slice(-43));
    },
  );

  it('differ in hash when the secret differs', () => {
    const made = formatToken('token', randomBytes(TOKEN_RANDOM_BYTES));
    const forged = formatToken('token', randomBytes(TOKEN_RANDOM_BYTES));
    const crossed = made.text.slice(0, -43) + forged.text.slice(-43);
    expect(parseToken(crossed)).toMatchObject({ lookup: made.lookup });
    expect(isSameHash(parseToken(crossed)?.hash ?? '', made.hash)).toBe(false);
  });

  it('of other forms are none of ours', () => {
    const { text } = formatToken('token', randomBytes(TOKEN_RANDOM_BYTES));
    for (const other of ['', 'abc', text.slice(1), `${text}=`, text.toUpperCase(), `${text}\n`]) {
      expect(parseToken(other)).toBeNull();
    }
  });
});

describe('random text', () => {
  it('has the forms the protocol needs', () => {
    expect(formatNonce(randomBytes(32))).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(formatId(randomBytes(32))).toMatch(/^[A-Za-z0-9]{32}$/);
    expect(formatId(Buffer.alloc(32))).toBe('0'.repeat(32));
    expect(hashNonce('a')).not.toBe(hashNonce('b'));
  });

  it('is not made of too few bytes', () => {
    for (const make of [formatNonce, formatId, formatApiKey]) {
      expect(() => make(randomBytes(31))).toThrow(AuthError);
    }
  });
});

describe('API keys of the vault', () => {
  const pepper = Buffer.alloc(32, 1);

  it('are stored without the key, and found again', () => {
    const key = formatApiKey(randomBytes(32));
    const stored = readApiKey(key, pepper);
    expect(readApiKey(` ${key} `, pepper)).toEqual(stored);
    expect(stored?.lookup).toBe(key.slice(0, 8));
    expect(readApiKey(key, Buffer.alloc(32, 2))?.hash).not.toBe(stored?.hash);
    expect(JSON.stringify(stored)).not.toContain(key);
  });

  it('chosen by brands have 40 to 128 characters', () => {
    expect(readApiKey('a'.repeat(50), pepper)).not.toBeNull();
    expect(readApiKey('a'.repeat(40), pepper)).not.toBeNull();
    expect(readApiKey('a'.repeat(128), pepper)).not.toBeNull();
    for (const bad of ['a'.repeat(39), 'a'.repeat(129), `${'a'.repeat(40)} b`, '']) {
      expect(readApiKey(bad, pepper)).toBeNull();
    }
  });
});
