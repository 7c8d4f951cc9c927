import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { publicKeyFromKeyObject } from '#libs/assertions';
import { requireSignable } from './key-purpose.js';
import type { KeyPurpose } from './key-purpose.js';
import { KeyringError } from './keyring-error.js';
import type { HeldKey, Operation, Operations, OperationTable } from './operations.js';
import { makeRsaKey } from './make-rsa-key.js';
import { readOpenpgpSecretKey } from './openpgp-secret-key.js';
import { sealKey, unsealKey } from './seal.js';
import type { PrivateKey, SealingSecret } from './seal.js';
import { TransportKey, type ForeignKey } from './transport.js';

// The callback form works in the thread pool, so that several signatures are made at once.
const signOffThread = promisify(sign);
const [LEAST_BITS, MOST_BITS] = [2048, 8192];

type Ask<Op extends Operation> = Operations[Op]['ask'];
type Answer<Op extends Operation> = Promise<Operations[Op]['answer']>;

function held({ keyId, purpose, key }: PrivateKey): HeldKey {
  const spki = createPublicKey(key).export({ type: 'spki', format: 'der' }).toString('base64');
  return { keyId, purpose, spki };
}

function labelled(key: KeyObject, purpose: KeyPurpose): PrivateKey {
  return { keyId: publicKeyFromKeyObject(createPublicKey(key)).id, purpose, key };
}

function readPem(pem: string, passphrase: string | undefined): KeyObject {
  try {
    return createPrivateKey({ key: pem, ...(passphrase === undefined ? {} : { passphrase }) });
  } catch (cause) {
    throw new KeyringError('bad-key', 'cannot read the private key, or its passphrase is wrong', {
      cause,
    });
  }
}

function readForeignKey({ text, passphrase }: ForeignKey): KeyObject {
  const key = readOpenpgpSecretKey(text, passphrase) ?? readPem(text, passphrase);
  const { modulusLength = 0, publicExponent } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType !== 'rsa' || modulusLength < 4096 || publicExponent !== 65537n) {
    throw new KeyringError('bad-key', 'cannot take other keys than RSA of 4096 bits and more');
  }
  return key;
}

/** The private keys of a signer process and what it does with them. Lives in the child only. */
export class KeyTable implements OperationTable {
  readonly #keys = new Map<string, PrivateKey>();
  readonly #transport = new TransportKey();
  readonly #master: SealingSecret;
  readonly #masters: readonly SealingSecret[];

  /** Seals with `masterKey`; opens with the former ones as well, as long as a rotation is under way. */
  constructor(masterKey: Uint8Array, formerMasterKeys: readonly Uint8Array[] = []) {
    this.#master = { kind: 'master', key: masterKey };
    this.#masters = [masterKey, ...formerMasterKeys].map((key) => ({ kind: 'master', key }));
  }

  /** All keys held. */
  async list(): Answer<'list'> {
    return { keys: [...this.#keys.values()].map(held) };
  }

  /** RSASSA-PKCS1-v1_5 with SHA-512 over exactly the given bytes (assertions.md 5). */
  async sign({ keyId, purpose, contentBase64 }: Ask<'sign'>): Answer<'sign'> {
    const found = this.#keys.get(keyId);
    if (found === undefined) throw new KeyringError('unknown-key', `cannot find key ${keyId}`);
    if (found.purpose !== purpose) {
      throw new KeyringError('purpose', `cannot use key ${keyId} for ${purpose}`);
    }
    const content = Buffer.from(contentBase64, 'base64');
    requireSignable(purpose, content);
    const signature = await signOffThread('sha512', content, found.key);
    return { signatureBase64: signature.toString('base64') };
  }

  /** Makes an RSA key of 2048 to 8192 bits and exponent 65537 (assertions.md 4), and holds it. */
  async generate({ bits, purpose, recoverySecret }: Ask<'generate'>): Answer<'generate'> {
    if (!Number.isInteger(bits) || bits < LEAST_BITS || bits > MOST_BITS) {
      throw new KeyringError('bad-key', `cannot make an RSA key of ${bits} bits`);
    }
    const privateKey = await makeRsaKey(bits);
    const [secret = this.#master] = this.#secretsFor(recoverySecret);
    return this.#adopt(labelled(privateKey, purpose), secret);
  }

  /** Opens an envelope and holds its key. */
  async load({ sealed, recoverySecret }: Ask<'load'>): Answer<'load'> {
    const key = await unsealKey(sealed, this.#secretsFor(recoverySecret));
    if (labelled(key.key, key.purpose).keyId !== key.keyId) {
      throw new KeyringError('cannot-unseal', `cannot use key ${key.keyId}: the id is another's`);
    }
    this.#keys.set(key.keyId, key);
    return { key: held(key) };
  }

  async transport(): Answer<'transport'> {
    return { publicKey: this.#transport.publicKey };
  }

  /** Takes a key made elsewhere, wrapped for this process: PKCS#8, GnuPG armour, snapd's own form (serial-vault.md 11.3). */
  async import({ parcel, purpose }: Ask<'import'>): Answer<'import'> {
    const key = readForeignKey(this.#transport.unwrap(parcel));
    return this.#adopt(labelled(key, purpose), this.#master);
  }

  /** Re-wraps with the master key of today (serial-vault.md 11.3: rotation of the master key). */
  async reseal({ sealed }: Ask<'reseal'>): Answer<'reseal'> {
    const key = await unsealKey(sealed, this.#masters);
    return { sealed: await sealKey(key, this.#master) };
  }

  /** Drops a key, such as the root key after its use (decisions 5). */
  async forget({ keyId }: Ask<'forget'>): Answer<'forget'> {
    this.#keys.delete(keyId);
    return {};
  }

  #secretsFor(recoverySecret: string | undefined): readonly SealingSecret[] {
    if (recoverySecret === undefined) return this.#masters;
    return [{ kind: 'passphrase', passphrase: recoverySecret }];
  }

  async #adopt(key: PrivateKey, secret: SealingSecret): Promise<{ key: HeldKey; sealed: string }> {
    const sealed = await sealKey(key, secret);
    this.#keys.set(key.keyId, key);
    return { key: held(key), sealed };
  }
}
