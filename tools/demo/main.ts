import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startStack } from '#stack';
import { Narrator } from './narrator.js';

/** `npm run demo [-- --redis --s3]`: the main story, once, on services of its own; everything is taken down at the end. */
async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      redis: { type: 'boolean', default: false },
      s3: { type: 'boolean', default: false },
    },
  });
  const narrator = new Narrator();
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => interrupted.abort(new Error(`stopped by ${signal}`)));
  }
  const dir = mkdtempSync(join(tmpdir(), 'brandstore-'));
  const stack = startStack({
    dir,
    ephemeral: true,
    redis: values.redis,
    s3: values.s3,
    log: (line) => narrator.say(line),
  });
  stack.catch(() => rmSync(dir, { recursive: true, force: true }));
  try {
    // Loaded while Postgres starts.
    const { play } = await import('./play.js');
    await play({ stack, dir, narrator, signal: interrupted.signal });
  } finally {
    await (await stack).stop();
  }
}

await main(process.argv.slice(2)).then(
  () => (process.exitCode = 0),
  (error: unknown) => {
    process.stderr.write(
      `\nThe story broke off: ${error instanceof Error ? error.message : String(error)}\n`,
    );
    process.exitCode = 1;
  },
);
