import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decodeAssertion } from '#libs/assertions';
import { main } from '../main.js';
import { testIo } from '../testing/test-io.js';

const folder = join(import.meta.dirname, '../../../../test/vectors/assertions');
const read = (file: string): Buffer => readFileSync(join(folder, file));

/** Runs a command line on files of the vectors, made-up files and standard input. */
async function run(args: string[], files: Record<string, string | Buffer> = {}) {
  const { io, ran } = testIo(files, {
    read: async (path) => (path in files ? Buffer.from(files[path] ?? '') : read(path)),
  });
  const status = await main(args, io);
  return { status, ...ran() };
}

const roots = [
  '--trusted',
  'chain/root-account.assert',
  '--trusted',
  'chain/root-account-key.assert',
];
const brand = ['store-account-key', 'brand-account', 'brand-account-key'].flatMap((name) => [
  '--prerequisite',
  `chain/${name}.assert`,
]);

describe('assertion verify', () => {
  it('says of a good model that it is valid', async () => {
    const { status, text } = await run([
      'assertion',
      'verify',
      'valid/model-core18.assert',
      ...roots,
      ...brand,
    ]);
    expect(status).toBe(0);
    expect(text).toBe('valid/model-core18.assert model 16/brand-acme/acme-edge-18: valid\n');
  });

  it('gives one JSON line for each assertion, in the order of the input', async () => {
    const args = ['assertion', 'verify', '--json', 'stream/batch-out-of-order.assert', ...roots];
    const { status, text } = await run(args);
    const lines = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(status).toBe(0);
    expect(lines.length).toBeGreaterThan(1);
    expect(Object.keys(lines[0] ?? {})).toEqual([
      'file',
      'type',
      'primaryKey',
      'valid',
      'errorClass',
      'message',
    ]);
    expect(lines.every((line) => line['valid'] === true)).toBe(true);
  });

  it('gives class and sentence of what is wrong, and status 1', async () => {
    const { status, text } = await run([
      'assertion',
      'verify',
      '--json',
      'valid/model-core18.assert',
      ...roots,
    ]);
    expect(status).toBe(1);
    expect(JSON.parse(text)).toMatchObject({
      type: 'model',
      primaryKey: ['16', 'brand-acme', 'acme-edge-18'],
      valid: false,
      errorClass: 'signing key unknown',
    });
  });

  it('reports what cannot be read without a type', async () => {
    const { status, text } = await run([
      'assertion',
      'verify',
      '--json',
      'invalid/decode-no-separator.assert',
    ]);
    expect(status).toBe(1);
    expect(JSON.parse(text)).toMatchObject({
      type: null,
      primaryKey: null,
      valid: false,
      errorClass: 'no content/signature separator',
    });
  });

  it('does not call empty input valid', async () => {
    expect((await run(['assertion', 'verify'], { '-': '' })).status).toBe(1);
  });

  it('reads standard input, and judges at the time that is asked for', async () => {
    const files = { '-': read('valid/model-core18.assert') };
    expect((await run(['assertion', 'verify', ...roots, ...brand], files)).status).toBe(0);
    const early = await run(
      ['assertion', 'verify', ...roots, ...brand, '--at', '2023-01-01T00:00:00Z'],
      files,
    );
    expect(early.status).toBe(1);
    expect(early.text).toContain('signing key unknown');
    expect(early.err).toContain('is not added');
  });

  it.each([
    [['assertion', 'verify', '--no-such-option']],
    [['assertion', 'verify', '--at', 'yesterday']],
    [['assertion', 'verify', 'no-such-file.assert']],
    [['assertion', 'no-such-command']],
    [['no-such-command']],
    [[]],
  ])('calls %j wrong usage', async (args) => {
    expect((await run(args)).status).toBe(2);
  });
});

describe('assertion show', () => {
  it('prints headers and prerequisites', async () => {
    const { status, text } = await run(['assertion', 'show', 'valid/snap-revision.assert']);
    expect(status).toBe(0);
    expect(text).toContain('# needs snap-declaration/16/Th3rm0Re4derSnapIdAAAAAAAAAAAA01');
    expect(text).toContain('snap-size: 123456');
  });

  it('prints JSON lines of a stream', async () => {
    const { text } = await run(['assertion', 'show', '--json', 'stream/two.assert']);
    const lines = text.trim().split('\n');
    expect(lines.length).toBe(2);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      revision: 0,
      format: 0,
      body: expect.any(String) as unknown,
    });
  });
});

describe('assertion sign', () => {
  const draft = {
    type: 'store',
    'authority-id': 'selfroot',
    store: 'acme',
    'operator-id': 'brand-acme',
    timestamp: '2026-01-01T00:00:00Z',
  };

  it('prints an assertion that verify accepts', async () => {
    const signed = await run(['assertion', 'sign', '--key', 'keys/store.pem'], {
      '-': JSON.stringify(draft),
    });
    expect(signed.status).toBe(0);
    expect(decodeAssertion(signed.out).type).toBe('store');
    const verified = await run(['assertion', 'verify', ...roots, ...brand], { '-': signed.out });
    expect(verified).toMatchObject({ status: 0, text: '- store acme: valid\n' });
  });

  it('refuses a draft that breaks a rule of its type', async () => {
    const files = { '-': JSON.stringify({ ...draft, url: 'ftp://acme.example' }) };
    const { status, err } = await run(['assertion', 'sign', '--key', 'keys/store.pem'], files);
    expect(status).toBe(1);
    expect(err).toContain('"url" must begin with https:// or http://');
  });

  it.each(['[]', '{', '{"type":"no-such-type"}'])(
    'calls the input %s wrong usage',
    async (input) => {
      expect(
        (await run(['assertion', 'sign', '--key', 'keys/store.pem'], { '-': input })).status,
      ).toBe(2);
    },
  );
});

describe('key', () => {
  it('creates a key whose id, export and request agree', async () => {
    const created = await run(['key', 'create', 'brand.pem']);
    expect(created.status).toBe(0);
    const files = { 'brand.pem': created.written['brand.pem'] ?? '' };
    const id = await run(['key', 'id', 'brand.pem'], files);
    expect(id.text).toBe(created.text);
    const exported = await run(['key', 'export', 'brand.pem'], files);
    expect(exported.text).toMatch(/^AcbBTQRWhcGAARAA/);
    expect((await run(['key', 'id'], { '-': exported.text })).text).toBe(created.text);
    const request = await run(
      ['key', 'export', 'brand.pem', '--account', 'brand-acme', '--name', 'second'],
      files,
    );
    const verified = await run(['assertion', 'verify', ...roots, ...brand], { '-': request.out });
    expect(verified.text).toContain('account-key-request');
    expect(verified.status).toBe(0);
  });

  it('never overwrites a key', async () => {
    expect((await run(['key', 'create', 'brand.pem'], { 'brand.pem': 'precious' })).status).toBe(2);
  });

  it('tells the ids of all test keys', async () => {
    const keys = JSON.parse(read('keys/index.json').toString()) as Record<string, string>[];
    for (const key of keys.filter(({ bits }) => Number(bits) >= 2048)) {
      expect((await run(['key', 'id', key['private_key_pem'] ?? ''])).text.trim()).toBe(
        key['public_key_sha3_384'],
      );
    }
  });
});
