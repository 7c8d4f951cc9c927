import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';

/** Names one process for good: a pid alone may have passed to a stranger (local-stack.md 6, rules 1 and 5). */
export interface ProcessId {
  readonly pid: number;
  /** Opaque; equal only for the same process. */
  readonly startedAt: string;
}

/** The identity of a live process, or null when there is none (a zombie counts as none). */
export function identify(pid: number): ProcessId | null {
  if (!Number.isSafeInteger(pid) || pid <= 0) return null;
  try {
    if (process.platform !== 'linux') {
      const out = execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' });
      return out.trim() ? { pid, startedAt: out.trim() } : null;
    }
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command in brackets may itself hold spaces and brackets: fields count from the last one.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return null;
    return { pid, startedAt: fields[19] ?? '' };
  } catch {
    return null;
  }
}

export function isAlive(id: ProcessId): boolean {
  return identify(id.pid)?.startedAt === id.startedAt;
}

/** Sends a signal if that very process still lives; false when it does not, or is not ours to signal. */
export function signalProcess(id: ProcessId, signal: NodeJS.Signals): boolean {
  if (!isAlive(id)) return false;
  try {
    return process.kill(id.pid, signal);
  } catch {
    return false;
  }
}

/** Waits until the process is gone; false when it outlives the time. */
export async function waitGone(id: ProcessId, timeoutMs: number): Promise<boolean> {
  for (const end = Date.now() + timeoutMs; isAlive(id);) {
    if (Date.now() >= end) return false;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return true;
}

/** Signals one after the other, each with its patience, until the process is gone. */
export async function endProcess(
  id: ProcessId,
  steps: readonly (readonly [signal: NodeJS.Signals, patienceMs: number])[],
): Promise<boolean> {
  for (const [signal, patienceMs] of steps) {
    signalProcess(id, signal);
    if (await waitGone(id, patienceMs)) return true;
  }
  return !isAlive(id);
}

/**
 * Processes whose working directory is `dir`. A postmaster and all its children stand in their data directory, which
 * finds them when the pid file is gone. Linux only; elsewhere empty.
 */
export function processesIn(dir: string): ProcessId[] {
  if (process.platform !== 'linux') return [];
  const real = realpathSync(dir);
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const id = readlinkSync(`/proc/${name}/cwd`) === real ? identify(Number(name)) : null;
        return id ? [id] : [];
      } catch {
        return []; // of another user, or gone meanwhile
      }
    });
}

/** The command line of a process, words separated by blanks; empty when unknown. */
export function commandLine(pid: number): string {
  try {
    return process.platform === 'linux'
      ? readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
      : execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' }).trim();
  } catch {
    return '';
  }
}
