import type { Readable } from 'node:stream';
import type { BlobStore } from './blob-store.js';

/** What to answer to GET or HEAD for a blob. */
export interface BlobAnswer {
  readonly status: 200 | 206 | 404 | 416;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readable | null;
}

/** Serves a blob with `Range`, for snapd resumes cut downloads (RFC 9110, 14). */
export async function answerBlob(
  store: BlobStore,
  key: string,
  request: {
    readonly method: 'GET' | 'HEAD';
    readonly range?: string | undefined;
    readonly fileName?: string | undefined;
  },
): Promise<BlobAnswer> {
  const info = await store.head(key);
  if (!info) return { status: 404, headers: {}, body: null };
  const { sizeBytes } = info;
  const range = request.method === 'GET' ? parseRange(request.range, sizeBytes) : null;
  const common = {
    'accept-ranges': 'bytes',
    'content-type': 'application/octet-stream',
    ...(request.fileName === undefined
      ? {}
      : { 'content-disposition': contentDisposition(request.fileName) }),
  };
  if (range === 'unsatisfiable') {
    return {
      status: 416,
      headers: { ...common, 'content-range': `bytes */${sizeBytes}` },
      body: null,
    };
  }
  const length = range ? range.end - range.start + 1 : sizeBytes;
  const headers = { ...common, 'content-length': String(length) };
  const isBodyWanted = request.method === 'GET' && sizeBytes > 0;
  const body = isBodyWanted ? await store.get(key, range ?? undefined) : null;
  if (!range) return { status: 200, headers, body };
  const contentRange = `bytes ${range.start}-${range.end}/${sizeBytes}`;
  return { status: 206, headers: { ...headers, 'content-range': contentRange }, body };
}

/**
 * One range of bytes; null asks for the whole: no header, several ranges, or one that is not understood, which HTTP says
 * to ignore.
 */
export function parseRange(
  header: string | undefined,
  sizeBytes: number,
): { start: number; end: number } | 'unsatisfiable' | null {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? '');
  if (!match) return null;
  const [, first = '', last = ''] = match;
  if (first === '' && last === '') return null;
  if (first === '') {
    const length = Math.min(Number(last), sizeBytes);
    return length === 0 ? 'unsatisfiable' : { start: sizeBytes - length, end: sizeBytes - 1 };
  }
  const start = Number(first);
  const end = last === '' ? sizeBytes - 1 : Math.min(Number(last), sizeBytes - 1);
  if (last !== '' && Number(last) < start) return null;
  return start >= sizeBytes ? 'unsatisfiable' : { start, end };
}

/** `attachment` with a name that cannot end the header. */
export function contentDisposition(fileName: string): string {
  return `attachment; filename="${fileName.replaceAll(/[^A-Za-z0-9._+-]/g, '_')}"`;
}
