import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Blob } from '#libs/database';
import type { BlobStore } from '#libs/storage';

/** Gives `work` the blob as a file, wherever blobs lie, and removes it after. Throws when the bytes are not those that came. */
export async function withLocalCopy<Result>(
  blobs: BlobStore,
  blob: Pick<Blob, 'storageKey' | 'sha3384'>,
  work: (path: string) => Promise<Result>,
): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), 'review-'));
  try {
    const path = join(folder, 'upload');
    const sha3 = createHash('sha3-384');
    const source = await blobs.get(blob.storageKey);
    async function* hashed(): AsyncGenerator<Uint8Array> {
      for await (const chunk of source as AsyncIterable<Uint8Array>) {
        sha3.update(chunk);
        yield chunk;
      }
    }
    await pipeline(Readable.from(hashed()), createWriteStream(path, { mode: 0o600 }));
    if (sha3.digest('hex') !== blob.sha3384) {
      throw new Error(`cannot review ${blob.storageKey}: storage gives other bytes than it took`);
    }
    return await work(path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
