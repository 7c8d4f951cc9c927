import { spawn } from 'node:child_process';
import { open } from 'node:fs/promises';
import { entryBeside } from '#libs/process-entry';
import { ICON_FILES } from './find-icon.js';
import { ReviewProblem } from './problem.js';
import type { SnapEntry } from './squashfs-listing.js';
import type { SquashfsReport } from './squashfs-process.js';

/** A snap or component opened for review: what is in it, and the few files that reviews read. */
export interface SnapContents {
  readonly sizeBytes: number;
  /** By path, without a leading slash. */
  readonly entries: ReadonlyMap<string, SnapEntry>;
  /** Only regular files of at most `METADATA_LIMIT_BYTES`. */
  readonly files: ReadonlyMap<string, Buffer>;
}

/** A meta/snap.yaml of large snaps has tens of kilobytes. */
export const METADATA_LIMIT_BYTES = 256 * 1024;
const METADATA = ['meta/snap.yaml', 'meta/component.yaml', 'meta/gadget.yaml', ...ICON_FILES];
const TIME_LIMIT_MS = 20_000;
const HEAP_LIMIT_MB = 512;
const REPORT_LIMIT_BYTES = 256 * 1024 * 1024;
const SUPERBLOCK_BYTES = 96;

const unreadable = (why: string, cause?: unknown): ReviewProblem =>
  new ReviewProblem('not-a-squashfs', `cannot read the file as a squashfs image: ${why}`, {
    cause,
  });

/** Reads a local file; throws `ReviewProblem` when it is no sound squashfs, or takes longer than `timeLimitMs`. */
export async function openSnap(path: string, timeLimitMs = TIME_LIMIT_MS): Promise<SnapContents> {
  const sizeBytes = await checkSuperblock(path);
  const report = await runReader(path, timeLimitMs);
  if ('error' in report) throw unreadable(report.error);
  const entries = new Map<string, SnapEntry>();
  for (const entry of report.entries) {
    // Two files of one name: what we read would not be what a device mounts.
    if (entries.has(entry.path)) throw unreadable(`it holds '${entry.path}' twice`);
    entries.set(entry.path, entry);
  }
  const files = new Map(
    Object.entries(report.files).map(([name, text]) => [name, Buffer.from(text, 'base64')]),
  );
  return { sizeBytes, entries, files };
}

/** Cheap refusals before a process is started: magic, version 4.0, and the length that the image claims for itself. */
async function checkSuperblock(path: string): Promise<number> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const head = Buffer.alloc(SUPERBLOCK_BYTES);
    const { bytesRead } = await file.read(head, 0, SUPERBLOCK_BYTES, 0);
    if (size === 0) throw unreadable('it is empty');
    if (bytesRead < SUPERBLOCK_BYTES || head.toString('latin1', 0, 4) !== 'hsqs') {
      throw unreadable('it does not begin like one');
    }
    if (head.readUInt16LE(28) !== 4 || head.readUInt16LE(30) !== 0) {
      throw unreadable('its version is not 4.0');
    }
    const claimed = head.readBigUInt64LE(40);
    if (claimed > BigInt(size)) {
      throw unreadable(`it is truncated: ${size} of ${claimed} bytes are there`);
    }
    return size;
  } finally {
    await file.close();
  }
}

async function runReader(path: string, timeLimitMs: number): Promise<SquashfsReport> {
  const { file, execArgv } = entryBeside(import.meta.url, 'squashfs-process');
  const child = spawn(
    process.execPath,
    [
      `--max-old-space-size=${HEAP_LIMIT_MB}`,
      ...execArgv,
      file,
      path,
      String(METADATA_LIMIT_BYTES),
      ...METADATA,
    ],
    { env: {}, stdio: ['ignore', 'pipe', 'ignore'] },
  );
  const timer = setTimeout(() => child.kill('SIGKILL'), timeLimitMs);
  try {
    const ended = new Promise<string>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => resolve(signal ?? String(code)));
    });
    const chunks: Buffer[] = [];
    let length = 0;
    child.stdout.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      length += chunk.length;
      if (length > REPORT_LIMIT_BYTES) child.kill('SIGKILL');
    });
    const how = await ended;
    // Killed by us or by the system; else the reader gave up on what it found.
    if (how.startsWith('SIG'))
      throw unreadable(`reading it takes too much time or memory (${how})`);
    if (how !== '0') throw unreadable('it is damaged');
    // Written by our own process.
    return JSON.parse(Buffer.concat(chunks).toString()) as SquashfsReport;
  } finally {
    clearTimeout(timer);
  }
}
