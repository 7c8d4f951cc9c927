import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { basename } from 'node:path';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { Failure } from '../usage.js';

/** Told how many bytes of the file have gone, of how many. */
export type Sent = (bytes: number, of: number) => void;

const READ_BYTES = 2 ** 20;

const answerOf = z.object({ successful: z.literal(true), upload_id: z.string() });

/**
 * Sends a file as the one part of a form, with its length told beforehand and nothing of it kept in memory; `fetch` can do only
 * one of the two. Without `Authorization`: what it is for, the push says (publisher-api.md 3.3).
 */
export async function sendFile(url: string, file: string, onSent: Sent): Promise<string> {
  const { size } = await stat(file);
  const boundary = randomBytes(16).toString('hex');
  const name = basename(file).replaceAll(/["\r\n]/g, '_');
  const head =
    `--${boundary}\r\nContent-Disposition: form-data; name="binary"; filename="${name}"\r\n` +
    'Content-Type: application/octet-stream\r\n\r\n';
  const tail = `\r\n--${boundary}--\r\n`;
  const request = (url.startsWith('https:') ? httpsRequest : httpRequest)(
    `${url}/unscanned-upload/`,
    {
      method: 'POST',
      headers: {
        accept: 'application/json',
        'content-type': `multipart/form-data; boundary=${boundary}`,
        'content-length': Buffer.byteLength(head) + size + tail.length,
      },
    },
  );
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', resolve).once('error', reject);
  });
  async function* body(): AsyncGenerator<Buffer> {
    let sent = 0;
    yield Buffer.from(head);
    const chunks = createReadStream(file, { highWaterMark: READ_BYTES });
    for await (const chunk of chunks as AsyncIterable<Buffer>) {
      yield chunk;
      onSent((sent += chunk.length), size);
    }
    yield Buffer.from(tail);
  }
  // A store that refuses answers before it has all: its word counts more than the broken pipe.
  const sending = pipeline(body, request).catch((error: unknown) => {
    request.destroy(error instanceof Error ? error : undefined);
  });
  try {
    const answer = await answered;
    const said = await text(answer);
    await sending;
    if (answer.statusCode === 200) return answerOf.parse(JSON.parse(said)).upload_id;
    throw new Failure(`cannot send ${name}: the store answered ${answer.statusCode}: ${said}`);
  } catch (error) {
    if (error instanceof Failure) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new Failure(`cannot send ${name} to ${url}: ${why}`, { cause: error });
  }
}
