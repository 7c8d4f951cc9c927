import { BlobError } from './blob-error.js';
import { notFound } from './blob-store.js';

export function codeOf(error: unknown): string | undefined {
  return (error as { code?: string } | undefined)?.code;
}

/** Errors of the server carry its code; those of the source of an upload are passed on as they are. */
export function isFromS3(error: unknown): boolean {
  return error instanceof Error && error.name === 'S3Error';
}

export function asBlobError(key: string, error: unknown): BlobError {
  if (error instanceof BlobError) return error;
  const code = codeOf(error);
  if (code === 'NoSuchKey' || code === 'NotFound') return notFound(key, error);
  return unavailable(`blob ${key}`, error);
}

export function unavailable(what: string, cause: unknown): BlobError {
  const why = cause instanceof Error ? cause.message || codeOf(cause) : String(cause);
  return new BlobError('storage-unavailable', `cannot reach ${what} on S3: ${why}`, { cause });
}
