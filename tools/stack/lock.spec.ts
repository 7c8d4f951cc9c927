import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockDirectory } from './lock.js';
import { identify } from './process-table.js';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'brandstore-lock-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

describe('the lock of a data folder', () => {
  it('is held by one at a time, and leaves nothing', () => {
    const lock = lockDirectory(dir);
    expect(() => lockDirectory(dir)).toThrow(
      `cannot use ${dir}: process ${process.pid} is using it`,
    );
    lock.release();
    lockDirectory(dir).release();
    expect(readdirSync(dir)).toEqual([]);
  });

  it.each([
    ['a process that is gone', { pid: spawnSync('true').pid, startedAt: '1', token: 't' }],
    ['a stranger who got the number since', { pid: process.pid, startedAt: 'earlier', token: 't' }],
  ])('passes on from %s', (_, holder) => {
    writeFileSync(join(dir, 'lock.json'), JSON.stringify(holder));
    lockDirectory(dir).release();
    expect(readdirSync(dir)).toEqual([]);
  });

  it('passes on from a file that says nothing', () => {
    writeFileSync(join(dir, 'lock.json'), '');
    lockDirectory(dir).release();
  });

  it('is not given back by one who lost it', () => {
    const lost = lockDirectory(dir);
    rmSync(join(dir, 'lock.json'));
    const holder = lockDirectory(dir);
    lost.release();
    expect(existsSync(join(dir, 'lock.json'))).toBe(true);
    holder.release();
  });
});

describe('the identity of a process', () => {
  it('is the same as long as it lives, and none for nobody', () => {
    expect(identify(process.pid)).toEqual(identify(process.pid));
    expect(identify(process.ppid)?.startedAt).not.toBe('');
    for (const pid of [0, -1, 1.5, Number.NaN, 2 ** 30]) expect(identify(pid)).toBeNull();
  });
});
