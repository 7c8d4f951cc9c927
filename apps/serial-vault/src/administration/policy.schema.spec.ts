import { expect, it } from 'vitest';
import { readPolicy } from './policy.schema.js';
import type { VaultError } from './vault-error.js';

const signingKeyId = 'k'.repeat(64);

it('fills in what is left out: stock keys, strict serials, duplicates held', () => {
  expect(readPolicy({ signingKeyId, enrolment: null, body: null })).toEqual({
    signingKeyId,
    needsApiKey: true,
    minimumKeyBits: 4096,
    body: 'copy',
    serialForm: 'strict',
    enrolment: {},
    duplicates: 'hold',
    reissueLimit: 1,
    reissueDays: 365,
    pendingDays: 30,
  });
});

it('names every problem and its place', () => {
  const wrong = {
    signingKeyId: 'short',
    minimumKeyBits: 1024,
    surprise: 1,
    enrolment: { pattern: '(', quota: -1, window: { from: 'tomorrow' } },
  };
  let problems: VaultError['problems'] = [];
  try {
    readPolicy(wrong);
  } catch (error) {
    problems = (error as VaultError).problems;
  }
  expect(problems.map(({ path }) => path).sort()).toEqual([
    'policy',
    'policy.enrolment.pattern',
    'policy.enrolment.quota',
    'policy.enrolment.window.from',
    'policy.minimumKeyBits',
    'policy.signingKeyId',
  ]);
});

it('does not let the vault choose serials that must be on a list', () => {
  expect(() => readPolicy({ signingKeyId, enrolment: { assigned: true, list: true } })).toThrow(
    'cannot use this policy',
  );
});
