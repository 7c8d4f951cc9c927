import { existsSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { StackError } from './errors.js';
import { commandLine, endProcess, identify, processesIn, type ProcessId } from './process-table.js';

/**
 * Makes a data directory ready to start on after whatever happened to its last server; call it only while holding the
 * lock of the data folder. An orphaned server is ended, not adopted; a pid file that names nobody, or a stranger who got
 * the number since, is removed (local-stack.md 3.3, 6.6).
 */
export async function clearLeftovers(data: string): Promise<void> {
  const pidFile = join(data, 'postmaster.pid');
  const named = existsSync(pidFile)
    ? identify(Number(readFileSync(pidFile, 'utf8').split('\n')[0]))
    : null;
  const postmaster = named && isPostgresOn(named, data) ? named : null;
  if (postmaster) {
    await stopOrphan(postmaster, data, [
      ['SIGINT', 20_000],
      ['SIGQUIT', 5_000],
    ]);
  }
  // Backends that outlived their postmaster still hold the shared memory: Postgres refuses to start beside them.
  // SIGQUIT is their own "leave at once"; SIGKILL only for those that do not listen.
  for (const rest of processesIn(data)) {
    await stopOrphan(rest, data, [
      ['SIGQUIT', 5_000],
      ['SIGKILL', 5_000],
    ]);
  }
  rmSync(pidFile, { force: true });
}

/** Postmasters carry `-D <data>` in their command line and stand in the directory; strangers do neither. */
function isPostgresOn(id: ProcessId, data: string): boolean {
  const line = commandLine(id.pid);
  if (!line.includes('postgres')) return false;
  return (
    line.includes(data) ||
    line.includes(realpathSync(data)) ||
    processesIn(data).some((other) => other.pid === id.pid)
  );
}

async function stopOrphan(
  id: ProcessId,
  data: string,
  steps: readonly (readonly [NodeJS.Signals, number])[],
): Promise<void> {
  if (await endProcess(id, steps)) return;
  throw new StackError('taken', `cannot use ${data}: process ${id.pid} holds it and does not end`);
}
