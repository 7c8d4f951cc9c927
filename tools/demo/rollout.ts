import { parseArgs } from 'node:util';
import { startStack } from '#stack';
import { startInstallation } from '../installation/index.js';
import { Narrator } from './narrator.js';
import {
  BAD_REVISION_CHAPTERS,
  badEndRows,
  finalRows,
  finalState,
  ROLLOUT_CHAPTERS,
  startRolloutStory,
} from './rollout/index.js';

/** `npm run demo:rollout [-- --devices 1000 --redis]`: one rollout in five waves; every number is the store's own answer. */
async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      devices: { type: 'string', default: '1000' },
      redis: { type: 'boolean', default: false },
      seed: { type: 'string', default: 'demo' },
    },
  });
  const narrator = new Narrator();
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => interrupted.abort(new Error(`stopped by ${signal}`)));
  const log = (line: string): void => narrator.say(line);
  const stack = await startStack({ ephemeral: true, redis: values.redis, log });
  try {
    const installation = await startInstallation({ stack, log, apps: ['store-api', 'worker'] });
    try {
      const devices = Number(values.devices);
      const story = startRolloutStory({ installation, narrator, devices, seed: values.seed });
      for (const { no, title, tell } of ROLLOUT_CHAPTERS) {
        interrupted.signal.throwIfAborted();
        await narrator.step(no, title, () => tell(story));
      }
      narrator.say('');
      narrator.table(['what the store says', ''], finalRows(await finalState(story)));
      for (const { no, title, tell } of BAD_REVISION_CHAPTERS) {
        interrupted.signal.throwIfAborted();
        await narrator.step(no, title, () => tell(story));
      }
      narrator.say('');
      narrator.table(['what the store says of revision 3', ''], await badEndRows(story));
    } finally {
      await installation.stop();
    }
  } finally {
    await stack.stop();
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
