import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startStack } from './stack.js';

describe('services given by URL', () => {
  it('are asked for, and named when they are not there; nothing stays behind', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'brandstore-given-'));
    const env = { DATABASE_URL: 'postgres://u:geheim@127.0.0.1:1/store' };
    const failed = startStack({ dir, env, patienceMs: 200 });
    await expect(failed).rejects.toThrow(
      /^cannot reach Postgres at 127\.0\.0\.1:1\/store: .*ECONNREFUSED/,
    );
    await expect(failed).rejects.not.toThrow(/geheim/);
    expect(existsSync(join(dir, 'lock.json'))).toBe(false);
    expect(readdirSync(dir)).toEqual(['blobs.secret']);
    rmSync(dir, { recursive: true });
  });

  it('must be complete', async () => {
    const env = { DATABASE_URL: 'postgres://127.0.0.1:1/x', S3_ENDPOINT: 'http://127.0.0.1:2' };
    await expect(startStack({ env, patienceMs: 100 })).rejects.toThrow(
      'cannot use S3_ENDPOINT: S3_ACCESS_KEY, S3_SECRET_KEY, S3_BUCKET not set',
    );
    await expect(
      startStack({ env: { DATABASE_URL: 'localhost:5432' }, patienceMs: 100 }),
    ).rejects.toThrow(
      'cannot use DATABASE_URL: it must look like postgres://user:password@host:5432/database',
    );
    await expect(
      startStack({
        env: { DATABASE_URL: 'postgres://127.0.0.1:1/x', REDIS_URL: 'here' },
        patienceMs: 100,
      }),
    ).rejects.toThrow('cannot use REDIS_URL: it must look like redis://host:6379');
  });
});
