import { BlobError } from './blob-error.js';
import { pieces, type Bytes } from './blob-store.js';
import { ContentDigest, type ContentDigests } from './content-digest.js';

/** Of the bytes that went by; hex. */
export interface Digests extends ContentDigests {
  readonly sizeBytes: number;
}

/**
 * Passes bytes on, and knows their digests at the end: a file is read once. A generator, not a stream to `pipe` into, as an
 * error of the source must reach whoever reads.
 */
export class Hashing {
  private result: Digests | undefined;

  constructor(private readonly maxBytes: number) {}

  /** @throws BlobError `too-large`; and what the source throws */
  async *of(source: Bytes): AsyncGenerator<Uint8Array> {
    const digest = new ContentDigest();
    let sizeBytes = 0;
    try {
      for await (const chunk of pieces(source)) {
        sizeBytes += chunk.length;
        if (sizeBytes > this.maxBytes) {
          throw new BlobError('too-large', `cannot take more than ${this.maxBytes} bytes`);
        }
        await digest.add(chunk);
        yield chunk;
      }
      this.result = { sizeBytes, ...(await digest.end()) };
    } finally {
      digest.close();
    }
  }

  /** Known when the bytes have gone by. */
  get digests(): Digests {
    if (!this.result)
      throw new Error('internal error: digests asked for before the end of the bytes');
    return this.result;
  }
}

/**
 * @param maxBytes ends with BlobError `too-large` beyond it
 * @example const hash = hashing(); await blobs.put(key, hash.of(request)); hash.digests.sha3_384
 */
export function hashing(maxBytes: number = Number.MAX_SAFE_INTEGER): Hashing {
  return new Hashing(maxBytes);
}
