import { request, type IncomingHttpHeaders } from 'node:http';
import { ROUTES } from '../../../apps/store-api/src/access/routes.js';

/** One request, byte for byte: headers may repeat, the body need not be text. */
export interface Call {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string | Buffer;
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

const LIMIT_MS = 30_000;

/** Sends it as it stands: no header is added or joined, no redirect followed. */
export function send(url: string, { method, path, headers = {}, body }: Call): Promise<RawAnswer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const call = request({ hostname, port, path, method, signal: AbortSignal.timeout(LIMIT_MS) });
    for (const [name, value] of Object.entries(headers)) call.setHeader(name, value);
    if (body !== undefined && !call.hasHeader('content-length'))
      call.setHeader('content-length', Buffer.byteLength(body));
    call.on('response', (answer) => {
      const pieces: Buffer[] = [];
      answer.on('data', (piece: Buffer) => pieces.push(piece));
      answer.on('error', reject);
      answer.on('end', () =>
        resolve({
          status: answer.statusCode ?? 0,
          headers: answer.headers,
          body: Buffer.concat(pieces),
        }),
      );
    });
    call.on('error', reject);
    call.end(body);
  });
}

const OF_DEVICES = /^\/(?:v2|api\/v1|blobs)(?:\/|$)|^\/$/;

/** `METHOD /path` of all that devices (and vaults) may call, from the one table: what is added there is asked here. */
export const DEVICE_ROUTES: readonly string[] = Object.entries(ROUTES)
  .filter(([route, rule]) => typeof rule === 'string' && OF_DEVICES.test(route.split(' ')[1] ?? ''))
  .map(([route]) => route);

/** A call of the route, if nothing better is known: with a word for each parameter. */
export function plainCall(route: string): Call {
  const [verb = '', path = ''] = route.split(' ');
  const method = verb === 'ALL' ? 'POST' : verb;
  return {
    method,
    path: path.replace(/:\w+|\*/g, 'nothing'),
    ...(method !== 'GET' && { headers: { 'content-type': 'application/json' }, body: '{}' }),
  };
}
