import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { localSigner, signAssertion } from '#libs/assertions';
import { makeRsaKeySync } from '#libs/keyring';
import { lintModel, type LintContext } from './index.js';

const BRAND = 'A'.repeat(32);
const SAMPLES = join(import.meta.dirname, '../../../test/models');
const sample = (name: string): string =>
  readFileSync(join(SAMPLES, `${name}.json`), 'utf8')
    .replaceAll('ACCOUNT', BRAND)
    .replaceAll('STORE', 'acme-store');
const OFFLINE: LintContext = {
  now: new Date('2026-11-21T12:00:00Z'),
  accountId: null,
  snapsOf: null,
  keys: null,
};
const KNOWN = new Set(['acme-gadget', 'acme-kernel', 'acme-base', 'acme-dashboard']);
const ASKED: LintContext = {
  ...OFFLINE,
  accountId: BRAND,
  snapsOf: (id) => (id === '' || id === 'acme-store' ? KNOWN : null),
};
const errors = (text: string, context = ASKED) =>
  lintModel(text, context).findings.filter(({ severity }) => severity === 'error');

describe('lintModel', () => {
  it.each(['simple', 'advanced'])(
    'takes the %s sample, and says what it means to have no serial-authority',
    (name) => {
      const report = lintModel(sample(name), ASKED);
      expect(report).toMatchObject({ kind: 'draft', findings: [{ severity: 'note' }] });
      expect(report.findings[0]?.cause).toContain('serial-authority');
      const withIt = sample(name).replace(
        '"gadget"',
        '"serial-authority": ["generic"],\n  "gadget"',
      );
      expect(lintModel(withIt, ASKED).findings).toEqual([]);
    },
  );

  it.each<[string, (text: string) => string, number, RegExp]>([
    ['a missing comma', (text) => text.replace('"amd64",', '"amd64"'), 8, /comma is missing/],
    [
      'a missing comma in a list',
      (text) => text.replace('"acme-dashboard"', '"acme-dashboard" "x"'),
      13,
      /comma is missing/,
    ],
    ['a comma too many', (text) => text.replace(/Z"\n/, 'Z",\n'), 15, /JSON cannot be read/],
    ['no end', (text) => text.trimEnd().slice(0, -1), 14, /JSON cannot be read/],
    [
      'a header twice',
      (text) => text.replace('"model":', '"series": "16",\n  "model":'),
      6,
      /twice/,
    ],
    [
      'another authority',
      (text) => text.replace(`"authority-id": "${BRAND}"`, `"authority-id": "${'B'.repeat(32)}"`),
      4,
      /differ/,
    ],
    [
      'no authority',
      (text) => text.replace(/ {2}"authority-id".*\n/, ''),
      4,
      /"authority-id" is missing/,
    ],
    ['another brand', (text) => text.replaceAll(BRAND, 'B'.repeat(32)), 5, /another account/],
    ['a future timestamp', (text) => text.replace('2026-01-31', '2027-01-31'), 14, /in the future/],
    ['a time that is none', (text) => text.replace('2026-01-31T', '2026-02-31T'), 14, /time/],
    [
      'an unknown gadget',
      (text) => text.replace('"acme-gadget"', '"acme-gadgte=22"'),
      10,
      /"acme-gadgte" does not exist/,
    ],
    [
      'an unknown required snap',
      (text) => text.replace('"acme-dashboard"', '"acme-dashbord"'),
      13,
      /"acme-dashbord" does not exist/,
    ],
    [
      'a store of somebody else',
      (text) => text.replace('"acme-store"', '"other"'),
      12,
      /not yours/,
    ],
    ['a name in upper case', (text) => text.replace('acme-device-1', 'ACME'), 6, /model/],
    ['a missing kernel', (text) => text.replace(/ {2}"kernel".*\n/, ''), 1, /kernel/],
    [
      'grade without snaps',
      (text) => text.replace('"base"', '"grade": "signed",\n  "base"'),
      9,
      /grade/,
    ],
    [
      'another type',
      (text) => text.replace('"type": "model"', '"type": "serial"'),
      2,
      /does not say model/,
    ],
  ])('refuses %s, with the line', (_, change, line, cause) => {
    const text = change(sample('advanced'));
    expect(text).not.toBe(sample('advanced'));
    const [first] = errors(text);
    expect(first).toMatchObject({ line, cause: expect.stringMatching(cause) as string });
    expect(first?.remedy).not.toBe('');
  });

  it('says all that is wrong at once, in the order of the text', () => {
    const text = sample('advanced')
      .replace('acme-gadget', 'nope')
      .replace('acme-kernel', 'nor-this')
      .replace('2026-01', '2036-01');
    expect(errors(text).map(({ line }) => line)).toEqual([10, 11, 14]);
  });

  it('looks at snaps, brand and keys only when a store was asked', () => {
    const text = sample('advanced').replace('acme-gadget', 'nope');
    expect(errors(text, OFFLINE)).toEqual([]);
  });

  it('takes a signed model, and refuses one of an unknown key or with a changed text', async () => {
    const signer = localSigner(makeRsaKeySync(2048));
    const { type: _type, ...headers } = JSON.parse(sample('advanced')) as Record<string, unknown>;
    const signed = await signAssertion({ type: 'model', headers }, signer, OFFLINE.now);
    const text = signed.bytes.toString();
    const since = new Date('2026-01-01T00:00:00Z');
    const keys = new Map([[signer.publicKey.id, since]]);
    expect(lintModel(text, { ...ASKED, keys })).toMatchObject({
      kind: 'assertion',
      model: `${BRAND}/acme-device-1`,
      findings: [{ severity: 'note' }],
    });
    const line = text.split('\n').findIndex((one) => one.startsWith('sign-key')) + 1;
    expect(errors(text, { ...ASKED, keys: new Map() })).toMatchObject([
      { line, header: 'sign-key-sha3-384' },
    ]);
    const late = new Map([[signer.publicKey.id, new Date('2026-06-01T00:00:00Z')]]);
    expect(errors(text, { ...ASKED, keys: late })).toMatchObject([
      { header: 'timestamp', cause: expect.stringMatching(/before its key counts/) as string },
    ]);
    const future = text.replace('timestamp: 2026-01', 'timestamp: 2036-01');
    expect(errors(future, { ...ASKED, keys })[0]?.cause).toMatch(/future/);
    expect(errors(text.slice(0, 200), { ...ASKED, keys })).toHaveLength(1);
  });
});
