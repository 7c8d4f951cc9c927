import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Bytes } from './blob-store.js';
import { hashing } from './hashing.js';

const MIB = 2 ** 20;

async function drain(content: Bytes, maxBytes?: number) {
  const hash = hashing(maxBytes);
  let length = 0;
  for await (const chunk of hash.of(content)) length += chunk.length;
  return { length, digests: hash.digests };
}

function* inChunks(bytes: Buffer, chunkBytes: number): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
}

const sum = (name: string, bytes: Buffer): string => createHash(name).update(bytes).digest('hex');

describe('hashing', () => {
  it.each([
    [0, 1],
    [1000, 64 * 1024],
    [8 * MIB - 1, 64 * 1024],
    [8 * MIB, 64 * 1024],
    [8 * MIB + 1, 1000_003],
    [33 * MIB + 7, 3 * MIB],
  ])('knows the sums of %i bytes in chunks of %i', async (sizeBytes, chunkBytes) => {
    const bytes = randomBytes(sizeBytes);
    const { length, digests } = await drain(inChunks(bytes, chunkBytes));
    expect(length).toBe(sizeBytes);
    expect(digests).toEqual({
      sizeBytes,
      sha3_384: sum('sha3-384', bytes),
      sha256: sum('sha256', bytes),
    });
  });

  it('keeps two files apart that come at once', async () => {
    const files = [1, 2].map((no) => Buffer.alloc(20 * MIB, no));
    const seen = await Promise.all(files.map((bytes) => drain(inChunks(bytes, 100_000))));
    expect(seen.map(({ digests }) => digests.sha256)).toEqual(
      files.map((bytes) => sum('sha256', bytes)),
    );
  });

  it('ends with the error of its source, and beyond its limit', async () => {
    function* failing(): Generator<Buffer> {
      yield Buffer.alloc(20 * MIB);
      throw new Error('the line broke');
    }
    await expect(drain(failing())).rejects.toThrow('the line broke');
    await expect(drain([Buffer.alloc(12 * MIB)], 10 * MIB)).rejects.toThrow('cannot take more');
  });
});
