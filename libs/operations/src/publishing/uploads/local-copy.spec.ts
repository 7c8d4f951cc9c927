import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readFile } from 'node:fs/promises';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { MemoryBlobStore } from '#libs/storage';
import { withLocalCopy } from './local-copy.js';

const HOUR_S = 3_600;
const bytes = Buffer.from('a snap');
const blob = { storageKey: 'one', sha3384: createHash('sha3-384').update(bytes).digest('hex') };
const blobs = new MemoryBlobStore();
let folder: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'local-copy-'));
  vi.stubEnv('TMPDIR', folder);
  await blobs.put(blob.storageKey, [bytes]);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

/** A folder of a process that was killed so long ago. */
function abandoned(name: string, hours: number): string {
  const left = mkdtempSync(join(folder, name));
  writeFileSync(join(left, 'upload'), 'half');
  const then = Date.now() / 1_000 - hours * HOUR_S;
  utimesSync(left, then, then);
  return left;
}

it('a blob is a file while it is worked on, and gone afterwards, also when that fails', async () => {
  expect(await withLocalCopy(blobs, blob, (path) => readFile(path))).toEqual(bytes);
  const failing = withLocalCopy(blobs, blob, () => Promise.reject(new Error('no')));
  await expect(failing).rejects.toThrow('no');
  const changed = { ...blob, sha3384: 'f'.repeat(96) };
  await expect(withLocalCopy(blobs, changed, () => Promise.resolve())).rejects.toThrow(
    'other bytes',
  );
  expect(readdirSync(folder)).toEqual([]);
});

it('what killed processes left is taken away after a day, and nothing else', async () => {
  const old = abandoned('brandstore-review-', 25);
  const underWay = abandoned('brandstore-review-', 23);
  const foreign = abandoned('review-', 25);
  await withLocalCopy(blobs, blob, () => Promise.resolve());
  expect([old, underWay, foreign].map((one) => existsSync(one))).toEqual([false, true, true]);
});
