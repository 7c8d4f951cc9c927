import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { COHORT_LIFE_MS, mintCohortKey, readCohortKey } from './cohort-key.js';

const secret = randomBytes(32);
const at = new Date('2026-11-21T10:00:00.123Z');
const key = mintCohortKey('Kq2mVbT9xLzW4cRj7NfYd8sPgHu3AeQt', at, secret);

it('a cohort key says which snap and which moment, and how long it counts', () => {
  expect(readCohortKey(key, secret)).toEqual({
    snapId: 'Kq2mVbT9xLzW4cRj7NfYd8sPgHu3AeQt',
    issuedAt: at,
    expiresAt: new Date(at.getTime() + COHORT_LIFE_MS),
  });
});

it('what nobody but the store could have made, and nothing else, is a cohort key', () => {
  expect(readCohortKey(key, randomBytes(32))).toBeNull();
  for (let i = 0; i < key.length; i += 1) {
    const other = key[i] === 'x' ? 'y' : 'x';
    // The last character of 32 bytes in base64url carries two bits that say nothing.
    if (i < key.length - 1)
      expect(readCohortKey(key.slice(0, i) + other + key.slice(i + 1), secret)).toBeNull();
  }
  for (const text of ['', 'MSBLcTJtVmJUOXhM', `${key}.x`, ` ${key}`]) {
    expect(readCohortKey(text, secret)).toBeNull();
  }
});
