import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  AssertionDatabase,
  AssertionError,
  decodeAssertion,
  localSigner,
  MemoryStore,
  prerequisites,
  signAssertion,
  uniqueRef,
  type Assertion,
} from './index.js';

const folder = join(import.meta.dirname, '../../../test/vectors/assertions');
const read = (name: string): Assertion =>
  decodeAssertion(readFileSync(join(folder, `${name}.assert`)));
const signerOf = (name: string) =>
  localSigner(createPrivateKey(readFileSync(join(folder, `keys/${name}.pem`))));
const now = new Date('2026-01-01T00:00:00Z');
const trusted = [read('chain/root-account'), read('chain/root-account-key')];
const chain = ['store-account-key', 'brand-account', 'brand-account-key'].map((name) =>
  read(`chain/${name}`),
);

function withBrand(): AssertionDatabase {
  const database = new AssertionDatabase({ trusted });
  for (const assertion of chain) expect(database.add(assertion, now)).toEqual({ valid: true });
  return database;
}

function declaration(format: string, revision: string, plugs?: object): Promise<Assertion> {
  const headers = {
    'authority-id': 'selfroot',
    format,
    revision,
    series: '16',
    'snap-id': 'S'.repeat(32),
    'snap-name': 'thermo',
    'publisher-id': 'brand-acme',
    timestamp: '2025-01-01T00:00:00Z',
    ...(plugs === undefined ? {} : { plugs }),
  };
  return signAssertion({ type: 'snap-declaration', headers }, signerOf('store'), now);
}

describe('formats', () => {
  it('the highest revision among those up to the wished format is found', async () => {
    const database = withBrand();
    const old = await declaration('0', '1');
    const rich = await declaration('1', '2', { home: 'true' });
    for (const each of [old, rich]) expect(database.add(each, now)).toEqual({ valid: true });
    const find = (maxFormat?: number) =>
      database.find('snap-declaration', ['16', 'S'.repeat(32)], maxFormat);
    expect(find(0)).toBe(old);
    expect(find(1)).toBe(rich);
    expect(find()).toBe(rich);
    expect(find(0)?.bytes.equals(old.bytes)).toBe(true);
  });
});

describe('roots', () => {
  it('what one root signs counts for nothing under another', async () => {
    const headers = {
      'account-id': 'other',
      'display-name': 'Other',
      validation: 'verified',
      timestamp: '2025-01-01T00:00:00Z',
    };
    const other = signerOf('rogue-root');
    const account = await signAssertion(
      { type: 'account', headers: { ...headers, 'authority-id': 'other' } },
      other,
      now,
    );
    const key = await signAssertion(
      {
        type: 'account-key',
        headers: {
          'authority-id': 'other',
          'account-id': 'other',
          'public-key-sha3-384': other.publicKey.id,
          since: '2024-01-01T00:00:00Z',
        },
        body: other.publicKey.encoded,
      },
      other,
      now,
    );
    const foreign = new AssertionDatabase({ trusted: [account, key] });
    const ours = withBrand();
    expect(foreign.check(account, now)).toEqual({ valid: true });
    expect(ours.check(account, now)).toMatchObject({
      valid: false,
      errorClass: 'signing key unknown',
    });
    expect(foreign.check(read('valid/model-core18'), now)).toMatchObject({
      valid: false,
      errorClass: 'signing key unknown',
    });
  });

  it('only accounts and account-keys can be trusted', () => {
    expect(() => new AssertionDatabase({ trusted: [read('valid/model-core18')] })).toThrow(
      AssertionError,
    );
  });

  it('predefined assertions are found but never replaced', () => {
    const [storeKey, account, accountKey] = chain;
    if (storeKey === undefined || account === undefined || accountKey === undefined)
      throw new Error('three are there');
    const database = new AssertionDatabase({
      trusted,
      predefined: [storeKey, account, accountKey],
    });
    expect(database.check(read('valid/model-core18'), now)).toEqual({ valid: true });
    expect(database.isTrustedAccount('brand-acme')).toBe(false);
    expect(database.add(account, now)).toMatchObject({
      errorClass: 'clashes with a trusted assertion',
    });
  });
});

describe('batches', () => {
  it('add nothing when one of them fails', () => {
    const database = new AssertionDatabase({ trusted });
    const verdict = database.addBatch([...chain, read('invalid/tampered-header')], now);
    expect(verdict.valid).toBe(false);
    expect(database.find('account', ['brand-acme'])).toBeUndefined();
  });

  it('take what is already there for done', () => {
    const database = withBrand();
    expect(database.addBatch([...chain, read('valid/model-core18')], now)).toEqual({ valid: true });
    expect(database.find('model', ['16', 'brand-acme', 'acme-edge-18'])).toBeDefined();
  });
});

describe('a store of the caller', () => {
  it('is asked and filled', () => {
    const store = new MemoryStore(chain);
    const database = new AssertionDatabase({ trusted, store });
    expect(database.add(read('valid/model-core18'), now)).toEqual({ valid: true });
    expect([...store].map(({ type }) => type)).toContain('model');
  });

  it('is left alone by what is only tried out', () => {
    const store = new MemoryStore(chain);
    const database = new AssertionDatabase({ trusted, store });
    expect(database.overlaid().add(read('valid/model-core18'), now)).toEqual({ valid: true });
    expect([...store].length).toBe(chain.length);
  });
});

it('a verdict names the rule, the header and what is wrong, for people', () => {
  const verdict = withBrand().check(read('invalid/serial-by-other-brand'), now);
  expect(verdict).toMatchObject({ valid: false, errorClass: 'signing key unknown' });
  const database = withBrand();
  for (const name of ['chain/brand2-account', 'chain/brand2-account-key', 'valid/model-core18'])
    database.add(read(name), now);
  expect(database.check(read('invalid/serial-by-other-brand'), now)).toEqual({
    valid: false,
    errorClass: 'authority not allowed to sign this',
    rule: 'assertions.md 9, serial',
    header: 'authority-id',
    message: expect.stringMatching(
      /^serial is signed by account \w+, the model acme-edge-18 allows only brand-acme$/,
    ) as string,
  });
});

it('prerequisites are references that a store can be asked for', () => {
  expect(prerequisites(read('valid/snap-revision')).map(uniqueRef)).toEqual([
    'snap-declaration/16/Th3rm0Re4derSnapIdAAAAAAAAAAAA01',
    'account/Pu6Wz1Qx8Ec3Rv5Tb7Yn2Um4Ik9Ol0Pa',
    `account-key/${signerOf('store').publicKey.id}`,
  ]);
});

it('a signer that gives a wrong signature is found out', async () => {
  const [right, wrong] = [signerOf('store'), signerOf('brand')];
  const draft = {
    type: 'account',
    headers: {
      'authority-id': 'selfroot',
      'account-id': 'a1',
      'display-name': 'A',
      validation: 'unproven',
      timestamp: '2025-01-01T00:00:00Z',
    },
  } as const;
  await expect(signAssertion(draft, { ...wrong, publicKey: right.publicKey }, now)).rejects.toThrow(
    'the signature does not fit',
  );
});
