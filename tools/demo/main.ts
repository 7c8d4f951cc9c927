import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { defaultDataDir, startStack } from '#stack';
import { APP_NAMES, type Installation, startInstallation } from '../installation/index.js';
import { Narrator } from './narrator.js';
import { CHAPTERS, DEMO_SCALE, startStory, summary } from './story/index.js';

const TROUBLES_SHOWN = 5;
const GRAVE: ReadonlySet<string> = new Set(['warn', 'error', 'fatal']);

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
  const stack = await startStack({
    ephemeral: true,
    redis: values.redis,
    s3: values.s3,
    log: (line) => narrator.say(line),
  });
  try {
    const installation = await startInstallation({ stack, log: (line) => narrator.say(line) });
    try {
      narrator.say(`store ${installation.storeUrl}, vault ${installation.vaultUrl}`);
      const keyCache = join(defaultDataDir(), 'cache', 'device-keys.json');
      const story = await startStory({ installation, narrator, scale: DEMO_SCALE, keyCache });
      for (const { no, title, tell } of CHAPTERS) {
        interrupted.signal.throwIfAborted();
        await narrator.step(no, title, () => tell(story));
      }
      const rows = await summary(story, stack);
      narrator.say('');
      narrator.table(
        ['what', ''],
        rows.map(({ what, value }) => [what, value]),
      );
    } catch (error) {
      for (const line of troubles(installation)) process.stderr.write(`${line}\n`);
      throw error;
    } finally {
      await installation.stop();
    }
  } finally {
    await stack.stop();
  }
}

/** Warnings and errors of the processes' logs: what a person wants to see when the story breaks off. */
function troubles({ processes }: Installation): string[] {
  return APP_NAMES.flatMap((name) =>
    processes
      .log(name)
      .split('\n')
      .filter((line) => {
        try {
          return GRAVE.has((JSON.parse(line) as { level: string }).level);
        } catch {
          return line !== '';
        }
      })
      .slice(-TROUBLES_SHOWN)
      .map((line) => `${name}: ${line}`),
  );
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
