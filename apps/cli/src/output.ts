import Table from 'cli-table3';
import colors from 'picocolors';
import type { Io } from './io.js';

type Cell = string | number | boolean | null | undefined;

/** What a command found: as one JSON value, or as text for people. */
export function print(io: Io, { json }: { json?: boolean }, value: unknown, text: string): void {
  io.out(json ? `${JSON.stringify(value, null, 2)}\n` : text === '' ? '' : `${text}\n`);
}

/** A table with a head; nothing and no are empty cells. */
export function table(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const drawn = new Table({
    head: head.map((text) => colors.bold(text)),
    style: { head: [], border: [], compact: true },
  });
  drawn.push(...rows.map((row) => row.map(cellText)));
  return drawn.toString();
}

/** Name and value, one line each. */
export function facts(rows: Readonly<Record<string, Cell>>): string {
  const width = Math.max(...Object.keys(rows).map((name) => name.length));
  return Object.entries(rows)
    .map(([name, value]) => `${colors.bold(name.padEnd(width))}  ${cellText(value)}`)
    .join('\n');
}

function cellText(value: Cell): string {
  if (value === true) return 'yes';
  return value === null || value === undefined || value === false ? '' : String(value);
}
