import { Database } from '#libs/database';
import { openResources, type ResourceSettings } from '#libs/operations';
import { createLogger } from '#libs/runtime';
import { makeHandlers } from '../../apps/worker/src/handlers.js';

/** A job to run on a database of its own way (a `StatementGate`). */
export interface VictimRun {
  readonly url: string;
  readonly job: string;
  readonly payload: object;
}

export type ToVictim =
  { readonly settings: ResourceSettings; readonly runs: readonly VictimRun[] } | 'go';
export type FromVictim = 'ready' | { readonly done: number; readonly error?: string };

/**
 * A worker's handlers in a process to be killed: opens everything, says `ready`, runs all jobs at once at `go`, and says
 * which are done. Started by kill.e2e.spec.ts.
 */
const logger = createLogger({ name: 'victim', level: 'silent' });
const say = (message: FromVictim): void => void process.send?.(message);

async function prepare(
  settings: ResourceSettings,
  runs: readonly VictimRun[],
): Promise<(() => Promise<void>)[]> {
  const shared = await openResources(settings, {
    name: 'victim',
    onTrouble: () => {},
    alarm: () => {},
    opened: () => {},
  });
  return Promise.all(
    runs.map(async ({ url, job, payload }) => {
      const db = await Database.open({ url, room: 'store', applicationName: 'victim' });
      const handler = makeHandlers({ ...shared, db }, logger).find((one) => one.job.name === job);
      if (!handler) throw new Error(`cannot find a handler for ${job}`);
      return () => handler.run(payload, { jobId: 'victim', job, attempt: 1, isLastAttempt: false });
    }),
  );
}

let works: (() => Promise<void>)[] = [];
process.on('message', (message: ToVictim) => {
  if (message === 'go') {
    for (const [index, work] of works.entries())
      work().then(
        () => say({ done: index }),
        (error: unknown) => say({ done: index, error: String(error) }),
      );
    return;
  }
  prepare(message.settings, message.runs).then(
    (prepared) => {
      works = prepared;
      say('ready');
    },
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});
