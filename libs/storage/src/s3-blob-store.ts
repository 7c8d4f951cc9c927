import { Client, type ClientOptions } from 'minio';
import type { Readable } from 'node:stream';
import { BlobError } from './blob-error.js';
import {
  checkKey,
  clampRange,
  notFound,
  type BlobInfo,
  type BlobStore,
  type Bytes,
  type ByteRange,
  type SignOptions,
} from './blob-store.js';
import { contentDisposition } from './http-range.js';
import { inParts } from './in-parts.js';
import { asBlobError, codeOf, unavailable } from './s3-errors.js';
import { sendInParts } from './s3-parts.js';

export interface S3Settings {
  /** `http(s)://host[:port]` as we reach it. */
  readonly endpoint: string;
  /** As devices reach it, when that is another address: it goes into signed URLs. */
  readonly publicEndpoint?: string | undefined;
  readonly accessKey: string;
  readonly secretKey: string;
  readonly bucket: string;
  readonly region?: string | undefined;
}

const PART_BYTES = 8 * 1024 * 1024;

/**
 * Blobs on an S3 server: what production uses. Uploads are our own multipart uploads, since minio's `putObject` never settles
 * when its source fails, joins unfinished uploads of the same key and fails on empty streams (local-stack.md 5.6).
 */
export class S3BlobStore implements BlobStore {
  readonly kind = 's3';
  private readonly client: Client;
  private readonly signingClient: Client;
  private readonly bucket: string;

  constructor(settings: S3Settings) {
    this.client = makeClient(settings, settings.endpoint);
    this.signingClient = makeClient(settings, settings.publicEndpoint ?? settings.endpoint);
    this.bucket = settings.bucket;
  }

  /** Makes the bucket if it is missing. @throws BlobError `storage-unavailable` */
  async prepare(region = 'us-east-1'): Promise<void> {
    try {
      if (!(await this.client.bucketExists(this.bucket))) {
        await this.client.makeBucket(this.bucket, region);
      }
    } catch (error) {
      const code = codeOf(error);
      if (code !== 'BucketAlreadyOwnedByYou' && code !== 'BucketAlreadyExists') {
        throw unavailable(`bucket ${this.bucket}`, error);
      }
    }
  }

  async put(key: string, content: Bytes): Promise<BlobInfo> {
    checkKey(key);
    const spare: Buffer[] = [];
    const parts = inParts(content, PART_BYTES, spare);
    const first = await parts.next();
    const head = first.done ? Buffer.alloc(0) : first.value;
    const second =
      head.length < PART_BYTES ? { done: true as const, value: undefined } : await parts.next();
    if (second.done) {
      await this.putSmall(key, head, {});
      return { key, sizeBytes: head.length };
    }
    const upload = { client: this.client, bucket: this.bucket, key };
    const sizeBytes = await sendInParts(upload, [head, second.value], parts, spare);
    return { key, sizeBytes };
  }

  async createIfAbsent(key: string, content: Uint8Array): Promise<boolean> {
    try {
      await this.putSmall(checkKey(key), Buffer.from(content), { 'If-None-Match': '*' });
      return true;
    } catch (error) {
      const code = error instanceof BlobError ? codeOf(error.cause) : undefined;
      // 409: another creation of the key is under way, and it will win.
      if (code === 'PreconditionFailed' || code === 'ConditionalRequestConflict') return false;
      throw error;
    }
  }

  async get(key: string, range?: ByteRange): Promise<Readable> {
    try {
      if (!range) return await this.client.getObject(this.bucket, checkKey(key));
      const info = await this.head(key);
      if (!info) throw notFound(key);
      const { start, end } = clampRange(key, range, info.sizeBytes);
      return await this.client.getPartialObject(this.bucket, key, start, end - start + 1);
    } catch (error) {
      throw asBlobError(key, error);
    }
  }

  async head(key: string): Promise<BlobInfo | null> {
    try {
      const { size } = await this.client.statObject(this.bucket, checkKey(key));
      return { key, sizeBytes: size };
    } catch (error) {
      const known = asBlobError(key, error);
      if (known.code === 'blob-not-found') return null;
      throw known;
    }
  }

  async delete(key: string): Promise<void> {
    try {
      await this.client.removeObject(this.bucket, checkKey(key));
    } catch (error) {
      throw asBlobError(key, error);
    }
  }

  async copy(from: string, to: string): Promise<void> {
    checkKey(to);
    try {
      // The source is escaped by minio itself; escaping it here gives NoSuchKey.
      await this.client.copyObject(this.bucket, to, `/${this.bucket}/${checkKey(from)}`);
    } catch (error) {
      throw asBlobError(from, error);
    }
  }

  async rename(from: string, to: string): Promise<void> {
    if (from === to) {
      if (!(await this.head(from))) throw notFound(from);
      return;
    }
    await this.copy(from, to);
    await this.delete(from);
  }

  async *list(prefix: string): AsyncIterable<BlobInfo> {
    try {
      for await (const item of this.client.listObjectsV2(this.bucket, prefix, true)) {
        const { name, size } = item as { name?: string; size?: number };
        if (name !== undefined) yield { key: name, sizeBytes: size ?? 0 };
      }
    } catch (error) {
      throw unavailable(`bucket ${this.bucket}`, error);
    }
  }

  async sweepUnfinished(before: Date): Promise<number> {
    let swept = 0;
    try {
      for await (const item of this.client.listIncompleteUploads(this.bucket, '', true)) {
        const { key, uploadId, initiated } = item as {
          key: string;
          uploadId: string;
          initiated: Date;
        };
        if (new Date(initiated) >= before) continue;
        await this.client.abortMultipartUpload(this.bucket, key, uploadId);
        swept++;
      }
    } catch (error) {
      throw unavailable(`bucket ${this.bucket}`, error);
    }
    return swept;
  }

  async signGet(key: string, { expiresInS, fileName }: SignOptions): Promise<string> {
    const extra: Record<string, string> =
      fileName === undefined
        ? {}
        : { 'response-content-disposition': contentDisposition(fileName) };
    return this.signingClient.presignedGetObject(this.bucket, checkKey(key), expiresInS, extra);
  }

  /** One request; minio adds digest and length. */
  private async putSmall(
    key: string,
    content: Buffer,
    headers: Record<string, string>,
  ): Promise<void> {
    try {
      const all = { ...headers, 'Content-Type': 'application/octet-stream' };
      const request = { method: 'PUT', bucketName: this.bucket, objectName: key, headers: all };
      await this.client.makeRequestAsyncOmit(request, content, [200]);
    } catch (error) {
      throw asBlobError(key, error);
    }
  }
}

/**
 * Without a digest of the body in the signature of a request, which takes both ends their time: over TLS minio leaves it out by
 * itself, and whoever needs to know that bytes are the right ones hashes them (hashing.ts).
 */
class UnsignedBodyClient extends Client {
  constructor(options: ClientOptions) {
    super(options);
    this.enableSHA256 = false;
  }
}

function makeClient({ accessKey, secretKey, region }: S3Settings, endpoint: string): Client {
  const url = new URL(endpoint);
  const useSSL = url.protocol === 'https:';
  return new UnsignedBodyClient({
    endPoint: url.hostname,
    port: Number(url.port || (useSSL ? 443 : 80)),
    useSSL,
    accessKey,
    secretKey,
    // Known, so that signing a URL asks nobody.
    region: region || 'us-east-1',
    pathStyle: true,
    partSize: PART_BYTES,
  });
}
