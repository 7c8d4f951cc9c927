import type { TestProject } from 'vitest/node';
import { startStack } from '#stack';

declare module 'vitest' {
  interface ProvidedContext {
    stackEnv: Record<string, string>;
    stackDir: string;
  }
}

/** One embedded Postgres for the whole run; every file makes databases of its own in it. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const stack = await startStack({ ephemeral: true });
  project.provide('stackEnv', { ...stack.env });
  project.provide('stackDir', stack.dir);
  return () => stack.stop();
}
