import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import type { AddressGuard } from './address-guard.js';

/** Connecting, sending and reading the whole answer. */
const LIMIT_MS = 10_000;
const LARGEST_ANSWER_BYTES = 64 * 1024;

export interface Answer {
  /** Null: there was none. */
  readonly status: number | null;
  /** Null: 2xx, read to its end. */
  readonly error: string | null;
}

/** One POST of JSON; rejects never. Follows no redirect, and reads the answer within limits of time and size. */
export function postWebhook(
  target: string,
  body: string,
  headers: Readonly<Record<string, string>>,
  guard: AddressGuard,
  limitMs = LIMIT_MS,
): Promise<Answer> {
  const url = new URL(target);
  const isSecure = url.protocol === 'https:';
  // An address in the URL is connected to without a lookup.
  const literal = url.hostname.replace(/^\[|\]$/g, '');
  const refusal = isIP(literal) === 0 ? null : guard.refusal(literal, isSecure);
  if (refusal !== null) return Promise.resolve({ status: null, error: refusal });
  return new Promise((resolve) => {
    let status: number | null = null;
    const end = (error: string | null): void => {
      clearTimeout(timer);
      request.destroy();
      resolve({ status, error });
    };
    const request = (isSecure ? httpsRequest : httpRequest)(url, {
      method: 'POST',
      agent: false,
      lookup: guard.lookup(isSecure),
      headers: {
        ...headers,
        'content-type': 'application/json',
        'content-length': String(Buffer.byteLength(body)),
      },
    });
    const timer = setTimeout(() => end(`no answer within ${limitMs / 1000} s`), limitMs);
    request.on('error', (error: NodeJS.ErrnoException) =>
      end(error.message || (error.code ?? 'no connection')),
    );
    request.on('response', (response) => {
      status = response.statusCode ?? 0;
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > LARGEST_ANSWER_BYTES) end(`an answer of over ${LARGEST_ANSWER_BYTES} bytes`);
      });
      response.on('error', (error) => end(error.message));
      response.on('end', () =>
        end(status !== null && status >= 200 && status < 300 ? null : `status ${status}`),
      );
    });
    request.end(body);
  });
}
