import { Readable } from 'node:stream';
import {
  checkKey,
  clampRange,
  notFound,
  pieces,
  type BlobInfo,
  type BlobStore,
  type Bytes,
  type ByteRange,
  type SignOptions,
} from './blob-store.js';
import { signUrl, type UrlSigner } from './signed-url.js';

/** For unit tests only; passes the same contract as the others. */
export class MemoryBlobStore implements BlobStore {
  readonly kind = 'memory';
  private readonly blobs = new Map<string, Buffer>();

  constructor(
    private readonly signer: UrlSigner = { baseUrl: 'http://store.test', secret: 'test' },
  ) {}

  async put(key: string, content: Bytes): Promise<BlobInfo> {
    checkKey(key);
    const parts: Uint8Array[] = [];
    for await (const part of pieces(content)) parts.push(part);
    const blob = Buffer.concat(parts);
    this.blobs.set(key, blob);
    return { key, sizeBytes: blob.length };
  }

  async createIfAbsent(key: string, content: Uint8Array): Promise<boolean> {
    if (this.blobs.has(checkKey(key))) return false;
    this.blobs.set(key, Buffer.from(content));
    return true;
  }

  async get(key: string, range?: ByteRange): Promise<Readable> {
    const blob = this.need(key);
    if (!range) return Readable.from([blob]);
    const { start, end } = clampRange(key, range, blob.length);
    return Readable.from([blob.subarray(start, end + 1)]);
  }

  async head(key: string): Promise<BlobInfo | null> {
    const blob = this.blobs.get(checkKey(key));
    return blob ? { key, sizeBytes: blob.length } : null;
  }

  async delete(key: string): Promise<void> {
    this.blobs.delete(checkKey(key));
  }

  async copy(from: string, to: string): Promise<void> {
    this.blobs.set(checkKey(to), this.need(from));
  }

  async rename(from: string, to: string): Promise<void> {
    await this.copy(from, to);
    if (from !== to) await this.delete(from);
  }

  async *list(prefix: string): AsyncIterable<BlobInfo> {
    for (const [key, blob] of this.blobs) {
      if (key.startsWith(prefix)) yield { key, sizeBytes: blob.length };
    }
  }

  async sweepUnfinished(): Promise<number> {
    return 0;
  }

  async signGet(key: string, { expiresInS, fileName }: SignOptions): Promise<string> {
    return signUrl(this.signer, checkKey(key), new Date(Date.now() + expiresInS * 1000), fileName);
  }

  private need(key: string): Buffer {
    const blob = this.blobs.get(checkKey(key));
    if (!blob) throw notFound(key);
    return blob;
  }
}
