import { createHmac, timingSafeEqual } from 'node:crypto';

/** Path below the store's address at which it serves signed links to its blobs. */
export const BLOBS_PATH = '/blobs/';

export interface UrlSigner {
  /** Without a slash at its end: the store's public address. */
  readonly baseUrl: string;
  readonly secret: string;
}

/** A link to a blob that the store itself serves; stores on files or in memory use it, S3 signs its own. */
export function signUrl(
  { baseUrl, secret }: UrlSigner,
  key: string,
  expiresAt: Date,
  fileName?: string,
): string {
  const expires = String(Math.floor(expiresAt.getTime() / 1000));
  const query = new URLSearchParams({
    expires,
    ...(fileName === undefined ? {} : { name: fileName }),
  });
  query.set('signature', sign(secret, key, expires, fileName ?? ''));
  return `${baseUrl}${BLOBS_PATH}${key}?${query.toString()}`;
}

export type SignedUrlVerdict =
  | { readonly ok: true; readonly key: string; readonly fileName?: string }
  | { readonly ok: false; readonly reason: 'expired' | 'bad-signature' };

/**
 * Whether a request for `/blobs/<key>?…` may have the blob. The method is not signed: only GET and HEAD have a route.
 * @param url path and query, or the whole URL
 */
export function verifySignedUrl(url: string, secret: string, now: Date): SignedUrlVerdict {
  const { pathname, searchParams } = new URL(url, 'http://store');
  const bad = { ok: false, reason: 'bad-signature' } as const;
  if (!pathname.startsWith(BLOBS_PATH)) return bad;
  const key = pathname.slice(BLOBS_PATH.length);
  const expires = searchParams.get('expires') ?? '';
  const name = searchParams.get('name');
  const given = Buffer.from(searchParams.get('signature') ?? '');
  const right = Buffer.from(sign(secret, key, expires, name ?? ''));
  if (given.length !== right.length || !timingSafeEqual(given, right)) return bad;
  if (Number(expires) * 1000 <= now.getTime()) return { ok: false, reason: 'expired' };
  return { ok: true, key, ...(name === null ? {} : { fileName: name }) };
}

function sign(secret: string, key: string, expires: string, fileName: string): string {
  const text = ['brandstore-blob-1', key, expires, fileName].join('\n');
  return createHmac('sha256', secret).update(text).digest('base64url');
}
