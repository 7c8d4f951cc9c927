import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { publicKeyFromKeyObject } from '#libs/assertions';
import { readOpenpgpSecretKey } from './openpgp-secret-key.js';

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8');
// One throw-away key of GnuPG 2.2, exported with and without passphrase; the id was made from the modulus that gpg prints.
const [locked, open] = ['gnupg-protected.asc', 'gnupg-clear.asc'].map((f) =>
  read(`../testing/${f}`),
);
const passphrase = 'correct horse größer';
const keyId = '3Up_xrY_Vu36W3KpTqVR86OB51gAJmyhn9yAu4C6Ni3pHnlhj-HqSEgO-WMbuMxu';

describe('secret keys of GnuPG', () => {
  it.each([
    ['with passphrase', locked, passphrase],
    ['without passphrase', open, undefined],
    ['without passphrase, though one is given', open, passphrase],
    ['with Windows line ends', locked?.replaceAll('\n', '\r\n'), passphrase],
  ])('%s are read', (_, text = '', phrase) => {
    const key = readOpenpgpSecretKey(text, phrase);
    if (key === null) return expect.unreachable();
    expect(publicKeyFromKeyObject(key).id).toBe(keyId);
    const signature = sign('sha512', Buffer.from('content'), key);
    expect(verify('sha512', Buffer.from('content'), createPublicKey(key), signature)).toBe(true);
  });

  it.each([
    [undefined, 'it has a passphrase'],
    ['wrong horse', 'its passphrase is wrong or it is damaged'],
    ['', 'its passphrase is wrong or it is damaged'],
  ])('do not open with passphrase %j', (phrase, why) => {
    expect(() => readOpenpgpSecretKey(locked ?? '', phrase)).toThrow(why);
  });

  it('are refused when damaged or cut, never misread', () => {
    const lines = (open ?? '').split('\n');
    const cut = [...lines.slice(0, 20), ...lines.slice(-2)].join('\n');
    expect(() => readOpenpgpSecretKey(cut)).toThrow('it ends early');
    const line = lines[20] ?? '';
    const swapped = lines.with(20, line.slice(1) + line.slice(0, 1)).join('\n');
    expect(() => readOpenpgpSecretKey(swapped)).toThrow('damaged');
  });
});

describe('files of snapd’s key folder', () => {
  const folder = '../../../test/vectors/assertions/keys/';
  const names = readdirSync(new URL(folder, import.meta.url))
    .filter((file) => file.endsWith('.snapd-private-key'))
    .map((file) => file.replace('.snapd-private-key', ''));

  it('are among the vectors', () => {
    expect(names.length).toBeGreaterThan(10);
  });

  it.each(names)('%s is the same key as its PEM', (name) => {
    const key = readOpenpgpSecretKey(read(`${folder}${name}.snapd-private-key`));
    expect(key?.equals(createPrivateKey(read(`${folder}${name}.pem`)))).toBe(true);
  });
});

it.each(['', 'AAAA', '-----BEGIN PRIVATE KEY-----\n'])('%j is neither', (text) => {
  expect(readOpenpgpSecretKey(text)).toBeNull();
});
