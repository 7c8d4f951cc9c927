/** Big bytes: snaps and their like, in S3, in files, or in memory for unit tests. */
export { BlobError, type BlobErrorCode } from './blob-error.js';
export type { BlobInfo, BlobStore, ByteRange, Bytes, SignOptions } from './blob-store.js';
export { blobStoreContract, type ContractCase } from './blob-store-contract.js';
export { createBlobStore, type BlobSettings } from './create-blob-store.js';
export { FileBlobStore } from './file-blob-store.js';
export { Hashing, hashing, type Digests } from './hashing.js';
export { answerBlob, contentDisposition, parseRange, type BlobAnswer } from './http-range.js';
export { MemoryBlobStore } from './memory-blob-store.js';
export { S3BlobStore, type S3Settings } from './s3-blob-store.js';
export {
  BLOBS_PATH,
  signUrl,
  verifySignedUrl,
  type SignedUrlVerdict,
  type UrlSigner,
} from './signed-url.js';
