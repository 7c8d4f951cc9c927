import { randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { StackError } from './errors.js';
import { identify, isAlive, type ProcessId } from './process-table.js';

export interface DirectoryLock {
  release(): void;
}

/**
 * One supervisor per data folder: two Redis or two stores on one folder would start happily and spoil it (local-stack.md
 * 4.4, 6.1). `link()` of a finished private file makes the lock appear whole or not at all.
 * @throws StackError `taken`, naming the pid that holds it
 */
export function lockDirectory(dir: string): DirectoryLock {
  mkdirSync(dir, { recursive: true });
  const path = join(dir, 'lock.json');
  const mine = join(dir, `lock.${randomUUID()}.tmp`);
  const token = randomUUID();
  writeFileSync(mine, JSON.stringify({ ...identify(process.pid), token }), { mode: 0o600 });
  try {
    for (let attempt = 0; attempt < 50; attempt++) {
      if (tryLink(mine, path)) return { release: () => releaseOwn(path, token) };
      const holder = readHolder(path);
      if (holder === 'gone') continue;
      if (holder !== 'broken' && isAlive(holder)) {
        throw new StackError('taken', `cannot use ${dir}: process ${holder.pid} is using it`);
      }
      retire(path, holder);
    }
    throw new StackError('taken', `cannot lock ${dir}: many starts at once, try again`);
  } finally {
    rmSync(mine, { force: true });
  }
}

function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

type Holder = ProcessId & { readonly token: string };

function readHolder(path: string): Holder | 'gone' | 'broken' {
  try {
    const value = JSON.parse(readFileSync(path, 'utf8')) as Partial<Holder>;
    return typeof value.pid === 'number' && typeof value.startedAt === 'string' && value.token
      ? (value as Holder)
      : 'broken';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'gone' : 'broken';
  }
}

/** Moves a stale lock aside; when a faster starter has replaced it meanwhile, what we moved was theirs: put it back. */
function retire(path: string, stale: Holder | 'broken'): void {
  const aside = `${path}.${randomUUID()}.stale`;
  try {
    renameSync(path, aside);
  } catch {
    return; // somebody else retired it
  }
  const moved = readHolder(aside);
  const sameAsSeen =
    stale === 'broken' || (typeof moved === 'object' && moved.token === stale.token);
  if (!sameAsSeen) tryLink(aside, path);
  rmSync(aside, { force: true });
}

function releaseOwn(path: string, token: string): void {
  const holder = readHolder(path);
  if (typeof holder === 'object' && holder.token === token) rmSync(path, { force: true });
}
