import { VaultError } from './vault-error.js';
import type { VaultSigningLogRow } from '#libs/database';

/** What tables need; the two assertions of a row are in the JSON form only. */
const COLUMNS = [
  'seq',
  'at',
  'outcome',
  'code',
  'model',
  'serial',
  'revision',
  'deviceKeyId',
  'signKeyId',
  'policyRevision',
  'apiKeyId',
  'address',
  'userAgent',
  'originalModel',
  'originalSerial',
  'operator',
  'thinned',
  'requestIdHash',
  'requestDigest',
  'hash',
] as const satisfies readonly (keyof VaultSigningLogRow)[];

export interface ExportFormat {
  readonly mediaType: string;
  readonly heading: string;
  /** Of a row as JSON. */
  readonly line: (json: string) => string;
}

const FORMATS: Readonly<Record<string, ExportFormat>> = {
  csv: {
    mediaType: 'text/csv; charset=utf-8',
    heading: `${COLUMNS.join(',')}\r\n`,
    line: (json) => {
      const row = JSON.parse(json) as Record<string, string | number | null>;
      return `${COLUMNS.map((name) => csvCell(row[name] ?? null)).join(',')}\r\n`;
    },
  },
  jsonl: {
    mediaType: 'application/x-ndjson',
    heading: '',
    line: (json) => `${json}\n`,
  },
};

/** `csv` or `jsonl`; throws `invalid` for others. */
export function exportFormat(name: string): ExportFormat {
  const format = FORMATS[name];
  if (format !== undefined) return format;
  const names = Object.keys(FORMATS).join(', ');
  throw new VaultError('invalid', `cannot export as ${JSON.stringify(name)}: one of ${names}`);
}

/** RFC 4180; what a spreadsheet would take for a formula is made a text, since strangers choose it (serial-vault.md 12.2). */
export function csvCell(value: string | number | Date | null): string {
  if (value === null) return '';
  if (typeof value === 'number') return String(value);
  const text = value instanceof Date ? value.toISOString() : value;
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
