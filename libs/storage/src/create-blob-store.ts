import { BlobError } from './blob-error.js';
import type { BlobStore } from './blob-store.js';
import { FileBlobStore } from './file-blob-store.js';
import { S3BlobStore } from './s3-blob-store.js';

/** As they stand in the environment; empty means not given. */
export interface BlobSettings {
  readonly S3_ENDPOINT?: string | undefined;
  readonly S3_PUBLIC_ENDPOINT?: string | undefined;
  readonly S3_ACCESS_KEY?: string | undefined;
  readonly S3_SECRET_KEY?: string | undefined;
  readonly S3_BUCKET?: string | undefined;
  readonly S3_REGION?: string | undefined;
  readonly BLOBS_DIR?: string | undefined;
  /** Signs links to blobs that lie in BLOBS_DIR. */
  readonly BLOBS_SECRET?: string | undefined;
}

/**
 * The store that the settings name: S3 where S3_ENDPOINT is given, else files.
 * @param publicUrl of the store, which serves `/blobs/…` when they are files
 * @throws BlobError `bad-settings`, `storage-unavailable`
 */
export async function createBlobStore(
  settings: BlobSettings,
  publicUrl: string,
): Promise<BlobStore> {
  if (settings.S3_ENDPOINT) {
    const s3 = new S3BlobStore({
      endpoint: settings.S3_ENDPOINT,
      publicEndpoint: settings.S3_PUBLIC_ENDPOINT,
      accessKey: need(settings, 'S3_ACCESS_KEY'),
      secretKey: need(settings, 'S3_SECRET_KEY'),
      bucket: need(settings, 'S3_BUCKET'),
      region: settings.S3_REGION,
    });
    await s3.prepare(settings.S3_REGION || undefined);
    return s3;
  }
  return new FileBlobStore(need(settings, 'BLOBS_DIR'), {
    baseUrl: publicUrl.replace(/\/$/, ''),
    secret: need(settings, 'BLOBS_SECRET'),
  });
}

function need(settings: BlobSettings, name: keyof BlobSettings): string {
  const value = settings[name];
  if (!value) throw new BlobError('bad-settings', `cannot open the blob store: ${name} is not set`);
  return value;
}
