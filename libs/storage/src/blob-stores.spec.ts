import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { blobStoreContract } from './blob-store-contract.js';
import { createBlobStore } from './create-blob-store.js';
import { FileBlobStore } from './file-blob-store.js';
import { MemoryBlobStore } from './memory-blob-store.js';

const dir = mkdtempSync(join(tmpdir(), 'brandstore blobs ü-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
const signer = { baseUrl: 'http://store.test', secret: 's' };

describe.each([
  { name: 'memory', store: new MemoryBlobStore() },
  { name: 'files', store: new FileBlobStore(dir, signer) },
])('blobs in $name', ({ store }) => {
  it.each(blobStoreContract)('$title', ({ check }) => check(store));
});

describe('blobs in files', () => {
  it('leave no drafts behind, whatever happened before', () => {
    expect(readdirSync(join(dir, 'tmp'))).toEqual([]);
  });

  it('takes back drafts of killed processes, and only old ones', async () => {
    const store = new FileBlobStore(dir, signer);
    writeFileSync(join(dir, 'tmp', 'draft'), 'half');
    expect(await store.sweepUnfinished(new Date(Date.now() - 60_000))).toBe(0);
    expect(await store.sweepUnfinished(new Date(Date.now() + 60_000))).toBe(1);
    expect(readdirSync(join(dir, 'tmp'))).toEqual([]);
  });

  it('are found again by the next process', async () => {
    await new FileBlobStore(dir, signer).put('kept/blob', [Buffer.from('x')]);
    expect(await new FileBlobStore(dir, signer).head('kept/blob')).toEqual({
      key: 'kept/blob',
      sizeBytes: 1,
    });
  });
});

describe('choosing a store', () => {
  it('takes files where no S3 is given', async () => {
    const store = await createBlobStore(
      { BLOBS_DIR: dir, BLOBS_SECRET: 'x', S3_ENDPOINT: '' },
      'http://a/',
    );
    expect(store.kind).toBe('files');
    expect(await store.signGet('a/b', { expiresInS: 5 })).toMatch(
      /^http:\/\/a\/blobs\/a\/b\?expires=/,
    );
  });

  it('names the setting that is missing', async () => {
    await expect(createBlobStore({}, 'http://a')).rejects.toThrow('BLOBS_DIR is not set');
    await expect(
      createBlobStore({ S3_ENDPOINT: 'http://127.0.0.1:1' }, 'http://a'),
    ).rejects.toThrow('S3_ACCESS_KEY is not set');
  });

  it('says that an S3 server is not there', async () => {
    const settings = {
      S3_ENDPOINT: 'http://127.0.0.1:1',
      S3_ACCESS_KEY: 'a',
      S3_SECRET_KEY: 'b',
      S3_BUCKET: 'bucket',
    };
    await expect(createBlobStore(settings, 'http://a')).rejects.toMatchObject({
      code: 'storage-unavailable',
    });
  });
});
