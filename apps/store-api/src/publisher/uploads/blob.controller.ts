import { HttpCode, Inject, Post, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { BlobIntakeService, LARGEST_BLOB_BYTES, OperationError } from '#libs/operations';
import { PublisherController } from '../surface.js';

/** Boundaries and headers around the one file. */
const FRAME_BYTES = 64 * 1024;

/** P1: anonymous by protocol, streamed, nothing buffered (publisher-api.md 3.3). */
@PublisherController('unscanned-upload')
export class BlobController {
  constructor(@Inject(BlobIntakeService) private readonly intake: BlobIntakeService) {}

  @Post()
  @HttpCode(200)
  async receive(@Req() request: FastifyRequest): Promise<{ successful: true; upload_id: string }> {
    if (Number(request.headers['content-length'] ?? 0) > LARGEST_BLOB_BYTES + FRAME_BYTES) {
      throw new OperationError('too-large', `cannot take more than ${LARGEST_BLOB_BYTES} bytes`);
    }
    // Snaps of some gigabytes over a slow line take hours; other routes keep their limits.
    request.raw.socket.setTimeout(0);
    const part = await request.file({ limits: { fileSize: Number.MAX_SAFE_INTEGER, files: 1 } });
    if (part?.fieldname !== 'binary') {
      throw new OperationError('invalid', `cannot find the file: send it as the part 'binary'`);
    }
    try {
      return { successful: true, upload_id: await this.intake.receive(part.file) };
    } catch (error) {
      if (!part.file.errored) throw error;
      // The connection or the form ended before the file did; nothing is kept of it.
      throw new OperationError('invalid', 'cannot take the file: it was cut off', undefined, {
        cause: error,
      });
    }
  }
}
