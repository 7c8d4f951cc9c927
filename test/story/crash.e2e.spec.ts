import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { Database, Upload, Wave } from '#libs/database';
import {
  CHAPTERS,
  known,
  outcome,
  startStory,
  storyKeys,
  type Story,
} from '../../tools/demo/story/index.js';
import { Narrator } from '../../tools/demo/narrator.js';
import type { AppName, Installation } from '../../tools/installation/index.js';
import { startStore } from '../support/store.js';
import { expectedOutcome } from './expected-outcome.js';

const SCALE = { devices: 40, inBerlin: 24 };
const LIMIT_MS = 60_000;
/** A chapter with a crash in it: the killed worker's job is taken up again after its lock has run out. */
const CHAPTER_MS = 180_000;

/** SIGKILL in the middle of things: the story ends as if nothing had happened. */
describe('the story with crashes', { timeout: CHAPTER_MS }, () => {
  let installation: Installation;
  let story: Story;
  let db: Database;
  const crashes: string[] = [];

  beforeAll(async () => {
    installation = await startStore();
    db = await Database.open({
      url: installation.databaseUrls.owner,
      room: 'store',
      applicationName: 'crash test',
    });
    const narrator = new Narrator(() => {});
    const keys = storyKeys(SCALE.devices, inject('stackDir'), narrator);
    story = startStory({
      installation,
      narrator,
      scale: SCALE,
      keys: await keys,
    });
  });
  afterAll(async () => {
    await db?.close();
    await installation?.stop();
  });

  const tell = (no: number): Promise<unknown> | undefined => CHAPTERS[no - 1]?.tell(story);

  /** Tells a chapter; kills the process at the first moment when `isThere` holds, and starts it again. */
  async function tellWithCrash(
    no: number,
    app: AppName,
    isThere: () => Promise<boolean>,
  ): Promise<void> {
    let isOver = false;
    const chapter = Promise.resolve(tell(no)).finally(() => (isOver = true));
    const crash = (async () => {
      for (const end = Date.now() + LIMIT_MS; !(await isThere()); await sleep(5)) {
        if (isOver || Date.now() > end) return false;
      }
      await installation.processes.kill(app);
      crashes.push(app);
      await installation.processes.restart(app);
      return true;
    })();
    const [hasCrashed] = await Promise.all([crash, chapter]);
    expect(hasCrashed, 'the moment for the crash came').toBe(true);
  }

  it('kills the worker during a review', async () => {
    await tell(1);
    await tellWithCrash(2, 'worker', async () => {
      const uploads = await db.asSystem((tx) => tx.findBy(Upload, { state: 'reviewing' }));
      return uploads.length > 0;
    });
    const uploads = await db.asSystem((tx) => tx.find(Upload));
    expect(uploads.map(({ state, revision }) => [state, revision])).toEqual(
      uploads.map(() => ['accepted', 1]),
    );
  });

  it('kills the vault during a registration', async () => {
    await tell(3);
    await tellWithCrash(4, 'serial-vault', async () =>
      story.devices.some((device) => device.serial !== undefined),
    );
    expect(story.devices.every((device) => device.serial !== undefined)).toBe(true);
  });

  it('kills the store during downloads', async () => {
    await tellWithCrash(5, 'store-api', async () => story.downloads > 3);
    expect(story.downloads).toBe(SCALE.devices);
  });

  it('kills the worker while a wave opens', async () => {
    await tellWithCrash(6, 'worker', async () => {
      const waves = await db.asSystem((tx) => tx.findBy(Wave, { state: 'OPENING' }));
      return waves.length > 0;
    });
    const waves = await db.asSystem((tx) => tx.find(Wave, { order: { no: 'ASC' } }));
    expect(waves.map(({ state, k }) => [state, k])).toEqual([
      ['PASSED', 2],
      ['PASSED', 12],
      ['PASSED', 24],
    ]);
  });

  it('ends with the same table as without crashes', async () => {
    await tell(7);
    await tell(8);
    expect(crashes).toEqual(['worker', 'serial-vault', 'store-api', 'worker']);
    expect(await outcome(story)).toEqual(await expectedOutcome(SCALE, story.snapsDir));
    expect(known(story.rolloutId, 'the rollout')).toBeTruthy();
  });
});
