import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Assertion } from '#libs/assertions';
import type { Program } from '../../../tools/stack/debian-package.js';
import type { SnapRun, SnapTool } from '../../assertions/snap-tool.js';
import { unsquashfsScript } from './squashfs.js';
import { withOurRoot } from './with-our-root.js';

/** What is said where the daemon cannot be run: see `squashfsTools` and {@link rootWithoutRights}. */
export const NEEDS = 'snapd, gnupg and squashfs-tools of Debian, and root or user namespaces';

/** snapd keeps locks there, whatever root it is given. */
const OWN_LOCKS =
  '/bin/mount -t tmpfs none /var/lib && mkdir -p /var/lib/snapd/inhibit && exec "$0" "$@"';

/** The words before a command that make it root in its own eyes, with locks of its own; undefined where that is not allowed. */
export function rootWithoutRights(): readonly string[] | undefined {
  const ways = [['--user', '--map-root-user', '--mount'], ['--mount']];
  return ways
    .map((way) => ['unshare', ...way, 'sh', '-c', OWN_LOCKS])
    .find(([first = '', ...rest]) => spawnSync(first, [...rest, 'true']).status === 0);
}

export interface OwnSnapdOptions {
  readonly tool: SnapTool;
  readonly squashfs: Program;
  readonly asRoot: readonly string[];
  /** Account and key that it trusts in place of the vendor's. */
  readonly root: readonly Assertion[];
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Debian's `snapd` and `snap` with our root in place of the vendor's, as a maker's own build has, and otherwise unchanged. A folder
 * is all that they see of a machine (`SNAPPY_GLOBAL_ROOT`); nothing outside it changes. What they would ask of the machine's
 * manager stands in for it: a "mounted" snap is one that is unpacked where it would be mounted, services are told to start and do not.
 */
export class OwnSnapd {
  private daemon: ChildProcess | undefined;
  private isStopping = false;
  private runs: Promise<void> = Promise.resolve();

  private constructor(
    private readonly folder: string,
    private readonly program: string,
    private readonly options: OwnSnapdOptions,
  ) {}

  /** Nothing runs yet: a seed may be put into its `machine` before {@link boot}. */
  static make(options: OwnSnapdOptions): OwnSnapd {
    const folder = mkdtempSync(join(tmpdir(), 'own-snapd-'));
    const machine = join(folder, 'machine');
    const daemon = join(machine, 'usr', 'lib', 'snapd');
    for (const part of ['run', 'etc/systemd/system', 'var/lib/snapd', 'snap', 'usr/lib', 'tmp'])
      mkdirSync(join(machine, part), { recursive: true });
    const { program } = options.tool;
    cpSync(join(dirname(program), '..', 'lib', 'snapd'), daemon, { recursive: true });
    withOurRoot(join(daemon, 'snapd'), options.root, join(daemon, 'snapd'));
    withOurRoot(program, options.root, join(folder, 'snap'));
    standIns(join(folder, 'bin'), options.squashfs);
    return new OwnSnapd(folder, join(folder, 'snap'), options);
  }

  /** Starts the daemon, and waits until it has read its seed. */
  async boot(): Promise<void> {
    this.runs = this.keepUp(this.path('machine', 'usr', 'lib', 'snapd', 'snapd'));
    await this.eventually('changes', /Done .*Initialize system state/);
  }

  /** What has waited since its last start is done at once. */
  restart(): void {
    this.daemon?.kill();
  }

  /** A file of its machine or beside it. */
  path(...parts: string[]): string {
    return join(this.folder, ...parts);
  }

  snap(...args: string[]): Promise<SnapRun> {
    const [first = '', ...rest] = [...this.options.asRoot, this.program, ...args];
    return this.options.tool.of(first).run(rest, this.env());
  }

  /** Asks again until the output is as expected: snapd does things in its own time. */
  async eventually(command: string, expected: RegExp): Promise<SnapRun> {
    let run = await this.snap(...command.split(' '));
    for (let attempt = 0; attempt < 60 && !expected.test(run.out); attempt++) {
      await sleep(300);
      run = await this.snap(...command.split(' '));
    }
    if (expected.test(run.out)) return run;
    const log = readFileSync(this.path('snapd.log'), 'utf8').split('\n');
    const telling = log
      .filter((line) => !line.includes('; GET /v2'))
      .filter((line) => /ERROR|failed|cannot/.test(line));
    const said = [run.out, run.err, (await this.snap('changes')).out, ...telling];
    throw new Error(`cannot see ${String(expected)} in "snap ${command}": ${said.join('\n')}`);
  }

  async stop(): Promise<void> {
    this.isStopping = true;
    this.daemon?.kill();
    await this.runs;
    rmSync(this.folder, { recursive: true, force: true });
  }

  private env(): Record<string, string> {
    const path = [this.path('bin'), process.env['PATH'] ?? ''].join(':');
    const own = {
      ...{ SNAPPY_GLOBAL_ROOT: this.path('machine'), SNAP_REEXEC: '0', PATH: path },
      // Else it looks into the home of root, who it takes itself for.
      SNAPD_AUTH_DATA_FILENAME: this.path('auth.json'),
    };
    return { ...own, ...LOOPBACK_ONLY, ...this.options.env };
  }

  /** It ends by itself when it has nothing to do or a new one is there; the machine's manager starts it again then. */
  private async keepUp(program: string): Promise<void> {
    const [first = '', ...rest] = [...this.options.asRoot, program];
    while (!this.isStopping) {
      const env = { ...process.env, ...this.env(), SNAPD_DEBUG: '1' };
      this.daemon = spawn(first, rest, { env, stdio: ['ignore', 'ignore', 'pipe'] });
      const log = this.path('snapd.log');
      this.daemon.stderr?.on('data', (bytes: Buffer) => appendFileSync(log, bytes));
      await once(this.daemon, 'close');
      if (!this.isStopping) await sleep(200);
    }
  }
}

/** Registration goes to the vendor until the device knows our store: that call is to end here. */
const LOOPBACK_ONLY = { HTTPS_PROXY: 'http://127.0.0.1:1', NO_PROXY: '127.0.0.1' };

/** Says what a healthy machine would; its mount units are started by `mount`. */
const SYSTEMCTL = `#!/bin/sh
for unit in "$@"; do
  file=$SNAPPY_GLOBAL_ROOT/etc/systemd/system/$unit
  case "$unit:$*" in *.mount:*start*)
    what=$(sed -n 's/^What=//p' "$file"); where=$(sed -n 's/^Where=//p' "$file")
    mount "$SNAPPY_GLOBAL_ROOT$what" "$SNAPPY_GLOBAL_ROOT$where" ;;
  esac
done
between=
case "$*" in *show*)
  for unit in "$@"; do
    case $unit in *.mount|*.service|*.socket|*.timer)
      printf '%bType=simple\\nId=%s\\nNames=%s\\nActiveState=inactive\\nUnitFileState=enabled\\nNeedDaemonReload=no\\n' "$between" "$unit" "$unit"
      between='\\n' ;;
    esac
  done ;;
esac
`;

/** `mount … FILE FOLDER` by unpacking: needs no rights, and gives snapd the same files to read (2: but not whose they are). */
const MOUNT = `#!/bin/sh
while [ $# -gt 2 ]; do shift; done
unsquashfs -n -f -d "$2" "$1" >/dev/null 2>&1 || [ $? -eq 2 ]
`;
const NOTHING = '#!/bin/sh\n';

function standIns(folder: string, squashfs: Program): void {
  mkdirSync(folder);
  const scripts = {
    ...{ systemctl: SYSTEMCTL, mount: MOUNT, unsquashfs: unsquashfsScript(squashfs) },
    ...{ umount: NOTHING, udevadm: NOTHING, apparmor_parser: NOTHING },
  };
  for (const [name, text] of Object.entries(scripts))
    writeFileSync(join(folder, name), text, { mode: 0o755 });
}
