import type { TestProject } from 'vitest/node';
import { startStack, type Stack } from '#stack';

declare module 'vitest' {
  interface ProvidedContext {
    stackEnv: Record<string, string>;
    stackDir: string;
  }
}

/** This file is loaded once for each project; what they share lies in the process. */
const run = ((
  globalThis as { brandstoreTestRun?: { stack?: Promise<Stack>; users: number } }
).brandstoreTestRun ??= { users: 0 });

/** One embedded Postgres for the whole run, whichever projects are in it; every file makes databases of its own in it. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const stack = await (run.stack ??= startStack({ ephemeral: true }));
  run.users += 1;
  project.provide('stackEnv', { ...stack.env });
  project.provide('stackDir', stack.dir);
  return async () => {
    run.users -= 1;
    if (run.users === 0) await stack.stop();
  };
}
