export type BlobErrorCode =
  'blob-not-found' | 'bad-range' | 'bad-key' | 'too-large' | 'storage-unavailable' | 'bad-settings';

export class BlobError extends Error {
  constructor(
    readonly code: BlobErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'BlobError';
  }
}
