import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fromDebian, onPath, type Program } from '../../../tools/stack/debian-package.js';

/** `unsquashfs` and `mksquashfs`: snapd looks into snaps with the first, tests make their own with the second. */
export async function squashfsTools(): Promise<Program | undefined> {
  const packages = ['squashfs-tools'];
  const howTo = 'apt-get install squashfs-tools';
  const wanted = { name: 'squashfs-tools', program: 'unsquashfs', packages, howTo };
  return onPath(['unsquashfs']) ?? (await fromDebian(wanted, () => {}).catch(() => undefined));
}

/** A snap of nothing but its `snap.yaml`. @returns its file */
export function packSnap(squashfs: Program, folder: string, yaml: string): string {
  const inside = mkdtempSync(join(folder, 'pack-'));
  // snapd takes no snap that others cannot read.
  chmodSync(inside, 0o755);
  mkdirSync(join(inside, 'meta'));
  writeFileSync(join(inside, 'meta', 'snap.yaml'), yaml);
  const file = `${inside}.snap`;
  const args = [inside, file, '-noappend', '-comp', 'xz', '-no-xattrs', '-all-root'];
  const env = { ...process.env, ...squashfs.env };
  execFileSync(join(dirname(squashfs.command), 'mksquashfs'), args, { env, stdio: 'ignore' });
  return file;
}

/** A program for snapd's PATH: it hands no `LD_LIBRARY_PATH` on, and an unpacked `unsquashfs` has to know where its libraries are. */
export function unsquashfsScript({ command, env }: Program): string {
  const given = Object.entries(env).map(([name, value]) => `${name}=${quoted(value)} `);
  return `#!/bin/sh\n${given.join('')}exec ${quoted(command)} "$@"\n`;
}

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
