import { join } from 'node:path';
import { defaultDataDir, type Stack } from '#stack';
import { APP_NAMES, type Installation, startInstallation } from '../installation/index.js';
import type { Narrator } from './narrator.js';
import { CHAPTERS, DEMO_SCALE, startStory, storyKeys, summary } from './story/index.js';

const TROUBLES_SHOWN = 5;
const GRAVE: ReadonlySet<string> = new Set(['warn', 'error', 'fatal']);

export interface Stage {
  /** May still be starting. */
  readonly stack: Promise<Stack>;
  /** The folder of this run. */
  readonly dir: string;
  readonly narrator: Narrator;
  /** Aborted when somebody wants to end it. */
  readonly signal: AbortSignal;
}

/** Tells the main story, chapter by chapter, with its final table. */
export async function play({ stack, dir, narrator, signal }: Stage): Promise<void> {
  const log = (line: string): void => narrator.say(line);
  const installation = await startInstallation({ stack, dir: join(dir, 'installation'), log });
  try {
    narrator.say(`store ${installation.storeUrl}, vault ${installation.vaultUrl}`);
    // Not before: as long as keys are made, all threads of this process make keys, and nobody would reach Postgres.
    const cacheDir = join(defaultDataDir(), 'cache');
    const keys = await storyKeys(DEMO_SCALE.devices, cacheDir, narrator);
    const story = startStory({ installation, narrator, scale: DEMO_SCALE, keys });
    for (const { no, title, tell } of CHAPTERS) {
      signal.throwIfAborted();
      await narrator.step(no, title, () => tell(story));
    }
    const rows = await summary(story, await stack);
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
