import type { Readable } from 'node:stream';
import { BlobError } from './blob-error.js';

/** Bytes in pieces; a `Readable` is one, and so is a list of buffers. */
export type Bytes = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

export interface BlobInfo {
  readonly key: string;
  readonly sizeBytes: number;
}

/** Both ends included, as in HTTP; `end` beyond the last byte means the last. */
export interface ByteRange {
  readonly start: number;
  readonly end?: number;
}

export interface SignOptions {
  readonly expiresInS: number;
  /** What a browser or snapd saves it as. */
  readonly fileName?: string;
}

/**
 * Where snaps and other big bytes lie. Blobs are written once and never changed; who needs a digest puts
 * `hashing().of(…)` between. Memory stays flat whatever the size.
 */
export interface BlobStore {
  readonly kind: 's3' | 'files' | 'memory';
  /** Whole or not at all: an error of the source leaves nothing under the key. */
  put(key: string, content: Bytes): Promise<BlobInfo>;
  /** Small content under a key that nobody has; of many at once exactly one gets true. */
  createIfAbsent(key: string, content: Uint8Array): Promise<boolean>;
  /** @throws BlobError `blob-not-found`, `bad-range` when the range begins behind the end */
  get(key: string, range?: ByteRange): Promise<Readable>;
  head(key: string): Promise<BlobInfo | null>;
  /** A key that nobody has is no error. */
  delete(key: string): Promise<void>;
  /** @throws BlobError `blob-not-found` */
  copy(from: string, to: string): Promise<void>;
  /** From a temporary to its final key. @throws BlobError `blob-not-found` */
  rename(from: string, to: string): Promise<void>;
  /** In no particular order. */
  list(prefix: string): AsyncIterable<BlobInfo>;
  /** Takes back uploads begun before then that a killed process left unfinished; gives their number. */
  sweepUnfinished(before: Date): Promise<number>;
  /** A URL that gives the bytes to whoever has it, until it expires; HEAD and Range work on it too. */
  signGet(key: string, options: SignOptions): Promise<string>;
}

/**
 * Keys are made by us, of plain characters: S3 servers and clients disagree about the others (local-stack.md 5.6).
 * @throws BlobError `bad-key`
 */
export function checkKey(key: string): string {
  const isPlain = /^[A-Za-z0-9][A-Za-z0-9._/+=-]{0,511}$/.test(key);
  if (
    !isPlain ||
    key.endsWith('/') ||
    key.split('/').some((part) => part === '' || part === '.' || part === '..')
  ) {
    throw new BlobError('bad-key', `cannot use "${key.slice(0, 80)}" as the key of a blob`);
  }
  return key;
}

/** The range within a blob of that size. @throws BlobError `bad-range` */
export function clampRange(key: string, range: ByteRange, sizeBytes: number): Required<ByteRange> {
  const end = Math.min(range.end ?? sizeBytes - 1, sizeBytes - 1);
  if (range.start < 0 || range.start > end) {
    throw new BlobError(
      'bad-range',
      `cannot read ${key} from byte ${range.start}: it has ${sizeBytes}`,
    );
  }
  return { start: range.start, end };
}

export function notFound(key: string, cause?: unknown): BlobError {
  return new BlobError('blob-not-found', `cannot find blob ${key}`, { cause });
}

/** The same pieces as one kind of iterable. */
export async function* pieces(content: Bytes): AsyncGenerator<Uint8Array> {
  if (Symbol.asyncIterator in content) yield* content;
  else yield* content;
}
