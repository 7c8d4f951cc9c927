import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Blob } from '#libs/database';
import type { BlobStore } from '#libs/storage';

const PREFIX = 'brandstore-review-';
/** Nobody works on a copy for so long: its process was killed. */
const ABANDONED_AFTER_MS = 24 * 3_600_000;

/**
 * Gives `work` the blob as a file in the folder for temporary files (`TMPDIR`), wherever blobs lie, and removes it after. Throws when
 * the bytes are not those that came.
 */
export async function withLocalCopy<Result>(
  blobs: BlobStore,
  blob: Pick<Blob, 'storageKey' | 'sha3384'>,
  work: (path: string) => Promise<Result>,
): Promise<Result> {
  await removeAbandoned();
  const folder = await mkdtemp(join(tmpdir(), PREFIX));
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

/** Copies whose process could not remove them any more; others may do the same at the same moment. */
async function removeAbandoned(): Promise<void> {
  const left = (await readdir(tmpdir())).filter((name) => name.startsWith(PREFIX));
  for (const folder of left.map((name) => join(tmpdir(), name))) {
    const { mtimeMs = Date.now() } = (await stat(folder).catch(() => undefined)) ?? {};
    if (Date.now() - mtimeMs < ABANDONED_AFTER_MS) continue;
    await rm(folder, { recursive: true, force: true }).catch(() => undefined);
  }
}
