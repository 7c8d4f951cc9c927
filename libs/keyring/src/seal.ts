import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  hkdf,
  randomBytes,
  scrypt,
} from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { isKeyPurpose } from './key-purpose.js';
import type { KeyPurpose } from './key-purpose.js';
import { KeyringError } from './keyring-error.js';

/** What an envelope is opened with: the installation's master key, or the recovery secret of a root key file (decisions 5). */
export type SealingSecret =
  | { readonly kind: 'master'; readonly key: Uint8Array }
  | { readonly kind: 'passphrase'; readonly passphrase: string };

/** What an envelope says of itself without being opened. */
export interface SealedKeyLabel {
  readonly keyId: string;
  readonly purpose: KeyPurpose;
}

/** A key with its label. */
export interface PrivateKey extends SealedKeyLabel {
  readonly key: KeyObject;
}

// sealed-key.1.<kdf>.<purpose>.<key id>.<salt>.<nonce>.<ciphertext and tag>, all of base64url. The part before the nonce is
// associated data: version, purpose and key id cannot be exchanged (serial-vault.md 11.3, level 1).
const ENVELOPE =
  /^(sealed-key\.1\.(hkdf|scrypt)\.([a-z-]+)\.([A-Za-z0-9_-]{64})\.([A-Za-z0-9_-]{22}))\.([A-Za-z0-9_-]{16})\.([A-Za-z0-9_-]+)$/;
const TAG_BYTES = 16;
const deriveByHkdf = promisify(hkdf);

/** 128 MiB and about half a second: opened a few times in the life of an installation. Node 20 has no Argon2id. */
function stretch(passphrase: string, salt: Uint8Array): Promise<Buffer> {
  const cost = { N: 2 ** 17, r: 8, p: 1, maxmem: 256 * 2 ** 20 };
  return new Promise((resolve, reject) => {
    scrypt(passphrase.normalize('NFKC'), salt, 32, cost, (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
}

/** Each envelope has its own data key, by its own salt. */
async function dataKey(secret: SealingSecret, salt: Uint8Array): Promise<Buffer> {
  if (secret.kind === 'passphrase') return stretch(secret.passphrase, salt);
  return Buffer.from(await deriveByHkdf('sha256', secret.key, salt, 'keyring envelope 1', 32));
}

/** Seals the PKCS#8 form of a key with AES-256-GCM; the text is safe to keep in a database. */
export async function sealKey(key: PrivateKey, secret: SealingSecret): Promise<string> {
  const [salt, nonce] = [randomBytes(16), randomBytes(12)];
  const kdf = secret.kind === 'master' ? 'hkdf' : 'scrypt';
  const head = `sealed-key.1.${kdf}.${key.purpose}.${key.keyId}.${salt.toString('base64url')}`;
  const sealingKey = await dataKey(secret, salt);
  const plain = key.key.export({ type: 'pkcs8', format: 'der' });
  const cipher = createCipheriv('aes-256-gcm', sealingKey, nonce).setAAD(Buffer.from(head));
  const sealed = Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  plain.fill(0);
  sealingKey.fill(0);
  return `${head}.${nonce.toString('base64url')}.${sealed.toString('base64url')}`;
}

function parseEnvelope(sealed: string): SealedKeyLabel & {
  readonly head: string;
  readonly kdf: string;
  readonly parts: readonly [salt: Buffer, nonce: Buffer, body: Buffer];
} {
  const [, head, kdf, purpose = '', keyId, salt, nonce, body] = ENVELOPE.exec(sealed.trim()) ?? [];
  if (
    head === undefined ||
    kdf === undefined ||
    keyId === undefined ||
    salt === undefined ||
    nonce === undefined ||
    body === undefined ||
    !isKeyPurpose(purpose)
  ) {
    throw new KeyringError('malformed-envelope', 'cannot read the envelope of a sealed key');
  }
  const bytes = (text: string): Buffer => Buffer.from(text, 'base64url');
  return { keyId, purpose, head, kdf, parts: [bytes(salt), bytes(nonce), bytes(body)] };
}

/** Key id and purpose of an envelope, unverified until it is opened. Throws `malformed-envelope`. */
export function readSealedKeyLabel(sealed: string): SealedKeyLabel {
  const { keyId, purpose } = parseEnvelope(sealed);
  return { keyId, purpose };
}

function open(sealingKey: Buffer, envelope: ReturnType<typeof parseEnvelope>): KeyObject {
  const [, nonce, body] = envelope.parts;
  const decipher = createDecipheriv('aes-256-gcm', sealingKey, nonce)
    .setAAD(Buffer.from(envelope.head))
    .setAuthTag(body.subarray(-TAG_BYTES));
  const plain = Buffer.concat([decipher.update(body.subarray(0, -TAG_BYTES)), decipher.final()]);
  const key = createPrivateKey({ key: plain, format: 'der', type: 'pkcs8' });
  plain.fill(0);
  return key;
}

/**
 * Opens an envelope with the one of `secrets` that fits. Throws `malformed-envelope`, or `cannot-unseal` for other secrets and
 * for a changed envelope.
 */
export async function unsealKey(
  sealed: string,
  secrets: readonly SealingSecret[],
): Promise<PrivateKey> {
  const envelope = parseEnvelope(sealed);
  const { keyId, purpose, kdf } = envelope;
  let cause: unknown;
  for (const secret of secrets) {
    if (kdf !== (secret.kind === 'master' ? 'hkdf' : 'scrypt')) continue;
    const sealingKey = await dataKey(secret, envelope.parts[0]);
    try {
      return { keyId, purpose, key: open(sealingKey, envelope) };
    } catch (error) {
      cause = error;
    } finally {
      sealingKey.fill(0);
    }
  }
  throw new KeyringError(
    'cannot-unseal',
    `cannot open key ${keyId}: sealed with another secret, or changed since`,
    { cause },
  );
}
