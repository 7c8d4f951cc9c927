import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

/** What to type where {@link findSnapTool} finds nothing. */
export const HOW_TO_INSTALL = 'apt-get update && apt-get install -y snapd gnupg';

/** Debian's `snap` program and GnuPG, with a folder of their own for keys. */
export interface SnapTool {
  /** Runs `snap …` and gives its output; throws with what it printed when it fails. */
  snap(args: readonly string[], env?: Readonly<Record<string, string>>): Buffer;
  /** As `snap`, beside a server of this process; files that it writes land in `folder`. */
  run(args: readonly string[], env: Readonly<Record<string, string>>): Promise<SnapRun>;
  readonly folder: string;
  /** The same beside another program, such as a changed copy. */
  of(program: string): SnapTool;
  /** Where the program is. */
  readonly program: string;
  /** Makes a 4096 bit key without passphrase, as `snap create-key` would make it with one. */
  createKey(name: string): void;
  /** Writes a file for the tool and gives its path. */
  file(name: string, content: string): string;
  /** Ends the key agent that GnuPG started in the folder, and removes the folder. */
  remove(): void;
}

export interface SnapRun {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

/** @returns undefined where the package can neither be found nor be had */
export function findSnapTool(): SnapTool | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'snap-'));
  const program = findProgram(folder);
  if (program === undefined || !works('gpg', ['--version'])) {
    rmSync(folder, { recursive: true, force: true });
    return undefined;
  }
  return toolIn(folder, program);
}

/**
 * The package is unpacked into the folder, which needs no root and leaves the machine as it is; where packages cannot be
 * downloaded one by one, root installs it.
 */
function findProgram(folder: string): string | undefined {
  const installed = (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((place) => join(place, 'snap'))
    .find((file) => existsSync(file));
  if (installed !== undefined && works(installed, ['help'])) return installed;
  const unpacked = join(folder, 'usr', 'bin', 'snap');
  if (works('apt-get', ['download', 'snapd'], folder)) {
    const archive = readdirSync(folder).find((name) => name.endsWith('.deb')) ?? '';
    if (works('dpkg-deb', ['-x', archive, '.'], folder) && works(unpacked, ['help']))
      return unpacked;
  }
  const isRoot = process.getuid?.() === 0;
  if (isRoot && works('apt-get', ['install', '-y', '--no-install-recommends', 'snapd']))
    return '/usr/bin/snap';
  return undefined;
}

function works(program: string, args: readonly string[], cwd?: string): boolean {
  return spawnSync(program, args, { cwd, stdio: 'ignore', timeout: 90_000 }).status === 0;
}

function toolIn(folder: string, program: string): SnapTool {
  const keys = mkdtempSync(join(folder, 'keys-'));
  const own = { SNAP_GNUPG_HOME: keys, HOME: folder };
  const run = (
    name: string,
    args: readonly string[],
    input = '',
    more: Readonly<Record<string, string>> = {},
  ): Buffer => {
    const env = { ...process.env, ...own, ...more };
    const { status, stdout, stderr } = spawnSync(name, args, { env, input, timeout: 60_000 });
    if (status !== 0) throw new Error(`${name} ${args.join(' ')} failed: ${stderr.toString()}`);
    return stdout;
  };
  return {
    folder,
    program,
    of: (other) => toolIn(folder, other),
    snap: (args, env) => run(program, args, '', env),
    run: (args, env) =>
      new Promise((resolve, reject) => {
        const child = spawn(program, args, {
          cwd: folder,
          env: { ...process.env, ...own, ...env },
          stdio: ['ignore', 'pipe', 'pipe'],
          timeout: 120_000,
        });
        let [out, err] = ['', ''];
        child.stdout.setEncoding('utf8').on('data', (text: string) => void (out += text));
        child.stderr.setEncoding('utf8').on('data', (text: string) => void (err += text));
        child.once('error', reject);
        child.once('close', (status) => resolve({ status, out, err }));
      }),
    createKey: (name) =>
      void run('gpg', ['--homedir', keys, '--batch', '--gen-key'], keyTemplate(name)),
    file(name, content) {
      writeFileSync(join(folder, name), content);
      return join(folder, name);
    },
    remove() {
      spawnSync('gpgconf', ['--homedir', keys, '--kill', 'all'], { timeout: 10_000 });
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** What snapd asks GnuPG for, without the passphrase that it would ask a person for (assertions.md 16). */
function keyTemplate(name: string): string {
  return [
    '%no-protection',
    'Key-Type: RSA',
    'Key-Length: 4096',
    `Name-Real: ${name}`,
    'Creation-Date: seconds=1451606400',
    'Preferences: SHA512',
    '%commit',
    '',
  ].join('\n');
}
