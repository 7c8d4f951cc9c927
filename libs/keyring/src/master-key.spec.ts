import { chmod, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMasterKeyFile, readMasterKey } from './master-key.js';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'master-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('the master key', () => {
  it('is made once, for its owner only', async () => {
    const path = join(folder, 'made');
    await createMasterKeyFile(path);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    await expect(createMasterKeyFile(path)).rejects.toMatchObject({ code: 'master-key' });
    const secret = await readFile(path, 'utf8');
    expect(await readMasterKey({ kind: 'file', path })).toEqual(
      await readMasterKey({ kind: 'secret', secret }),
    );
  });

  it('is refused when others may read it, when it is missing and when it is short', async () => {
    const path = join(folder, 'open');
    await createMasterKeyFile(path);
    await chmod(path, 0o640);
    const refused = { code: 'master-key' };
    await expect(readMasterKey({ kind: 'file', path })).rejects.toMatchObject(refused);
    await expect(readMasterKey({ kind: 'file', path: join(folder, 'none') })).rejects.toMatchObject(
      refused,
    );
    await expect(readMasterKey({ kind: 'secret', secret: 'short' })).rejects.toMatchObject(refused);
  });
});
