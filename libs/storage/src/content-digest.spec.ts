import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ContentDigest } from './content-digest.js';

const MIB = 2 ** 20;

describe('ContentDigest', () => {
  it('leaves the loop free while a content is hashed', async () => {
    const bytes = randomBytes(64 * MIB);
    const digest = new ContentDigest();
    let turns = 0;
    const counting = setInterval(() => (turns += 1), 1);
    for (let at = 0; at < bytes.length; at += MIB) await digest.add(bytes.subarray(at, at + MIB));
    const { sha256 } = await digest.end();
    clearInterval(counting);
    digest.close();
    expect(sha256).toBe(createHash('sha256').update(bytes).digest('hex'));
    expect(turns).toBeGreaterThan(10);
  });

  it('forgets a content that did not come to its end, and goes on with the next', async () => {
    const broken = new ContentDigest();
    await broken.add(Buffer.alloc(3 * MIB));
    broken.close();
    await expect(broken.end()).rejects.toThrow('cannot compute digests');
    const next = new ContentDigest();
    await next.add(Buffer.from('abc'));
    expect(await next.end()).toEqual({
      sha3_384: createHash('sha3-384').update('abc').digest('hex'),
      sha256: createHash('sha256').update('abc').digest('hex'),
    });
  });
});
