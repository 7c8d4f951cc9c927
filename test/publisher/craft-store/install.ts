import { execFile } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { inject } from 'vitest';

const run = promisify(execFile);
/** The library that snapcraft 9 locks, and the one that reads its macaroons (publisher-api.md 0). */
const PACKAGES = ['craft-store==3.4.0', 'pymacaroons==0.13.0'];
const LIMIT_MS = 240_000;

/**
 * Path of a Python that has the client library of snapcraft, in a virtual environment below the folder of this run; null where
 * there is no Python or no package index. Tried once for each run.
 */
export async function installCraftStore(): Promise<string | null> {
  const folder = join(inject('stackDir'), 'craft-store');
  const [python, refused] = [join(folder, 'bin', 'python'), `${folder}.refused`];
  if (existsSync(refused)) {
    console.warn(readFileSync(refused, 'utf8'));
    return null;
  }
  const done = join(folder, 'installed');
  if (existsSync(done)) return python;
  try {
    await run('python3', ['-m', 'venv', folder], { timeout: LIMIT_MS });
    const quietly = ['-q', '--disable-pip-version-check', '--retries', '1', '--timeout', '20'];
    await run(python, ['-m', 'pip', 'install', ...quietly, ...PACKAGES], { timeout: LIMIT_MS });
    await run(python, ['-c', 'import craft_store, pymacaroons']);
    writeFileSync(done, '');
    return python;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    writeFileSync(refused, `cannot install ${PACKAGES.join(', ')}: ${why}`);
    return null;
  }
}
