import { createHash } from 'node:crypto';
import { existsSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isRoot } from './account.js';

/** The checkout: the nearest folder upwards that has a package.json; the same from sources and from `dist`. */
export const projectRoot: string = findRoot(dirname(fileURLToPath(import.meta.url)));

function findRoot(from: string): string {
  if (existsSync(join(from, 'package.json'))) return from;
  const parent = dirname(from);
  if (parent === from) throw new Error('cannot find the package.json of this checkout');
  return findRoot(parent);
}

/** The start file of an app, for `Processes.start`; `init`: what makes its installation. Both are bundles (tools/bundle.mjs). */
export function appMain(app: string, part: 'main' | 'init' = 'main'): string {
  return join(projectRoot, 'dist', 'bundles', `${app}-${part}.js`);
}

/** A short name for a folder, so that data outside the checkout tells checkouts apart (decisions 24). */
export function pathHash(path: string): string {
  const real = existsSync(path) ? realpathSync(path) : resolve(path);
  return createHash('sha256').update(real).digest('hex').slice(0, 12);
}

/**
 * Where servers that must not run as root keep their data when we are root. A checkout may lie in a home that only root
 * can enter, hence a folder that everybody can traverse (local-stack.md 3.2).
 */
export function rootDataDir(): string {
  const base = existsSync('/var/lib') ? '/var/lib' : tmpdir();
  return join(base, 'brandstore', pathHash(projectRoot));
}

/** Where `npm start` keeps everything: BRANDSTORE_DIR, else `.brandstore/`, as root outside the checkout (decisions 24). */
export function defaultDataDir(): string {
  const chosen = process.env.BRANDSTORE_DIR;
  if (chosen) return resolve(chosen);
  return isRoot ? join(rootDataDir(), 'data') : join(projectRoot, '.brandstore');
}

/** Where the cluster of this data folder lies: in it, but as root only if it is one that the server can enter. */
export function postgresDir(dir: string): string {
  if (!isRoot) return dir;
  const outside = rootDataDir();
  return resolve(dir).startsWith(outside + sep)
    ? join(resolve(dir), 'postgres')
    : join(outside, `run-${pathHash(dir)}`);
}
