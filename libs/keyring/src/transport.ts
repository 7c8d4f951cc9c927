import {
  createCipheriv,
  createDecipheriv,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  randomBytes,
  type KeyObject,
} from 'node:crypto';
import { KeyringError } from './keyring-error.js';

// How a private key comes into the signer past processes that must not see it: whoever has it encrypts it for a key that the
// signer made at its start and keeps in its memory (X25519, HKDF, AES-256-GCM).

/** A private key made elsewhere, in each form that `KeyringClient.importKey` reads. */
export interface ForeignKey {
  readonly text: string;
  readonly passphrase?: string | undefined;
}

/** `key-transport.1.<sender's public key>.<nonce>.<ciphertext and tag>`, all of base64url. */
const PARCEL = /^(key-transport\.1\.([\w-]{59}))\.([\w-]{16})\.([\w-]{22,})$/;
const TAG_BYTES = 16;

const spkiOf = (key: KeyObject): Buffer => key.export({ type: 'spki', format: 'der' });
const publicKeyOf = (spki: string): KeyObject =>
  createPublicKey({ key: Buffer.from(spki, 'base64url'), type: 'spki', format: 'der' });

function parcelKey(privateKey: KeyObject, publicKey: KeyObject, sender: string): Buffer {
  const shared = diffieHellman({ privateKey, publicKey });
  return Buffer.from(hkdfSync('sha256', shared, Buffer.from(sender), 'key transport 1', 32));
}

/** Encrypts a key for the signer that offers `transportKey`; throws `bad-key` when that is none. */
export function wrapForSigner(transportKey: string, key: ForeignKey): string {
  try {
    const { publicKey, privateKey } = generateKeyPairSync('x25519');
    const head = `key-transport.1.${spkiOf(publicKey).toString('base64url')}`;
    const nonce = randomBytes(12);
    const cipher = createCipheriv(
      'aes-256-gcm',
      parcelKey(privateKey, publicKeyOf(transportKey), head),
      nonce,
    ).setAAD(Buffer.from(head));
    const body = Buffer.concat([
      cipher.update(JSON.stringify(key), 'utf8'),
      cipher.final(),
      cipher.getAuthTag(),
    ]);
    return `${head}.${nonce.toString('base64url')}.${body.toString('base64url')}`;
  } catch (cause) {
    throw new KeyringError('bad-key', 'cannot use the transport key of the signer', { cause });
  }
}

/** The signer's side; lives as long as its process. */
export class TransportKey {
  readonly #pair = generateKeyPairSync('x25519');

  /** What `wrapForSigner` takes. */
  get publicKey(): string {
    return spkiOf(this.#pair.publicKey).toString('base64url');
  }

  /** Throws `bad-key` for what was not wrapped for this process. */
  unwrap(parcel: string): ForeignKey {
    const [, head = '', sender = '', nonce = '', body = ''] = PARCEL.exec(parcel.trim()) ?? [];
    try {
      const key = parcelKey(this.#pair.privateKey, publicKeyOf(sender), head);
      const bytes = Buffer.from(body, 'base64url');
      const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(nonce, 'base64url'))
        .setAAD(Buffer.from(head))
        .setAuthTag(bytes.subarray(-TAG_BYTES));
      const plain = Buffer.concat([
        decipher.update(bytes.subarray(0, -TAG_BYTES)),
        decipher.final(),
      ]);
      // Written by `wrapForSigner`: nobody else can encrypt what this key opens and this form has.
      return JSON.parse(plain.toString('utf8')) as ForeignKey;
    } catch (cause) {
      throw new KeyringError(
        'bad-key',
        'cannot open what was sent: it was not encrypted for the transport key of now; ask for it again',
        { cause },
      );
    }
  }
}
