import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Database, shiftClock } from '#libs/database';
import type { Resources } from '#libs/operations';
import { allJobs, type JobHandler } from '#libs/queue';
import { createLogger } from '#libs/runtime';
import { makeHandlers } from '../../apps/worker/src/handlers.js';
import { runAndKill, type DoomedRun } from './doomed-worker.js';
import { brokenInvariants, unfinishedWork } from './invariants.js';
import { pictureOf } from './picture.js';
import { StatementGate } from './statement-gate.js';
import { SCENARIOS } from './scenarios.js';
import { World, instant, still, type SeededBrand } from './world.js';

/**
 * Runs in one process at a time: each has two connections, on a slow machine three, those of the batch before may still be there,
 * and the server takes 150 in all.
 */
const BATCH = 20;
const SEEDED_AT_ONCE = 4;
/** An upload is asked for again after two minutes; the clock of the database leaps over them (decisions 29). */
const LEAP_MS = 130_000;
/** A minute is for one crash; here are dozens at once, and other tests beside them. */
const CLEAN_WITHIN_MS = 400_000;
/** Looking at all that is unfinished costs the database what the worker needs of it. */
const LOOK_EVERY_MS = 3_000;
/** What they leave is no part of a picture: snapshots, and when a chain was last looked at. */
const LOOKS_ONLY = new Set(['compile-policy', 'audit-verify']);

const logger = createLogger({ name: 'faults', level: 'silent' });
const handlersOf = (resources: Resources): readonly JobHandler[] => makeHandlers(resources, logger);
const run = (handlers: readonly JobHandler[], job: string, payload: object): Promise<void> => {
  const handler = handlers.find((one) => one.job.name === job);
  if (!handler) throw new Error(`cannot find a handler for ${job}`);
  return handler.run(payload, { jobId: 'test', job, attempt: 1, isLastAttempt: false });
};

describe('the handlers of all jobs', () => {
  let world: World;
  let resources: Resources;

  beforeAll(async () => {
    world = await World.start();
    await world.installation.processes.kill('worker');
    resources = await world.resources();
  });
  afterAll(() => world?.stop());

  const broken = (brands: readonly { brandId: string }[]): Promise<string[]> =>
    brokenInvariants(
      world.owner,
      world.installation.databaseUrls.owner,
      brands.map(({ brandId }) => brandId),
    );
  it('every job is in the table', () => {
    expect([...new Set(SCENARIOS.map(({ job }) => job))].sort()).toEqual(
      allJobs.map(({ name }) => name).sort(),
    );
  });

  it.each(SCENARIOS.map((scenario) => [scenario.title, scenario] as const))(
    'U57 %s: run twice at once in two processes, and again after its end, it leaves what one run leaves',
    async (_title, scenario) => {
      const told = ({ brandId }: SeededBrand): number => world.receiver.of(brandId).length;
      // Whatever the job says in events goes to a webhook besides; who delivers has its own.
      const ready = async (): Promise<{ brand: SeededBrand; payload: object }> => {
        const brand = await world.brand(resources);
        if (scenario.job !== 'notify-deliver') await world.addWebhook(brand);
        return { brand, payload: await scenario.prepare(world, resources, brand) };
      };
      const once = await ready();
      await run(handlersOf(still(resources)), scenario.job, once.payload);
      const expected = await pictureOf(world.owner, once.brand.brandId);
      const twice = await ready();
      const before = await pictureOf(world.owner, twice.brand.brandId);
      const both = [resources, await world.resources('twin')];
      const at = instant(resources);
      const twins = both.map((own) => handlersOf(still(own, at)));
      await Promise.all(twins.map((twin) => run(twin, scenario.job, twice.payload)));
      expect(await pictureOf(world.owner, twice.brand.brandId)).toEqual(expected);
      if (!LOOKS_ONLY.has(scenario.job)) expect(before).not.toEqual(expected);
      for (const twin of twins) await run(twin, scenario.job, twice.payload);
      expect(await pictureOf(world.owner, twice.brand.brandId)).toEqual(expected);
      expect(told(twice.brand)).toBe(told(once.brand));
      expect(told(once.brand)).toBe(scenario.job === 'notify-deliver' ? 1 : 0);
      expect(await broken([once.brand, twice.brand])).toEqual([]);
    },
  );

  describe('kill -9 of the worker at every statement boundary', () => {
    /** Of each scenario: the run that nothing happens to, then one for each of its statements. */
    const doomed = new Map<string, (DoomedRun & { brandId: string })[]>();
    /** Asked once for all of them. */
    let brokenAfter: string[] = ['the worker has not returned'];

    // All die before the worker returns once: what each leaves, the others must not hold up. While some die, the next are seeded.
    beforeAll(async () => {
      const waiting: DoomedRun[] = [];
      let killing = Promise.resolve();
      const kill = (): void => {
        const batch = waiting.splice(0, BATCH);
        killing = killing.then(async () =>
          expect(await runAndKill(world.settings, batch)).toEqual([]),
        );
        // Said where it is waited for.
        killing.catch(() => undefined);
      };
      for (const { title, job, prepare } of SCENARIOS) {
        const doom = async (killAt: number): Promise<DoomedRun & { brandId: string }> => {
          const brand = await world.brand(resources);
          const payload = await prepare(world, resources, brand);
          return { job, payload, killAt, brandId: brand.brandId };
        };
        const like = await doom(Infinity);
        const statements = await statementsOf(job, like.payload);
        const runs = [like];
        while (runs.length <= statements) {
          const left = Math.min(SEEDED_AT_ONCE, statements + 1 - runs.length);
          const next = Array.from({ length: left }, (_, index) => doom(runs.length + index));
          const seeded = await Promise.all(next);
          runs.push(...seeded);
          waiting.push(...seeded);
          while (waiting.length >= BATCH) kill();
        }
        doomed.set(title, runs);
      }
      while (waiting.length > 0) kill();
      await killing;
      expect(await broken([...doomed.values()].flat())).toEqual([]);
      await returnOfTheWorker();
      brokenAfter = await broken([...doomed.values()].flat());
    }, 900_000);

    it.each(SCENARIOS.map(({ title }) => [title]))(
      'U58 %s: all is clean after its return, and as if nothing had happened',
      async (title) => {
        const [like, ...others] = doomed.get(title) ?? [];
        // The least is one transaction: its begin, one statement, its end.
        expect(others.length).toBeGreaterThanOrEqual(3);
        expect(brokenAfter).toEqual([]);
        const expected = await pictureOf(world.owner, like?.brandId ?? '');
        for (const { brandId, killAt } of others)
          expect(await pictureOf(world.owner, brandId), `killed at ${killAt}`).toEqual(expected);
      },
    );
  });

  /** How many statements the handler sends when nothing happens to it; the brand is the one to compare with. */
  async function statementsOf(job: string, payload: object): Promise<number> {
    const gate = await StatementGate.open(world.settings.DATABASE_URL);
    const db = await Database.open({ url: gate.url, room: 'store', applicationName: 'reference' });
    gate.arm();
    await run(handlersOf(still({ ...resources, db })), job, payload);
    const { statements } = gate;
    await db.close();
    await gate.close();
    return statements;
  }

  /** As if the queue had taken every job and lost it with its worker: only the reconciler knows. */
  async function returnOfTheWorker(): Promise<void> {
    const { owner, installation } = world;
    await owner.query(
      'UPDATE store.outbox SET delivered_at = app.now() WHERE delivered_at IS NULL',
    );
    await shiftClock(installation.databaseUrls.owner, LEAP_MS);
    await installation.processes.restart('worker');
    try {
      let left: string[] = [];
      for (const end = Date.now() + CLEAN_WITHIN_MS; ; await sleep(LOOK_EVERY_MS)) {
        left = await unfinishedWork(owner);
        if (process.env['U58_LOG'])
          console.log(new Date().toISOString(), left.length, left.slice(0, 4));
        if (left.length === 0 || Date.now() > end) break;
      }
      expect(left).toEqual([]);
    } finally {
      await installation.processes.kill('worker');
      await shiftClock(installation.databaseUrls.owner, 0);
    }
  }
});
