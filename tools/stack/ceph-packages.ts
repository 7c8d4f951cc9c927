import { execFile } from 'node:child_process';
import { chmodSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { isRoot } from './account.js';
import { StackError } from './errors.js';
import { lastLines } from './log-file.js';
import { serverEnv } from './server-process.js';

const PROGRAMS = [
  'radosgw',
  'ceph-mon',
  'ceph-osd',
  'ceph',
  'ceph-authtool',
  'monmaptool',
  'radosgw-admin',
];
const PACKAGES = ['radosgw', 'ceph-mon', 'ceph-osd', 'ceph-common'];
const ONE_LINE = `apt-get install --no-install-recommends ${PACKAGES.join(' ')}`;

/** Makes sure that Ceph's programs are there, installing them only where that was asked for. */
export async function installCeph(log: (line: string) => void): Promise<void> {
  if (isInstalled()) return;
  const isAskedFor = process.env.BRANDSTORE_INSTALL === '1' || Boolean(process.env.CI);
  if (!isRoot || !isAskedFor || !existsSync('/usr/bin/apt-get')) {
    throw new StackError(
      'not-installed',
      `cannot start an S3 server: Ceph RGW is not installed. One line as root helps on Debian: ${ONE_LINE}; or set S3_ENDPOINT`,
    );
  }
  log('S3: installing Ceph RGW from the packages of the system (about 100 MB)');
  await withoutServices(async () => {
    try {
      await apt('install', ...PACKAGES);
    } catch {
      // The lists may be absent, or older than the mirror: refresh them, once.
      await apt('update');
      await apt('install', ...PACKAGES);
    }
  });
  if (!isInstalled())
    throw new StackError(
      'not-installed',
      `cannot find Ceph RGW after installing it with: ${ONE_LINE}`,
    );
}

function isInstalled(): boolean {
  const folders = [...(process.env.PATH ?? '').split(':'), '/usr/bin', '/usr/sbin'];
  return PROGRAMS.every((name) =>
    folders.some((folder) => folder && existsSync(join(folder, name))),
  );
}

async function apt(...args: string[]): Promise<void> {
  const options = ['-qq', '-y', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=300'];
  const env = {
    ...process.env,
    ...serverEnv,
    PATH: `${process.env.PATH}:/usr/sbin:/sbin`,
    DEBIAN_FRONTEND: 'noninteractive',
  };
  try {
    await promisify(execFile)('apt-get', [...options, ...args], { env, maxBuffer: 1 << 26 });
  } catch (error) {
    const { stderr, message } = error as { stderr?: string; message: string };
    throw new StackError(
      'not-installed',
      `cannot install Ceph RGW\n${lastLines(stderr ? stderr : message)}`,
      { cause: error },
    );
  }
}

/** While policy-rc.d says 101, packages start no daemons of their own; a machine's own policy is left alone. */
async function withoutServices(work: () => Promise<void>): Promise<void> {
  const policy = '/usr/sbin/policy-rc.d';
  const isOurs = !existsSync(policy);
  if (isOurs) {
    writeFileSync(policy, '#!/bin/sh\nexit 101\n');
    chmodSync(policy, 0o755);
  }
  try {
    await work();
  } finally {
    if (isOurs) rmSync(policy, { force: true });
  }
}
