import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FAILED, Failure } from '../usage.js';

const PROGRAM = join('tools', 'bootstrap.mjs');

/**
 * `brandstore simulate --devices N --scenario NAME`: a rehearsal (docs/update-control.md). It starts services of its own, which a
 * command line does not bring along: the checkout that it was built from does.
 */
export async function simulateCommand(args: string[]): Promise<number> {
  const root = checkoutAbove(dirname(fileURLToPath(import.meta.url)));
  if (root === null)
    throw new Failure(
      'cannot simulate: this needs the checkout of the store, not the command alone',
    );
  const child = spawn(process.execPath, [join(root, PROGRAM), 'simulate', ...args], {
    stdio: 'inherit',
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (status) => resolve(status ?? FAILED));
  });
}

function checkoutAbove(folder: string): string | null {
  if (existsSync(join(folder, PROGRAM))) return folder;
  const above = dirname(folder);
  return above === folder ? null : checkoutAbove(above);
}
