import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs';

/** Text of a log file from `offset` on, at most its last 64 kB; empty when there is none. */
export function readLog(path: string, offset = 0): string {
  if (!existsSync(path)) return '';
  const size = statSync(path).size;
  const from = Math.max(offset, size - 65_536);
  const buffer = Buffer.alloc(Math.max(0, size - from));
  const file = openSync(path, 'r');
  try {
    const length = readSync(file, buffer, 0, buffer.length, from);
    return buffer.toString('utf8', 0, length);
  } finally {
    closeSync(file);
  }
}

export function logSize(path: string): number {
  return existsSync(path) ? statSync(path).size : 0;
}

/** The last lines of a text, indented, for an error message. */
export function lastLines(text: string, count = 12): string {
  const lines = text
    .trimEnd()
    .split('\n')
    .filter((line) => line.trim() !== '');
  return lines
    .slice(-count)
    .map((line) => `  ${line}`)
    .join('\n');
}
