import type { Client } from 'minio';
import { asBlobError, isFromS3 } from './s3-errors.js';

/** While some are sent, the next is read and hashed. */
const PARTS_AT_ONCE = 6;
const HEADERS = { 'Content-Type': 'application/octet-stream' };

/** Where an object goes. */
export interface S3Target {
  readonly client: Client;
  readonly bucket: string;
  readonly key: string;
}

/**
 * One multipart upload of all pieces; what is sent comes back as `spare`, so a file of any size goes through the same few pieces
 * of memory. Whole or not at all. @returns bytes
 */
export async function sendInParts(
  target: S3Target,
  begun: readonly Buffer[],
  rest: AsyncIterator<Buffer>,
  spare: Buffer[],
): Promise<number> {
  const { client, bucket, key } = target;
  const uploadId = await begin(target);
  const underWay = new Set<Promise<void>>();
  try {
    const etags: { part: number; etag: string }[] = [];
    let [count, sizeBytes] = [0, 0];
    const send = async (piece: Buffer): Promise<void> => {
      const part = (count += 1);
      sizeBytes += piece.length;
      while (underWay.size >= PARTS_AT_ONCE) await Promise.race(underWay);
      const one = sendPart(target, uploadId, part, piece).then((etag) => {
        etags.push({ part, etag });
        underWay.delete(one);
        spare.push(piece);
      });
      underWay.add(one);
      // Whoever waits next hears of it; until then it is nobody's.
      one.catch(() => {});
    };
    for (const piece of begun) await send(piece);
    for (let next = await rest.next(); !next.done; next = await rest.next()) await send(next.value);
    await Promise.all(underWay);
    etags.sort((a, b) => a.part - b.part);
    await client.completeMultipartUpload(bucket, key, uploadId, etags);
    return sizeBytes;
  } catch (error) {
    await rest.return?.();
    await Promise.allSettled(underWay);
    // Parts of an unfinished upload take room until they are taken back.
    await client.abortMultipartUpload(bucket, key, uploadId).catch(() => {});
    throw isFromS3(error) ? asBlobError(key, error) : error;
  }
}

async function begin({ client, bucket, key }: S3Target): Promise<string> {
  try {
    return await client.initiateNewMultipartUpload(bucket, key, HEADERS);
  } catch (error) {
    throw asBlobError(key, error);
  }
}

async function sendPart(
  { client, bucket, key }: S3Target,
  uploadId: string,
  part: number,
  piece: Buffer,
): Promise<string> {
  const query = `partNumber=${part}&uploadId=${encodeURIComponent(uploadId)}`;
  const request = { method: 'PUT', bucketName: bucket, objectName: key, query, headers: {} };
  const response = await client.makeRequestAsyncOmit(request, piece, [200]);
  return (response.headers.etag ?? '').replaceAll('"', '');
}
