import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startStack, type Stack } from '#stack';
import { query } from './query.js';

describe('the embedded Postgres', () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await startStack({ env: {} });
  });
  afterAll(() => stack.stop());

  it('is an 18 in UTF-8 on a loopback port', async () => {
    const rows = await query(
      stack.env.DATABASE_URL,
      `SELECT current_setting('server_version') AS version, current_setting('server_encoding') AS encoding,
              current_database() AS db, inet_server_addr()::text AS addr`,
    );
    expect(rows).toEqual([
      {
        version: expect.stringMatching(/^18\./) as string,
        encoding: 'UTF8',
        db: 'brandstore',
        addr: '127.0.0.1/32',
      },
    ]);
  });

  it('leaves nothing behind', async () => {
    const other = await startStack({ env: {} });
    await other.stop();
    expect(existsSync(other.dir)).toBe(false);
    await expect(query(other.env.DATABASE_URL, 'SELECT 1')).rejects.toThrow(/ECONNREFUSED/);
  });

  it('keeps data and password over a restart, on whatever port is free', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'brandstore keep ü-'));
    const first = await startStack({ dir, env: {} });
    await query(first.env.DATABASE_URL, 'CREATE TABLE kept AS SELECT 7 AS n');
    await first.stop();
    const second = await startStack({ dir, env: {}, ephemeral: true });
    expect(await query(second.env.DATABASE_URL, 'SELECT n FROM kept')).toEqual([{ n: 7 }]);
    await second.stop();
    rmSync(dir, { recursive: true, force: true });
  });
});
