import { makeRsaKeySync } from '#libs/keyring';
import { createPrivateKey } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  AssertionDatabase,
  AssertionError,
  decodeAssertion,
  decodeAssertions,
  encodeAssertions,
  localSigner,
  parseHeaders,
  signAssertion,
  verifySelfSigned,
  writeHeaders,
  type Assertion,
  type HeaderValue,
} from './index.js';

const folder = join(import.meta.dirname, '../../../test/vectors/assertions');
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
  file.endsWith('.assert'),
);
const corpus = files.map((file) => readFileSync(join(folder, file)));

/** A short key is quick, and pads its base64; a long one is what everybody uses. */
const signers = [
  localSigner(makeRsaKeySync(2048)),
  localSigner(createPrivateKey(readFileSync(join(folder, 'keys/brand.pem')))),
] as const;
const at = new Date('2026-01-01T00:00:00Z');

const name = fc.stringMatching(/^[a-z](-?[a-z0-9]){0,8}$/).filter((each) => !RESERVED.has(each));
const RESERVED = new Set(['type', 'format', 'revision', 'timestamp', 'grade']);
/** Any text without the control characters that are refused. */
const text = fc
  .string({ unit: 'grapheme' })
  .map((each) => each.replace(/[\x00-\x08\x0b-\x1f\x7f]/g, '\n'));

const { value } = fc.letrec<{ value: HeaderValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    text,
    fc.array(tie('value'), { minLength: 1, maxLength: 4 }),
    fc.dictionary(name, tie('value'), { minKeys: 1, maxKeys: 4 }),
  ),
}));

const draft = fc.record({
  extra: fc.dictionary(name, value, { maxKeys: 5 }),
  body: fc.string({ unit: 'grapheme' }),
  revision: fc.nat(),
  signer: fc.oneof(
    { weight: 5, arbitrary: fc.constant(signers[0]) },
    { weight: 1, arbitrary: fc.constant(signers[1]) },
  ),
});

type Draft = typeof draft extends fc.Arbitrary<infer T> ? T : never;

function sign({ extra, body, revision, signer }: Draft): Promise<Assertion> {
  const headers = {
    ...extra,
    'authority-id': 'acme',
    'snap-sha3-384': signer.publicKey.id,
    'snap-id': 'some-snap',
    grade: 'stable',
    'snap-size': '1',
    revision: String(revision),
    timestamp: '2026-01-01T00:00:00Z',
  };
  return signAssertion({ type: 'snap-build', headers, body }, signer, at);
}

const plain = (each: unknown): unknown => JSON.parse(JSON.stringify(each));

/** Runs a decoder; only the library's own error may come out. */
function decodeOr<T>(decode: () => T, otherwise: T): T {
  try {
    return decode();
  } catch (error) {
    expect(error).toBeInstanceOf(AssertionError);
    return otherwise;
  }
}

describe('for whatever is signed', () => {
  it('decoding gives back headers and body, and encoding gives back the bytes', async () => {
    await fc.assert(
      fc.asyncProperty(draft, async (each) => {
        const signed = await sign(each);
        expect(plain(signed.headers)).toMatchObject(plain(each.extra) as object);
        expect(signed.body.toString()).toBe(each.body);
        const encoded = encodeAssertions([signed]);
        expect(decodeAssertion(encoded).bytes.equals(encoded)).toBe(true);
        expect(decodeAssertions(encoded).map(({ bytes }) => bytes)).toEqual([signed.bytes]);
        expect(verifySelfSigned(decodeAssertion(encoded), each.signer.publicKey)).toEqual({
          valid: true,
        });
      }),
      { numRuns: 60 },
    );
  });

  it('a changed byte never verifies, be it in the content or in the signature', async () => {
    await fc.assert(
      fc.asyncProperty(
        draft,
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        async (each, place, mask) => {
          const { bytes } = await sign(each);
          const changed = Buffer.from(bytes);
          const index = place % changed.length;
          changed[index] = (changed[index] ?? 0) ^ mask;
          for (const assertion of decodeOr(() => [decodeAssertion(changed)], [])) {
            expect(verifySelfSigned(assertion, each.signer.publicKey).valid).toBe(false);
          }
          for (const assertion of decodeOr(() => decodeAssertions(changed), [])) {
            expect(verifySelfSigned(assertion, each.signer.publicKey).valid).toBe(false);
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  it('no change of any single bit of one assertion verifies', async () => {
    const [signer] = signers;
    const { bytes } = await sign({
      extra: { note: ['a', { b: 'c\nd' }] },
      body: 'body',
      revision: 1,
      signer,
    });
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const changed = Buffer.from(bytes);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const assertions = decodeOr(() => [decodeAssertion(changed)], []);
      expect(
        assertions.map((each) => verifySelfSigned(each, signer.publicKey).valid),
      ).not.toContain(true);
    }
  });

  it('a stream gives back each assertion byte for byte', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(draft, { maxLength: 4 }), async (drafts) => {
        const signed = await Promise.all(drafts.map(sign));
        const again = decodeAssertions(encodeAssertions(signed));
        expect(again.map(({ bytes }) => bytes)).toEqual(signed.map(({ bytes }) => bytes));
      }),
      { numRuns: 20 },
    );
  });
});

it('headers are read as they were written', () => {
  fc.assert(
    fc.property(fc.dictionary(name, value, { minKeys: 1 }), (headers) => {
      expect(plain(parseHeaders(Buffer.from(writeHeaders(headers))))).toEqual(headers);
    }),
    { numRuns: 500 },
  );
});

it('every accepted vector is given back byte for byte, alone and in a stream', () => {
  const accepted = corpus.flatMap((input) =>
    decodeOr(() => [{ input, assertion: decodeAssertion(input) }], []),
  );
  expect(accepted.length).toBeGreaterThan(200);
  for (const { input, assertion } of accepted) {
    expect(encodeAssertions([assertion]).equals(input)).toBe(true);
    const [again] = decodeAssertions(encodeAssertions([assertion]));
    expect(again?.bytes.equals(input)).toBe(true);
  }
});

describe('nothing but the library’s own error comes', () => {
  it('out of random bytes', () => {
    const decode = (input: Uint8Array): void => {
      decodeOr(() => [decodeAssertion(input)], []);
      decodeOr(() => decodeAssertions(input), []);
      decodeOr(() => parseHeaders(input), {});
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 2000 }), decode), { numRuns: 2000 });
    const pieces = fc.array(
      fc.oneof(
        fc.constantFrom(
          '\n',
          '\n\n',
          ': ',
          ':',
          '  - ',
          '    ',
          'type',
          'model',
          'body-length',
          '5',
        ),
        fc.string(),
      ),
    );
    fc.assert(
      fc.property(pieces, (each) => decode(Buffer.from(each.join('')))),
      { numRuns: 2000 },
    );
  });

  it('out of vectors with a changed stretch, when read and when checked', () => {
    const database = new AssertionDatabase({ trusted: [] });
    const stretch = fc.uint8Array({ maxLength: 8 });
    fc.assert(
      fc.property(
        fc.constantFrom(...corpus),
        fc.nat(),
        fc.nat({ max: 8 }),
        stretch,
        (input, place, length, by) => {
          const start = place % (input.length + 1);
          const changed = Buffer.concat([
            input.subarray(0, start),
            by,
            input.subarray(start + length),
          ]);
          for (const assertion of decodeOr(() => decodeAssertions(changed), [])) {
            expect(typeof database.check(assertion, at).valid).toBe('boolean');
          }
        },
      ),
      { numRuns: 3000 },
    );
  });
});
