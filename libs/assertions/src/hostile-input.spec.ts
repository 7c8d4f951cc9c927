import { makeRsaKeySync } from '#libs/keyring';
import { describe, expect, it } from 'vitest';
import {
  AssertionError,
  contentToSign,
  decodeAssertion,
  localSigner,
  type AssertionDraft,
} from './index.js';

const signer = localSigner(makeRsaKeySync(2048));

/** Processor time in milliseconds that a refusal or its absence takes; the rules of a type run when it is signed, too. */
function timeOf(read: () => void): number {
  const before = process.cpuUsage();
  try {
    read();
  } catch (error) {
    expect(error).toBeInstanceOf(AssertionError);
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** Decodes signed content under a made-up signature. */
function decode(content: Buffer): void {
  decodeAssertion(Buffer.concat([content, Buffer.from('\n\nAcLB\n')]));
}

/** The best of three: the first call also compiles the code. */
function bestTimeOf(read: () => void): number {
  return Math.min(timeOf(read), timeOf(read), timeOf(read));
}

const TIMESTAMP = '2026-01-01T00:00:00Z';
const systemUser = (email: string): AssertionDraft => ({
  type: 'system-user',
  headers: {
    'authority-id': 'acme',
    'brand-id': 'acme',
    email,
    username: 'op',
    since: TIMESTAMP,
    until: TIMESTAMP,
  },
});
const store = (url: string): AssertionDraft => ({
  type: 'store',
  headers: {
    'authority-id': 'acme',
    store: 'acme',
    'operator-id': 'acme',
    url,
    timestamp: TIMESTAMP,
  },
});
const schema = (body: string): AssertionDraft => ({
  type: 'confdb-schema',
  headers: {
    'authority-id': 'acme',
    'account-id': 'acme',
    name: 'net',
    views: { a: { rules: ['x'] } },
    timestamp: TIMESTAMP,
  },
  body,
});
const declaration = (pattern: string): AssertionDraft => ({
  type: 'snap-declaration',
  headers: {
    'authority-id': 'acme',
    format: '1',
    series: '16',
    'snap-id': 'a'.repeat(32),
    'snap-name': 'x',
    'publisher-id': 'acme',
    plugs: { home: { 'allow-connection': { 'plug-attributes': { a: pattern } } } },
    timestamp: TIMESTAMP,
  },
});

/** The signer would refuse these too, so the content is put together by hand where it must be. */
function rawSchema(body: string): Buffer {
  const good = contentToSign(schema('{}'), signer.publicKey.id).toString();
  const [head = ''] = good.split('\n\n');
  return Buffer.from(`${head.replace('body-length: 2', `body-length: ${body.length}`)}\n\n${body}`);
}

describe('input made to be slow', () => {
  it.each([
    ['an e-mail address that repeats words', systemUser(`${'a '.repeat(200)}"`)],
    ['an e-mail address of one long word', systemUser(`${'a'.repeat(500)}`)],
    ['a long address with a broken fragment', store(`http://${'a'.repeat(60_000)}#\n`)],
    ['many brackets', declaration('[:'.repeat(30_000))],
    ['many groups', declaration('('.repeat(60_000))],
    ['nested repeats', declaration(`${'('.repeat(900)}${'a'.repeat(50_000)}${'*)'.repeat(900)}`)],
    ['many open quotes', declaration('\\Q'.repeat(30_000))],
  ])('%s', (_name, draft) => {
    const elapsed = bestTimeOf(() => decode(contentToSign(draft, signer.publicKey.id)));
    expect(elapsed).toBeLessThan(100);
  });

  it('a JSON body of nothing but brackets', () => {
    for (const body of [
      '['.repeat(1_000_000),
      `${'['.repeat(1400)}${']'.repeat(1400)}`,
      '{"a":'.repeat(200_000),
    ]) {
      expect(bestTimeOf(() => decode(rawSchema(body)))).toBeLessThan(100);
    }
  });

  it('a JSON body that is canonical and as deep as the size allows', () => {
    const depth = 900;
    const open = Array.from({ length: depth }, (_, level) => `${'  '.repeat(level)}[`).join('\n');
    const close = Array.from(
      { length: depth },
      (_, level) => `${'  '.repeat(depth - 1 - level)}]`,
    ).join('\n');
    const body = `${open}\n${'  '.repeat(depth)}1\n${close}`;
    expect(bestTimeOf(() => decode(rawSchema(body)))).toBeLessThan(100);
  });
});
