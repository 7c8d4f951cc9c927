import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { StackError } from './errors.js';
import { lastLines } from './log-file.js';
import { projectRoot } from './paths.js';

const run = promisify(execFile);

/** A program that is no part of the project. */
export interface Program {
  readonly command: string;
  readonly env: Readonly<Record<string, string>>;
  readonly title: string;
}

export interface DebianProgram {
  /** Of the folder in .brandstore/tools, and for words. */
  readonly name: string;
  /** In usr/bin. */
  readonly program: string;
  /** What apt is asked for; what they need beyond a bare Debian among it. */
  readonly packages: readonly string[];
  /** What else would help, in a line. */
  readonly howTo: string;
}

/** The first of these programs on PATH or in the usual folders. */
export function onPath(names: readonly string[]): Program | null {
  const folders = [
    ...(process.env.PATH ?? '').split(':'),
    ...['/usr/bin', '/usr/local/bin', '/opt/homebrew/bin'],
  ];
  for (const name of names) {
    const folder = folders.find((candidate) => candidate && existsSync(join(candidate, name)));
    if (folder) return { command: join(folder, name), env: {}, title: `${name} of the system` };
  }
  return null;
}

/**
 * The program out of Debian's package, unpacked into the checkout once by apt with a state of its own and `dpkg-deb -x`:
 * nothing outside the checkout changes, no root is needed.
 * @throws StackError `not-installed`, with what else helps
 */
export async function fromDebian(
  wanted: DebianProgram,
  log: (line: string) => void,
): Promise<Program> {
  const there = unpacked(wanted);
  if (there) return there;
  const { name, howTo } = wanted;
  if (!existsSync('/usr/bin/apt-get') || !existsSync('/usr/bin/dpkg-deb')) {
    throw new StackError(
      'not-installed',
      `cannot start ${name}: there is none on PATH. One line helps: ${howTo}`,
    );
  }
  log(
    `${name}: none on PATH, unpacking Debian's package into .brandstore/tools (nothing is installed)`,
  );
  try {
    await unpack(wanted);
  } catch (error) {
    const text = lastLines((error as { stderr?: string }).stderr ?? String(error), 6);
    throw new StackError(
      'not-installed',
      `cannot unpack ${name}. One line helps: ${howTo}\n${text}`,
      { cause: error },
    );
  }
  const program = unpacked(wanted);
  if (!program)
    throw new StackError(
      'not-installed',
      `cannot find ${wanted.program} in its package. One line helps: ${howTo}`,
    );
  return program;
}

const folderOf = ({ name }: DebianProgram): string =>
  join(projectRoot, '.brandstore', 'tools', name.toLowerCase());

function unpacked(wanted: DebianProgram): Program | null {
  const folder = folderOf(wanted);
  const command = join(folder, 'usr', 'bin', wanted.program);
  if (!existsSync(command)) return null;
  // Up to Debian 12 some packages have their libraries in /lib, which there is a link to /usr/lib.
  const folders = [join(folder, 'usr', 'lib'), join(folder, 'lib')].flatMap((lib) =>
    existsSync(lib) ? readdirSync(lib).map((name) => join(lib, name)) : [],
  );
  return {
    command,
    env: { LD_LIBRARY_PATH: folders.join(':') },
    title: `${wanted.program} of Debian's package`,
  };
}

async function unpack(wanted: DebianProgram): Promise<void> {
  const target = folderOf(wanted);
  const draft = `${target}.${process.pid}.tmp`;
  const apt = [
    `Dir::State=${draft}/state`,
    'Dir::State::status=/var/lib/dpkg/status',
    `Dir::Cache=${draft}/cache`,
    'Debug::NoLocking=1',
    `APT::Sandbox::User=${userInfo().username}`,
    'Acquire::Languages=none',
  ].flatMap((setting) => ['-o', setting]);
  try {
    for (const part of ['state/lists/partial', 'cache/archives/partial', 'root']) {
      mkdirSync(join(draft, part), { recursive: true });
    }
    await run('apt-get', [...apt, '-qq', 'update']);
    await run('apt-get', [
      ...[...apt, '-qq', '-y', '--no-install-recommends', '--download-only', '--reinstall'],
      ...['install', ...wanted.packages],
    ]);
    const archives = join(draft, 'cache', 'archives');
    for (const file of readdirSync(archives).filter((name) => name.endsWith('.deb'))) {
      await run('dpkg-deb', ['-x', join(archives, file), join(draft, 'root')]);
    }
    rmSync(target, { recursive: true, force: true });
    renameSync(join(draft, 'root'), target);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}
