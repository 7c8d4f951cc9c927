import { randomUUID } from 'node:crypto';
import { Blob } from '#libs/database';
import { BlobError, hashing, type Bytes } from '#libs/storage';
import type { Resources } from '../../resources.js';
import { refusal } from '../wire-code.js';

/** 8 GiB: the largest snaps of today have some four. */
export const LARGEST_BLOB_BYTES = 8 * 2 ** 30;

/** Takes the bytes of uploads; anonymous by protocol, so a blob means nothing until an upload claims it (publisher-api.md 3.3). */
export class BlobIntakeService {
  constructor(private readonly resources: Resources) {}

  /**
   * Streams into storage while hashing, memory stays flat. File first, row after: what fails halfway leaves nothing that
   * counts. Returns the unguessable upload id. Throws `too-large`, and whatever the source throws.
   */
  async receive(content: Bytes, largestBytes = LARGEST_BLOB_BYTES): Promise<string> {
    const { db, blobs } = this.resources;
    const id = randomUUID();
    const storageKey = `uploads/${id}`;
    const hash = hashing(largestBytes);
    try {
      await blobs.put(storageKey, hash.of(content));
    } catch (error) {
      if (error instanceof BlobError && error.code === 'too-large') {
        throw refusal('too-large', 'too-large', `cannot take more than ${largestBytes} bytes`);
      }
      throw error;
    }
    const { sizeBytes, sha3_384: sha3384, sha256 } = hash.digests;
    await db.asSystem((tx) => tx.insert(Blob, { id, storageKey, sha3384, sha256, sizeBytes }));
    return id;
  }
}
