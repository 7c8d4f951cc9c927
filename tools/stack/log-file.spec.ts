import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { lastLines, logSize, readLog } from './log-file.js';

const dir = mkdtempSync(join(tmpdir(), 'brandstore-log-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

describe('a log file', () => {
  it('is read from an offset, at most its end', () => {
    const file = join(dir, 'a.log');
    expect([readLog(file), logSize(file)]).toEqual(['', 0]);
    writeFileSync(file, 'one\ntwo\n');
    expect(readLog(file, 4)).toBe('two\n');
    writeFileSync(file, `${'x'.repeat(200_000)}end`);
    expect(readLog(file)).toHaveLength(65_536);
    expect(readLog(file).endsWith('end')).toBe(true);
  });

  it('gives its last words to an error', () => {
    expect(lastLines('a\n\nb\nc\n\n', 2)).toBe('  b\n  c');
  });
});
