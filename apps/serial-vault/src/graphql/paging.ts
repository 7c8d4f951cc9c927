import { VaultError } from '../administration/vault-error.js';

export const DEFAULT_PAGE = 50;
const MAX_PAGE = 500;

export function pageSize(wanted: number): number {
  if (wanted >= 1 && wanted <= MAX_PAGE) return wanted;
  throw new VaultError('invalid', `cannot give a page of ${wanted}: 1 to ${MAX_PAGE}`);
}

/** The sequence number that a page of a log begins below. */
export function readSeqCursor(cursor: string | undefined): number | undefined {
  if (cursor === undefined) return undefined;
  if (/^\d{1,15}$/.test(cursor)) return Number(cursor);
  throw new VaultError('invalid', 'cannot read the cursor');
}

/** Where the next page begins; null after the last one. */
export function nextSeqCursor(
  rows: readonly { readonly seq: number }[],
  limit: number,
): string | null {
  const last = rows.at(-1);
  return last !== undefined && rows.length === limit && last.seq > 1 ? String(last.seq) : null;
}

interface DeviceCursor {
  readonly model: string;
  readonly serial: string;
}

export function readDeviceCursor(cursor: string | undefined): DeviceCursor | undefined {
  if (cursor === undefined) return undefined;
  // Neither a model nor a serial holds a slash (assertions.md 1.8).
  const [model, serial, ...more] = Buffer.from(cursor, 'base64url').toString().split('/');
  if (model && serial && more.length === 0) return { model, serial };
  throw new VaultError('invalid', 'cannot read the cursor');
}

export function nextDeviceCursor(rows: readonly DeviceCursor[], limit: number): string | null {
  const last = rows.at(-1);
  if (last === undefined || rows.length < limit) return null;
  return Buffer.from(`${last.model}/${last.serial}`).toString('base64url');
}
