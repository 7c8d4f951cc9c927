import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectRoot } from '#stack';
import type { ResourceSettings } from '#libs/operations';
import { StatementGate } from './statement-gate.js';
import type { FromVictim, ToVictim, VictimRun } from './victim.js';

const LIMIT_MS = 120_000;

export interface DoomedRun extends Omit<VictimRun, 'url'> {
  /** Before which of its statements it is killed, from 1. */
  readonly killAt: number;
}

/**
 * One process that runs all jobs, each until its own statement; when each stands there or is done, the process is killed
 * with -9. Answers which were done. Throws when a run fails by itself, or waits for something else than its gate.
 */
export async function runAndKill(
  settings: ResourceSettings,
  runs: readonly DoomedRun[],
): Promise<number[]> {
  const gates = await Promise.all(
    runs.map(({ killAt }) => StatementGate.open(settings.DATABASE_URL, killAt)),
  );
  // It cannot take away what it works on.
  const scratch = mkdtempSync(join(tmpdir(), 'victim-'));
  const victim = fork(join(projectRoot, 'dist/test/faults/victim.js'), {
    execArgv: [],
    env: { ...process.env, TMPDIR: scratch },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const done = new Map<number, string | undefined>();
  let isReady = false;
  let hasEnded = false;
  const exited = new Promise<void>((resolve) =>
    victim.once('exit', () => {
      hasEnded = true;
      resolve();
    }),
  );
  victim.on('message', (message: FromVictim) => {
    if (message === 'ready') isReady = true;
    else done.set(message.done, message.error);
  });
  const say = (message: ToVictim): boolean => victim.send(message);
  const until = async (what: string, isSo: () => boolean): Promise<void> => {
    for (const end = Date.now() + LIMIT_MS; !isSo();) {
      if (hasEnded) throw new Error(`cannot wait for ${what}: the process ended by itself`);
      if (Date.now() > end) throw new Error(`cannot wait any longer for ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  try {
    const jobs = runs.map(({ job, payload }, at) => ({ job, payload, url: gates[at]?.url ?? '' }));
    say({ settings, runs: jobs });
    await until('the process to be ready', () => isReady);
    for (const gate of gates) gate.arm();
    say('go');
    const open = (): number[] =>
      gates.flatMap((gate, at) => (gate.isHolding || done.has(at) ? [] : [at]));
    await until('every run to stand at its statement', () => open().length === 0);
    for (const [at, error] of done)
      if (error !== undefined) throw new Error(`${runs[at]?.job} failed by itself: ${error}`);
    return [...done.keys()];
  } finally {
    victim.kill('SIGKILL');
    await exited;
    rmSync(scratch, { recursive: true, force: true });
    await Promise.all(gates.map((gate) => gate.close()));
  }
}
