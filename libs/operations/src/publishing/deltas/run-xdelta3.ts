import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Bytes of the old file that are searched at once; what the program takes of memory beyond it is some 30 MB. */
const WINDOW_BYTES = 128 * 2 ** 20;
/** For the largest snaps on a slow machine; then there is no delta. */
const TIME_LIMIT_MS = 5 * 60_000;

export interface DeltaFiles {
  readonly source: string;
  readonly target: string;
  readonly delta: string;
}

/** The program ran and did not come to an end that is any use: it would not the next time either. */
export class Xdelta3Failed extends Error {
  override readonly name = 'Xdelta3Failed';
}

/** The program on PATH; undefined where there is none: then there are no deltas (decisions 32). */
export function findXdelta3(path = process.env['PATH'] ?? ''): string | undefined {
  const folders = path.split(delimiter).filter((folder) => folder !== '');
  return folders.map((folder) => join(folder, 'xdelta3')).find((file) => existsSync(file));
}

/** Writes `delta` from `source` and `target`, without file names in it and readable for every build of the program. */
export const encodeDelta = (
  program: string,
  { source, target, delta }: DeltaFiles,
): Promise<void> =>
  run(program, [
    '-e',
    '-S',
    'none',
    '-A=',
    '-B',
    String(WINDOW_BYTES),
    '-s',
    source,
    target,
    delta,
  ]);

/** Writes `target` from `source` and `delta`, as snapd does. */
export const applyDelta = (program: string, { source, target, delta }: DeltaFiles): Promise<void> =>
  run(program, ['-d', '-s', source, delta, target]);

/** A process of its own, without an environment (there it would find further arguments), killed when it takes too long. */
async function run(
  program: string,
  args: readonly string[],
  limitMs = TIME_LIMIT_MS,
): Promise<void> {
  const child = spawn(program, ['-f', '-q', ...args], { env: {}, stdio: 'ignore' });
  const timer = setTimeout(() => child.kill('SIGKILL'), limitMs);
  try {
    const how = await new Promise<string>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => resolve(signal ?? String(code)));
    });
    if (how !== '0') throw new Xdelta3Failed(`cannot make or apply a delta: ended with ${how}`);
  } finally {
    clearTimeout(timer);
  }
}
