import { makeRsaKeySync } from './make-rsa-key.js';
import { createPublicKey } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { publicKeyFromKeyObject } from '#libs/assertions';
import { readSealedKeyLabel, sealKey, unsealKey } from './seal.js';

const privateKey = makeRsaKeySync(2048);
const keyId = publicKeyFromKeyObject(createPublicKey(privateKey)).id;
const key = { keyId, purpose: 'serial', key: privateKey } as const;
const master = { kind: 'master', key: Buffer.alloc(32, 1) } as const;

describe('sealed keys', () => {
  it('come back as they were, and say what they are without being opened', async () => {
    const sealed = await sealKey(key, master);
    expect(readSealedKeyLabel(sealed)).toEqual({ keyId, purpose: 'serial' });
    const opened = await unsealKey(sealed, [master]);
    expect(opened.key.equals(privateKey)).toBe(true);
    expect(opened).toMatchObject({ keyId, purpose: 'serial' });
  });

  it('never look the same twice', async () => {
    expect(await sealKey(key, master)).not.toBe(await sealKey(key, master));
  });

  it('do not open with another master key, nor with a passphrase', async () => {
    const sealed = await sealKey(key, master);
    const other = { kind: 'master', key: Buffer.alloc(32, 2) } as const;
    await expect(unsealKey(sealed, [other])).rejects.toMatchObject({ code: 'cannot-unseal' });
    const phrase = { kind: 'passphrase', passphrase: 'correct horse battery' } as const;
    await expect(unsealKey(sealed, [phrase])).rejects.toMatchObject({ code: 'cannot-unseal' });
  });

  it('V64 do not open with one bit flipped, nor with the content of another key', async () => {
    const sealed = await sealKey(key, master);
    const parts = sealed.split('.');
    const body = Buffer.from(parts.at(-1) ?? '', 'base64url');
    const withBody = (bytes: Buffer): string =>
      [...parts.slice(0, -1), bytes.toString('base64url')].join('.');
    expect((await unsealKey(withBody(body), [master])).keyId).toBe(keyId);
    const refused = { code: 'cannot-unseal' };
    for (const at of [0, 1, body.length >> 1, body.length - 17, body.length - 16, body.length - 1])
      for (const bit of [1, 128]) {
        const flipped = Buffer.from(body);
        flipped[at] = (flipped[at] ?? 0) ^ bit;
        await expect(unsealKey(withBody(flipped), [master])).rejects.toMatchObject(refused);
      }
    // Another key's salt, nonce and content under this key's label.
    const other = makeRsaKeySync(2048);
    const otherId = publicKeyFromKeyObject(createPublicKey(other)).id;
    const theirs = (await sealKey({ ...key, keyId: otherId, key: other }, master)).split('.');
    const exchanged = [...parts.slice(0, 5), ...theirs.slice(5)].join('.');
    expect(readSealedKeyLabel(exchanged).keyId).toBe(keyId);
    await expect(unsealKey(exchanged, [master])).rejects.toMatchObject(refused);
  });

  it('do not open once a label or a byte is exchanged', async () => {
    const sealed = await sealKey(key, master);
    const parts = sealed.split('.');
    const exchanged = [
      sealed.replace('.serial.', '.general.'),
      sealed.replace(keyId, 'A'.repeat(64)),
      ...[5, 6, 7].map((at) =>
        parts
          .map((part, i) => (i === at ? (part[0] === 'A' ? 'B' : 'A') + part.slice(1) : part))
          .join('.'),
      ),
    ];
    for (const text of exchanged) {
      expect(text).not.toBe(sealed);
      await expect(unsealKey(text, [master])).rejects.toMatchObject({ code: 'cannot-unseal' });
    }
  });

  it('under a recovery secret open with that secret only', async () => {
    const secret = { kind: 'passphrase', passphrase: 'correct horse battery' } as const;
    const sealed = await sealKey(key, secret);
    expect((await unsealKey(sealed, [secret])).key.equals(privateKey)).toBe(true);
    const wrong = { kind: 'passphrase', passphrase: 'wrong horse battery' } as const;
    await expect(unsealKey(sealed, [wrong])).rejects.toMatchObject({ code: 'cannot-unseal' });
  });

  it.each(['', 'sealed-key.2.hkdf', 'x'.repeat(2000)])('%j is no envelope', (text) => {
    expect(() => readSealedKeyLabel(text)).toThrow('cannot read the envelope');
  });
});
