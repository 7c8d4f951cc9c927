import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { StackError } from './errors.js';

/** The account a server runs under when it may not run under ours. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

export const isRoot: boolean = process.getuid?.() === 0;

/**
 * Postgres refuses root, so as root we drop to `postgres`, else `nobody`; we create no account (local-stack.md 3.2).
 * Undefined: run as ourselves.
 */
export function serverAccount(): Account | undefined {
  if (!isRoot) {
    try {
      userInfo();
    } catch (error) {
      throw new StackError(
        'no-account',
        `cannot start Postgres: user id ${process.getuid?.()} has no account on this machine; add one or set DATABASE_URL`,
        { cause: error },
      );
    }
    return undefined;
  }
  const accounts = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  for (const name of ['postgres', 'nobody']) {
    const row = accounts.find((fields) => fields[0] === name);
    if (row) return { uid: Number(row[2]), gid: Number(row[3]) };
  }
  throw new StackError(
    'no-account',
    'cannot start Postgres as root: there is neither an account postgres nor nobody; set DATABASE_URL',
  );
}
