import { createPublicKey } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { publicKeyFromKeyObject } from '#libs/assertions';
import type { PublicKey, Signer } from '#libs/assertions';
import type { KeyPurpose } from './key-purpose.js';
import { KeyringError } from './keyring-error.js';
import type { MasterKeySource } from './master-key.js';
import type { HeldKey, Operation, Operations } from './operations.js';
import { readSealedKeyLabel } from './seal.js';
import { SignerLink } from './signer-link.js';

/** How to start a signer. */
export interface SignerOptions {
  readonly masterKey: MasterKeySource;
  /** Also open envelopes, never seal: start with the former key here, `reseal` all envelopes, then leave it out. */
  readonly formerMasterKeys?: readonly MasterKeySource[];
  /** Envelopes from the database; all must open. */
  readonly sealedKeys: readonly string[];
  /** Told each time the process has died or could not start again; for the log. */
  readonly onTrouble?: (error: KeyringError) => void;
}

/** A key just made, loaded and ready to sign; `sealed` is to be stored. */
export interface NewKey {
  readonly publicKey: PublicKey;
  readonly sealed: string;
}

/** 30 s is the longest that a device waits (serial-vault.md 11.3); prime numbers may take their time. */
const [SIGN_LIMIT_MS, MAKE_LIMIT_MS] = [30_000, 300_000];
const RESTART_DELAYS_MS = [0, 100, 500, 2000, 5000];

/** What seals and opens. */
type MasterKeys = Pick<SignerOptions, 'masterKey' | 'formerMasterKeys'>;

function masterKeysOf(keys: MasterKeys): readonly MasterKeySource[] {
  return [keys.masterKey, ...(keys.formerMasterKeys ?? [])];
}

function publicKeyOf(key: HeldKey): PublicKey {
  const publicKey = publicKeyFromKeyObject(
    createPublicKey({ key: Buffer.from(key.spki, 'base64'), format: 'der', type: 'spki' }),
  );
  if (publicKey.id !== key.keyId) {
    throw new KeyringError(
      'bad-key',
      `cannot trust key ${key.keyId}: its public half is another's`,
    );
  }
  return publicKey;
}

/**
 * The signer process as its parent sees it. When the process dies, what is under way rejects with `signer-died`, a new
 * process gets all sealed keys, and requests made meanwhile wait for it.
 */
export class KeyringClient {
  readonly #publicKeys = new Map<string, PublicKey>();
  readonly #sealed = new Map<string, string>();
  readonly #stopping = new AbortController();
  #link: Promise<SignerLink>;
  /** The process that counts; one that was relieved may end in peace. */
  #current: SignerLink;
  #masterKeys: MasterKeys;

  private constructor(
    private readonly options: SignerOptions,
    link: SignerLink,
  ) {
    this.#current = link;
    this.#masterKeys = options;
    const sealed = new Map(
      options.sealedKeys.map((text) => [readSealedKeyLabel(text).keyId, text]),
    );
    for (const key of link.keys) this.#remember(key, sealed.get(key.keyId));
    this.#link = Promise.resolve(link);
    this.#watch(link);
  }

  /** See `startSigner`. */
  static async start(options: SignerOptions): Promise<KeyringClient> {
    const { sealedKeys } = options;
    const link = await SignerLink.open({ masterKeys: masterKeysOf(options), sealedKeys });
    return new KeyringClient(options, link);
  }

  /** The public halves of all keys that can sign. */
  listKeys(): readonly PublicKey[] {
    return [...this.#publicKeys.values()];
  }

  /** Signs with one key, for the purpose it was sealed for. Throws `unknown-key`; signing rejects with `KeyringError`. */
  signer(keyId: string, purpose: KeyPurpose = 'general'): Signer {
    const publicKey = this.#publicKeys.get(keyId);
    if (publicKey === undefined) throw new KeyringError('unknown-key', `cannot find key ${keyId}`);
    return {
      publicKey,
      sign: async (content) => {
        const contentBase64 = Buffer.from(
          content.buffer,
          content.byteOffset,
          content.byteLength,
        ).toString('base64');
        const answer = await this.#request('sign', { keyId, purpose, contentBase64 });
        return Buffer.from(answer.signatureBase64, 'base64');
      },
    };
  }

  /** Makes an RSA key of 2048 to 8192 bits inside the signer. Store the envelope before anything is signed with the key. */
  async generate(bits: number, purpose: KeyPurpose = 'general'): Promise<NewKey> {
    const { key, sealed } = await this.#request('generate', { bits, purpose }, MAKE_LIMIT_MS);
    return { publicKey: this.#remember(key, sealed), sealed };
  }

  /** Opens one more envelope. */
  async load(sealed: string): Promise<PublicKey> {
    const { key } = await this.#request('load', { sealed });
    return this.#remember(key, sealed);
  }

  /** What `wrapForSigner` takes; another one after each start of the process. */
  async transportKey(): Promise<string> {
    return (await this.#request('transport', {})).publicKey;
  }

  /**
   * Takes an RSA key of 4096 bits or more made elsewhere, each form with or without passphrase: PEM (PKCS#8, PKCS#1), armour of
   * GnuPG, a file of snapd's key folder. It comes as `wrapForSigner` gives it: this process cannot read it. Rejects with `bad-key`.
   */
  async importKey(parcel: string, purpose: KeyPurpose = 'general'): Promise<NewKey> {
    const { key, sealed } = await this.#request('import', { parcel, purpose });
    return { publicKey: this.#remember(key, sealed), sealed };
  }

  /** The same key sealed with the master key of today (serial-vault.md 11.3); nothing stops meanwhile. */
  async reseal(sealed: string): Promise<string> {
    const wrapped = (await this.#request('reseal', { sealed })).sealed;
    const { keyId } = readSealedKeyLabel(wrapped);
    if (this.#sealed.has(keyId)) this.#sealed.set(keyId, wrapped);
    return wrapped;
  }

  /**
   * Goes over to other master keys while requests are served (serial-vault.md 11.3): a second process opens all envelopes and
   * takes over, the first one finishes what is under way. Rejects, and changes nothing, when an envelope does not open.
   */
  async exchange(masterKeys: MasterKeys): Promise<void> {
    const sealedKeys = [...this.#sealed.values()];
    const link = await SignerLink.open({ masterKeys: masterKeysOf(masterKeys), sealedKeys });
    const former = await this.#link;
    this.#masterKeys = masterKeys;
    this.#current = link;
    this.#link = Promise.resolve(link);
    this.#watch(link);
    await former.drain();
    await former.close();
  }

  /** Makes a root key sealed under a recovery secret. It is lost to this signer at `forget`, `close` or its death. */
  async generateRoot(bits: number, recoverySecret: string): Promise<NewKey> {
    const ask = { bits, purpose: 'root', recoverySecret } as const;
    const { key, sealed } = await this.#request('generate', ask, MAKE_LIMIT_MS);
    return { publicKey: this.#remember(key), sealed };
  }

  /** Opens a root key's envelope, under the same terms. */
  async loadRoot(sealed: string, recoverySecret: string): Promise<PublicKey> {
    const { key } = await this.#request('load', { sealed, recoverySecret });
    return this.#remember(key);
  }

  /** Drops a key from the signer's memory. */
  async forget(keyId: string): Promise<void> {
    this.#publicKeys.delete(keyId);
    this.#sealed.delete(keyId);
    await this.#request('forget', { keyId });
  }

  /** The signer's process id, for tests. */
  async pid(): Promise<number | undefined> {
    return (await this.#link).child.pid;
  }

  /** Ends the process; whatever is asked afterwards rejects with `closed`. */
  async close(): Promise<void> {
    this.#stopping.abort();
    const link = await this.#link.catch(() => null);
    await link?.close();
  }

  #remember(key: HeldKey, sealed?: string): PublicKey {
    const publicKey = publicKeyOf(key);
    this.#publicKeys.set(key.keyId, publicKey);
    if (sealed !== undefined) this.#sealed.set(key.keyId, sealed);
    return publicKey;
  }

  async #request<Op extends Operation>(
    op: Op,
    ask: Operations[Op]['ask'],
    timeLimitMs = SIGN_LIMIT_MS,
  ): Promise<Operations[Op]['answer']> {
    if (this.#stopping.signal.aborted)
      throw new KeyringError('closed', `cannot ${op}: the signer is closed`);
    const link = await this.#linkWithin(timeLimitMs);
    return link.request(op, ask, timeLimitMs);
  }

  /** A process that cannot start again must not hold requests for good. */
  async #linkWithin(timeLimitMs: number): Promise<SignerLink> {
    const waiting = new AbortController();
    const { signal } = waiting;
    try {
      const late = sleep(timeLimitMs, null, { signal }).catch(() => null);
      const link = await Promise.race([this.#link, late]);
      if (link !== null) return link;
      throw new KeyringError('signer-died', 'cannot wait longer for the signer to start again');
    } finally {
      waiting.abort();
    }
  }

  #watch(link: SignerLink): void {
    void link.died.then((error) => {
      if (this.#stopping.signal.aborted || link !== this.#current) return;
      this.options.onTrouble?.(error);
      this.#link = this.#restart();
      // Nobody may be waiting just then; each request sees the rejection by itself.
      this.#link.catch(() => {});
    });
  }

  async #restart(attempt = 0): Promise<SignerLink> {
    const { signal } = this.#stopping;
    const delay = RESTART_DELAYS_MS[Math.min(attempt, RESTART_DELAYS_MS.length - 1)];
    await sleep(delay, undefined, { signal }).catch(() => {});
    if (signal.aborted) throw new KeyringError('closed', 'cannot use a closed signer');
    try {
      const masterKeys = masterKeysOf(this.#masterKeys);
      const link = await SignerLink.open({ masterKeys, sealedKeys: [...this.#sealed.values()] });
      this.#current = link;
      this.#watch(link);
      return link;
    } catch (error) {
      if (error instanceof KeyringError) this.options.onTrouble?.(error);
      return this.#restart(attempt + 1);
    }
  }
}

/**
 * Starts the signer process and opens all envelopes in it. Rejects with the reason when the master key is not usable
 * (`master-key`) or an envelope does not open (`cannot-unseal`, `malformed-envelope`).
 *
 * @example
 * const keyring = await startSigner({ masterKey: { kind: 'file', path }, sealedKeys });
 * const signer = keyring.signer(storeKeyId);
 */
export function startSigner(options: SignerOptions): Promise<KeyringClient> {
  return KeyringClient.start(options);
}
