import { createHash, createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  AssertionDatabase,
  AssertionError,
  checkDeviceSession,
  checkRegistration,
  decodeAssertion,
  encodeAssertions,
  errorClasses,
  header,
  localSigner,
  parseHeaders,
  prerequisites,
  signAssertion,
  StreamReader,
  uniqueRef,
  writeHeaders,
  type Assertion,
  type AssertionTypeName,
  type Verdict,
} from './index.js';
import { verdictOf } from './error.js';
import { contentToSign } from './sign.js';

/** Any folder of the same layout; by default the one in this repository. */
const folder = resolve(
  process.env['ASSERTION_VECTORS'] ?? join(import.meta.dirname, '../../../test/vectors/assertions'),
);
const read = (file: string): Buffer => readFileSync(join(folder, file));
const readJson = (file: string): unknown => JSON.parse(read(file).toString('utf8'));

interface Vector {
  readonly id: string;
  readonly file?: string;
  readonly files?: { readonly request: string; readonly serial: string; readonly model: string };
  readonly recipe?: Recipe;
  readonly procedure: keyof typeof procedures;
  readonly params?: {
    readonly issued_nonce?: string;
    readonly issued_request_id?: string;
    readonly assertions_before_end_or_error?: string;
  };
  readonly trusted_files?: readonly string[];
  readonly prerequisite_files?: readonly string[];
  readonly valid: boolean;
  readonly expected_error_class: string | null;
  readonly strict_implementation_may_refuse?: boolean;
  readonly signing_key?: string;
  readonly signature_created?: number;
  readonly canonical_encoding?: boolean;
  readonly expected_parse?: string;
}

interface Recipe {
  readonly prefix_file: string;
  readonly fill_byte_hex: string;
  readonly fill_count: number;
  readonly suffix_file: string;
  readonly sha256_of_result: string;
  readonly size_of_result: number;
}

interface Expected {
  readonly type: string;
  readonly headers: Record<string, unknown>;
  readonly body_base64: string | null;
  readonly primary_key: readonly string[] | null;
  readonly prerequisites_sorted: readonly string[] | null;
  readonly sign_key_sha3_384: string;
  readonly signature_text: string;
  readonly revision: number;
  readonly format: number;
  readonly content_length: number;
  readonly unique_ref: string;
}

/** Verdicts hold for every clock in this range; the ends and two points between are tried (README of the vectors). */
const clocks = ['2024-02-01', '2026-11-20', '2055-05-05', '2098-12-31'].map((day) => new Date(day));

function inputOf(vector: Vector): Buffer {
  if (vector.recipe === undefined) return read(vector.file ?? '');
  const { prefix_file, fill_byte_hex, fill_count, suffix_file, ...result } = vector.recipe;
  const fill = Buffer.alloc(fill_count, Number.parseInt(fill_byte_hex, 16));
  const input = Buffer.concat([read(prefix_file), fill, read(suffix_file)]);
  expect(input.length).toBe(result.size_of_result);
  expect(createHash('sha256').update(input).digest('hex')).toBe(result.sha256_of_result);
  return input;
}

const index = readJson('index.json') as { readonly vectors: readonly Vector[] };
const refusable = new Set(
  index.vectors.filter((vector) => vector.strict_implementation_may_refuse).map(({ file }) => file),
);

/** The database of a vector. Every prerequisite must be accepted, unless it is itself a vector that we refuse. */
function databaseOf(vector: Vector, now: Date): AssertionDatabase {
  const trusted = (vector.trusted_files ?? []).map((file) => decodeAssertion(read(file)));
  const database = new AssertionDatabase({ trusted });
  for (const file of vector.prerequisite_files ?? []) {
    const verdict = judge(() => database.add(decodeAssertion(read(file)), now));
    expect(verdict.valid, `${file}: ${JSON.stringify(verdict)}`).toBe(!refusable.has(file));
  }
  return database;
}

function judge(procedure: () => Verdict): Verdict {
  let verdict: Verdict = { valid: true };
  const decoded = verdictOf(() => void (verdict = procedure()));
  return decoded.valid ? verdict : decoded;
}

function readStream(input: Buffer): { assertions: Assertion[]; verdict: Verdict } {
  const reader = new StreamReader(input);
  const assertions: Assertion[] = [];
  const verdict = verdictOf(() => {
    for (let next = reader.next(); next !== undefined; next = reader.next()) assertions.push(next);
  });
  return { assertions, verdict };
}

function streamThen(vector: Vector, use: (assertions: readonly Assertion[]) => Verdict): Verdict {
  const { assertions, verdict } = readStream(inputOf(vector));
  return verdict.valid ? use(assertions) : verdict;
}

const procedures = {
  decode: (vector: Vector) => verdictOf(() => void decodeAssertion(inputOf(vector))),
  'decode-stream': (vector: Vector) => {
    const { assertions, verdict } = readStream(inputOf(vector));
    const before = vector.params?.assertions_before_end_or_error;
    if (before !== undefined && !vector.strict_implementation_may_refuse) {
      expect(assertions.length).toBe(Number(before));
    }
    return verdict;
  },
  check: (vector: Vector, now: Date) =>
    judge(() => databaseOf(vector, now).check(decodeAssertion(inputOf(vector)), now)),
  add: (vector: Vector, now: Date) =>
    judge(() => databaseOf(vector, now).add(decodeAssertion(inputOf(vector)), now)),
  batch: (vector: Vector, now: Date) =>
    streamThen(vector, (assertions) => databaseOf(vector, now).addBatch(assertions, now)),
  registration: (vector: Vector, now: Date) =>
    streamThen(vector, (assertions) =>
      checkRegistration({
        assertions,
        issuedRequestId: vector.params?.issued_request_id ?? '',
        database: databaseOf(vector, now),
        now,
      }),
    ),
  'device-session': (vector: Vector, now: Date) =>
    judge(() =>
      checkDeviceSession({
        request: decodeAssertion(read(vector.files?.request ?? '')),
        serial: decodeAssertion(read(vector.files?.serial ?? '')),
        model: decodeAssertion(read(vector.files?.model ?? '')),
        issuedNonce: vector.params?.issued_nonce ?? '',
        database: databaseOf(vector, now),
        now,
      }),
    ),
};

/** Where the reference crashes there is no class to agree with: any clean refusal is right. */
const CRASH = 'crash in snapd code; an implementation must reject cleanly';

function expectVerdict(vector: Vector, verdict: Verdict): void {
  if (!verdict.valid) expect(errorClasses).toContain(verdict.errorClass);
  if (vector.valid && !vector.strict_implementation_may_refuse) {
    expect(verdict).toEqual({ valid: true });
    return;
  }
  expect(verdict.valid, 'the vector must be refused').toBe(false);
  if (!verdict.valid && !vector.valid && vector.expected_error_class !== CRASH) {
    expect(verdict.errorClass, verdict.message).toBe(vector.expected_error_class);
  }
}

describe('the verdict of every vector', () => {
  it.each(index.vectors.map((vector) => [vector.id, vector] as const))('%s', (_id, vector) => {
    const procedure = procedures[vector.procedure];
    for (const now of clocks) expectVerdict(vector, procedure(vector, now));
  });
});

/** Lists and maps without prototype compare unequal to plain ones; JSON makes them alike. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

/** Vectors with a parsed result; left out are only odd ones that we refuse when reading, which the verdicts cover. */
const readable = index.vectors.filter((vector) => {
  const { expected_parse, procedure, recipe } = vector;
  if (expected_parse === undefined || recipe !== undefined) return false;
  if (!['decode', 'check', 'add'].includes(procedure)) return false;
  const mustBeRead = vector.valid && vector.strict_implementation_may_refuse !== true;
  return mustBeRead || verdictOf(() => void decodeAssertion(inputOf(vector))).valid;
});

describe('what is read out of every decodable vector', () => {
  it.each(readable.map((vector) => [vector.id, vector] as const))('%s', (_id, vector) => {
    const expected = readJson(vector.expected_parse ?? '') as Expected;
    const assertion = decodeAssertion(inputOf(vector));
    expect(plain(assertion.headers)).toEqual(expected.headers);
    expect(assertion.body.toString('base64')).toBe(expected.body_base64 ?? '');
    expect(assertion.primaryKey).toEqual(expected.primary_key ?? []);
    expect([assertion.type, assertion.revision, assertion.format]).toEqual([
      expected.type,
      expected.revision,
      expected.format,
    ]);
    expect(assertion.content.length).toBe(expected.content_length);
    expect(assertion.signature).toBe(expected.signature_text);
    expect(assertion.signKeyId).toBe(expected.sign_key_sha3_384);
    if (assertion.primaryKey.length > 0) expect(uniqueRef(assertion)).toBe(expected.unique_ref);
    const own = prerequisites(assertion).slice(0, -1).map(uniqueRef).sort();
    expect(own).toEqual(expected.prerequisites_sorted ?? []);
    expect(encodeAssertions([assertion]).equals(inputOf(vector))).toBe(true);
  });
});

const canonical = readable.filter(({ canonical_encoding }) => canonical_encoding === true);
const privateKey = (file: string) => createPrivateKey(read(file));

describe('signing the parsed headers again gives the same bytes', () => {
  it.each(canonical.map((vector) => [vector.id, vector] as const))('%s', async (_id, vector) => {
    const assertion = decodeAssertion(inputOf(vector));
    const { type, headers, body } = assertion;
    // Without the key, or with one that we refuse to sign with, the signed content still is the same.
    if (vector.signing_key === undefined || vector.strict_implementation_may_refuse) {
      expect(
        contentToSign({ type, headers, body }, assertion.signKeyId).equals(assertion.content),
      ).toBe(true);
      return;
    }
    const signer = localSigner(privateKey(`keys/${vector.signing_key}.pem`));
    const at = new Date((vector.signature_created ?? 0) * 1000);
    const signed = await signAssertion({ type, headers, body }, signer, at);
    expect(signed.bytes.equals(inputOf(vector))).toBe(true);
  });
});

interface SigningCase {
  readonly id: string;
  readonly type: AssertionTypeName;
  readonly headers: Record<string, unknown>;
  readonly body: string;
  readonly key: string;
  readonly ok: boolean;
  readonly signature_created?: number;
  readonly content_sha256?: string;
  readonly encoded_file?: string;
  readonly output_decodes?: boolean;
}

const signing = readJson('sign/index.json') as { readonly cases: readonly SigningCase[] };

describe('every signing case', () => {
  it.each(signing.cases.map((each) => [each.id, each] as const))('%s', async (_id, each) => {
    const { type, headers, body } = each;
    const at = new Date((each.signature_created ?? 0) * 1000);
    const signed = signAssertion({ type, headers, body }, localSigner(privateKey(each.key)), at);
    // What nobody could read is refused, where the reference signs it.
    if (!each.ok || each.output_decodes === false) {
      await expect(signed).rejects.toThrow(AssertionError);
      return;
    }
    const { bytes, content } = await signed;
    expect(createHash('sha256').update(content).digest('hex')).toBe(each.content_sha256);
    expect(bytes.equals(read(each.encoded_file ?? ''))).toBe(true);
  });
});

interface HeaderCase {
  readonly id: string;
  readonly input_base64: string;
  readonly ok: boolean;
  readonly value?: unknown;
  readonly canonical_text?: string;
  readonly input_is_canonical: boolean;
}

const headerCases = readJson('headers/index.json');
const headerList = (
  Array.isArray(headerCases) ? headerCases : (headerCases as { cases: unknown }).cases
) as HeaderCase[];

describe('every header case', () => {
  it.each(headerList.map((each) => [each.id, each] as const))('%s', (_id, each) => {
    const input = Buffer.from(each.input_base64, 'base64');
    if (!each.ok) {
      expect(() => parseHeaders(input)).toThrow(AssertionError);
      return;
    }
    const value = parseHeaders(input);
    expect(plain(value)).toEqual(each.value);
    const text = writeHeaders(value);
    expect(text).toBe(each.canonical_text);
    expect(text === input.toString('utf8')).toBe(each.input_is_canonical);
  });
});

it('reads the key ids and encodings of all keys', () => {
  const keys = readJson('keys/index.json') as readonly Record<string, string>[];
  for (const key of keys) {
    if (Number(key['bits']) < 2048) continue;
    const { publicKey } = localSigner(privateKey(key['private_key_pem'] ?? ''));
    expect(publicKey.id).toBe(key['public_key_sha3_384']);
    expect(publicKey.encoded).toBe(key['encoded_public_key']);
  }
  expect(keys.length).toBeGreaterThan(0);
  expect(header(decodeAssertion(read('chain/root-account.assert')), 'type')).toBe('account');
});
