import { isIP } from 'node:net';
import { UsageError } from '../usage.js';

/** The origin of a store; refuses to send secrets in clear text to another machine. */
export function storeUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !['http:', 'https:'].includes(url.protocol))
    throw new UsageError(
      `cannot use "${text}" as the store: give a URL such as https://store.example`,
    );
  if (url.protocol === 'http:' && !isLoopback(url.hostname))
    throw new UsageError(`cannot log in to ${url.origin}: passwords and tokens go over https only`);
  return url.origin;
}

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '[::1]' || (isIP(host) === 4 && host.startsWith('127.'));
