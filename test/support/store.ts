import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { inject } from 'vitest';
import type { Stack } from '#stack';
import { seedOf } from './databases.js';
import {
  forgetDatabase,
  type Installation,
  type InstallationOptions,
  startInstallation,
} from '../../tools/installation/index.js';

/** The services of this run, as the global setup started them. */
export function testStack(): Stack {
  const name = randomBytes(4).toString('hex');
  const dir = join(inject('stackDir'), `files-${name}`);
  mkdirSync(dir, { recursive: true });
  const { BLOBS_DIR: _shared, ...env } = inject('stackEnv');
  return {
    dir,
    env: { ...env, BLOBS_DIR: join(dir, 'objects') },
    describe: () => [],
    stop: async () => {},
  };
}

/**
 * A store (with worker and vault, unless told otherwise) as real processes, in a database of its own; stop it in `afterAll`. Its keys
 * and passwords are those of all such stores of the run: of what `init` reads from the environment only KEY_BITS counts here.
 */
export async function startStore(
  options: Partial<InstallationOptions> = {},
): Promise<Installation> {
  const stack = (await options.stack) ?? testStack();
  const database = options.database ?? `test_${randomBytes(6).toString('hex')}`;
  const seed = await seedOf(options.env?.['KEY_BITS'] ?? '4096');
  const installation = await startInstallation({ ...options, stack, database, seed });
  return {
    ...installation,
    stop: async () => {
      await installation.stop();
      await forgetDatabase(stack, database);
    },
  };
}
