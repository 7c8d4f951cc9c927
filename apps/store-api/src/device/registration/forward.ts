import { request as requestHttp, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';

/** Below the 30 s that a device waits (device-api.md 3.1). */
const LIMIT_MS = 25_000;

/** They speak of one connection, not of the message (RFC 9110, 7.6.1). */
const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
] as const;

/** The headers that travel on: all but those of the connection and `besides`. */
export function forwardable(
  headers: IncomingHttpHeaders,
  besides: readonly string[] = [],
): Record<string, string | string[]> {
  const named = (headers.connection ?? '')
    .toLowerCase()
    .split(',')
    .map((name) => name.trim());
  const dropped = new Set<string>([...HOP_BY_HOP, ...named, ...besides]);
  const kept = Object.entries(headers).filter(
    (entry): entry is [string, string | string[]] =>
      entry[1] !== undefined && !dropped.has(entry[0]),
  );
  return Object.fromEntries(kept);
}

/** Sends a POST on as it came and gives the answer with its body still to be read. Rejects when nobody answers in time. */
export function forward(
  url: URL,
  headers: Readonly<Record<string, string | string[]>>,
  body: Buffer,
): Promise<IncomingMessage> {
  const send = url.protocol === 'https:' ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const outgoing = send(
      url,
      {
        method: 'POST',
        headers: { ...headers, 'content-length': String(body.length) },
        signal: AbortSignal.timeout(LIMIT_MS),
      },
      resolve,
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}
