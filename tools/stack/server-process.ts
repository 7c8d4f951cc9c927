import { spawn, type ChildProcess } from 'node:child_process';
import { chownSync, closeSync, openSync } from 'node:fs';
import type { Account } from './account.js';
import { StackError } from './errors.js';
import { lastLines, logSize, readLog } from './log-file.js';
import { identify, type ProcessId } from './process-table.js';

export interface ServerSpec {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly logFile: string;
  /**
   * The line by which this very child says that it serves; whoever else answers on the port does not count. A function for
   * servers that say nothing.
   */
  readonly ready: RegExp | (() => Promise<boolean>);
  readonly readyTimeoutMs: number;
  readonly account?: Account | undefined;
  readonly env?: Readonly<Record<string, string>>;
}

export interface ServerProcess {
  readonly id: ProcessId;
  readonly child: ChildProcess;
}

/** Small and known: a locale or a PG… variable of the caller must not reach a server (local-stack.md 6.7). */
export const serverEnv: Readonly<Record<string, string>> = {
  PATH: process.env.PATH ?? '/usr/bin:/bin',
  LC_ALL: 'C',
  TZ: 'UTC',
};

/**
 * Starts a server in a session of its own, so that a Ctrl-C meant for us does not reach it before the apps are drained,
 * and waits for its ready line. Its output goes to a file, not to a pipe: it must be able to speak when we are gone.
 * @throws StackError `ended-early` or `not-ready`, with the last lines of its log
 */
export async function startServer(spec: ServerSpec): Promise<ServerProcess> {
  const offset = logSize(spec.logFile);
  const log = openSync(spec.logFile, 'a', 0o600);
  if (spec.account) chownSync(spec.logFile, spec.account.uid, spec.account.gid);
  const child = spawn(spec.command, spec.args, {
    detached: true,
    stdio: ['ignore', log, log],
    cwd: '/',
    env: { ...serverEnv, ...spec.env },
    ...spec.account,
  });
  closeSync(log);
  let spawnError: Error | undefined;
  child.once('error', (error) => (spawnError = error));
  child.unref();
  for (const end = Date.now() + spec.readyTimeoutMs; ;) {
    const text = readLog(spec.logFile, offset);
    if (spawnError || child.exitCode !== null || child.signalCode !== null) {
      const why = spawnError?.message ?? `status ${child.exitCode ?? child.signalCode}`;
      throw new StackError(
        'ended-early',
        `cannot start ${spec.name}: it ended (${why})\n${lastLines(text)}`,
      );
    }
    const id = child.pid === undefined ? null : identify(child.pid);
    if (id && (spec.ready instanceof RegExp ? spec.ready.test(text) : await spec.ready()))
      return { id, child };
    if (Date.now() >= end) {
      child.kill('SIGKILL');
      const seconds = spec.readyTimeoutMs / 1000;
      throw new StackError(
        'not-ready',
        `cannot start ${spec.name}: not ready after ${seconds} s\n${lastLines(text)}`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
