import type { Alarm, Database } from '#libs/database';
import type { Signer } from '#libs/assertions';
import type { NewKey } from '#libs/keyring';
import type { BlobStore } from '#libs/storage';

/** What the operations stand on; made once by a process and given to every service's constructor. */
export interface Resources {
  readonly db: Database;
  readonly blobs: BlobStore;
  readonly keys: StoreKeys;
  readonly settings: Settings;
  /** What an operator must know; nobody listens where it is absent. */
  readonly alarm?: Alarm;
}

/** The store's own signing key, wherever it lives (decisions 5, 8). */
export interface StoreKeys {
  /** The account that owns root and store key: authority of declarations, revisions, accounts and account-keys. */
  readonly operatorAccountId: string;
  /** The current store key. */
  signer(): Promise<Signer>;
  /** Makes another key in the signer, for `StoreKeyService`. */
  generate(bits: number): Promise<NewKey>;
}

export interface Settings {
  /** Base of every absolute URL in answers, without a trailing slash. */
  readonly publicUrl: string;
  /** `redirect`: downloads lead to a signed object URL (decisions 14); `stream`: the store sends the bytes itself. */
  readonly downloads: 'redirect' | 'stream';
  /** Secret of this installation for session tokens, nonces and the like; 32 bytes, never a signing key. */
  readonly secret: Buffer;
  /** How long a publisher's call may take, in ms; absent: a minute. */
  readonly routeTimeoutMs?: number;
  /** Wait of a newcomer from which on polls are shed (decisions 11), in ms; absent: 250. */
  readonly shedDelayMs?: number;
  /** How long what devices say may wait until it is written (decisions 20), in ms; absent: a second. */
  readonly flushMs?: number;
  /** Base of the Serial Vault to which registrations are forwarded, without a trailing slash; absent: 503 (decisions 16). */
  readonly vaultUrl?: string;
  /** The program that makes deltas; absent: there are none (decisions 32). */
  readonly xdelta3?: string;
  /** Where webhooks may go besides the public internet: address and prefix length. */
  readonly webhookNetworks?: readonly (readonly [string, number])[];
  /** Signs links to blobs that the store serves itself, the same that the `BlobStore` was made with; absent when S3 serves them. */
  readonly blobsSecret?: string;
}
