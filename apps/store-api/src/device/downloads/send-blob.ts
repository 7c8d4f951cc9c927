import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import type { BlobAnswer } from '#libs/storage';
import { notFound } from '../http/device-error.js';

/** Never compressed: a compressed range would corrupt the file that a device resumes (device-api.md 2.3). */
export async function sendBlob(
  reply: FastifyReply,
  { status, headers, body }: BlobAnswer,
): Promise<void> {
  if (status === 404) throw notFound('no such blob');
  // Without a body Fastify would answer HEAD with a length of 0; a stream leaves the headers alone.
  const content = body ?? (status === 200 ? Readable.from([]) : undefined);
  await reply.code(status).headers(headers).send(content);
}
