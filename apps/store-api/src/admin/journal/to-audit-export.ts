import type { AuditRow } from '#libs/database';

export const AUDIT_FORMATS = ['ndjson', 'csv'] as const;

const COLUMNS = [
  'seq',
  'at',
  'actor',
  'action',
  'subject',
  'reason',
  'detail',
  'prevHash',
  'hash',
] as const;

/** A row per line, with all that its hash is made of: the chain can be checked without the store. */
export async function* toNdjson(rows: AsyncIterable<AuditRow>): AsyncGenerator<string> {
  for await (const row of rows) yield `${JSON.stringify(row)}\n`;
}

/** RFC 4180, and safe to open in a spreadsheet (update-control.md 5, 100). */
export async function* toCsv(rows: AsyncIterable<AuditRow>): AsyncGenerator<string> {
  yield `${COLUMNS.join(',')}\r\n`;
  for await (const row of rows)
    yield `${COLUMNS.map((column) => csvCell(textOf(row[column]))).join(',')}\r\n`;
}

function textOf(value: unknown): string {
  if (value instanceof Date) return value.toISOString();
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** A cell that begins like a formula would be run by the spreadsheet of whoever opens the file: an apostrophe makes it text. */
export function csvCell(text: string): string {
  const plain = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}
