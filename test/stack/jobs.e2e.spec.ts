import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  createJobsBackend,
  defineJob,
  handle,
  QueueError,
  type JobEvent,
  type JobsBackend,
} from '#libs/queue';
import { projectRoot, startStack, type Stack } from '#stack';

const note = defineJob({
  name: 'note',
  schema: z.object({ id: z.string() }),
  key: ({ id }) => id,
  attempts: 3,
  backoffMs: 20,
});
const heavy = defineJob({
  name: 'heavy-note',
  lane: 'heavy',
  schema: z.object({ id: z.string() }),
  key: ({ id }) => id,
});
const contracts = [note, heavy];

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}

describe.each([{ backend: 'postgres' }, { backend: 'redis' }] as const)(
  'jobs on $backend',
  ({ backend }) => {
    let stack: Stack;
    let jobs: JobsBackend;
    let round = 0;
    const open: JobsBackend[] = [];

    beforeAll(async () => {
      const redisUrl = process.env.REDIS_URL;
      stack = await startStack({
        redis: backend === 'redis',
        env: backend === 'redis' && redisUrl ? { REDIS_URL: redisUrl } : {},
      });
    });
    afterAll(() => stack.stop());
    afterEach(async () => {
      await Promise.all(open.splice(0).map((one) => one.close()));
    });

    async function connect(): Promise<JobsBackend> {
      const one = await createJobsBackend({
        redisUrl: stack.env.REDIS_URL,
        pgUrl: stack.env.DATABASE_URL ?? '',
        namespace: `test-${process.pid}`,
        jobs: contracts,
        lockMs: 1_000,
        stalledIntervalMs: 500,
      });
      open.push(one);
      return one;
    }

    /** Ids of one test; jobs of earlier ones stay in the tables. */
    const fresh = () => `r${++round}`;

    it('is carried by what was asked for', async () => {
      jobs = await connect();
      expect(jobs.kind).toBe(backend);
    });

    it('runs each job once, in both lanes, and counts it', async () => {
      jobs = await connect();
      const before = await jobs.counts();
      const seen: string[] = [];
      await jobs.startWorker([
        handle(note, async ({ id }) => seen.push(id)),
        handle(heavy, async ({ id }) => seen.push(id)),
      ]);
      const id = fresh();
      for (let n = 0; n < 20; n++) await jobs.enqueue(note, { id: `${id}-${n}` });
      for (let n = 20; n < 25; n++) await jobs.enqueueNamed('heavy-note', { id: `${id}-${n}` });
      await jobs.untilIdle(20_000);
      expect(new Set(seen)).toEqual(new Set(Array.from({ length: 25 }, (_, n) => `${id}-${n}`)));
      expect(seen).toHaveLength(25);
      const after = await jobs.counts();
      expect(after.completed - before.completed).toBe(25);
      expect(after.failed).toBe(before.failed);
    });

    it('collapses duplicates by kind, entity and version', async () => {
      jobs = await connect();
      const id = fresh();
      const names = [
        await jobs.enqueue(note, { id }),
        await jobs.enqueue(note, { id }),
        await jobs.enqueue(note, { id }, { version: 2 }),
        await jobs.enqueue(note, { id: `${id}:x` }),
      ];
      expect(names).toEqual([`note.${id}`, `note.${id}`, `note.${id}.2`, `note.${id}_x`]);
      let runs = 0;
      await jobs.startWorker([handle(note, async () => runs++), handle(heavy, async () => {})]);
      await jobs.untilIdle(20_000);
      expect(runs).toBe(3);
    });

    it('asks once for what waits and is to be forgotten, and again when it is over, well or not', async () => {
      jobs = await connect();
      const [good, bad] = [fresh(), fresh()];
      const ask = async () => {
        for (const id of [good, good, bad, bad])
          await jobs.enqueue(note, { id }, { version: 'again', isForgotten: true });
      };
      const runs: string[] = [];
      await ask();
      await jobs.startWorker([
        handle(note, async ({ id }) => {
          runs.push(id);
          if (id === bad) throw new Error('as it was to');
        }),
        handle(heavy, async () => {}),
      ]);
      await jobs.untilIdle(20_000);
      const tries = (id: string) => runs.filter((one) => one === id).length;
      expect([tries(good), tries(bad)]).toEqual([1, 3]);
      await ask();
      await jobs.untilIdle(20_000);
      expect([tries(good), tries(bad)]).toEqual([2, 6]);
    });

    it('tries again with patience, then reports the failure once as final', async () => {
      jobs = await connect();
      const events: JobEvent[] = [];
      const attempts: string[] = [];
      const id = fresh();
      await jobs.startWorker(
        [
          handle(note, async (payload, run) => {
            attempts.push(`${payload.id}:${run.attempt}${run.isLastAttempt ? ' last' : ''}`);
            if (payload.id.endsWith('bad') || run.attempt === 1) throw new Error('not today');
          }),
          handle(heavy, async () => {}),
        ],
        (event) => events.push(event),
      );
      await jobs.enqueue(note, { id: `${id}-good` });
      await jobs.untilIdle(20_000);
      await jobs.enqueue(note, { id: `${id}-bad` });
      await jobs.untilIdle(20_000);
      expect(attempts).toEqual([
        `${id}-good:1`,
        `${id}-good:2`,
        `${id}-bad:1`,
        `${id}-bad:2`,
        `${id}-bad:3 last`,
      ]);
      const finals = events.filter((event) => event.kind === 'failed' && event.isFinal);
      expect(finals).toMatchObject([{ job: 'note', attempt: 3, error: { message: 'not today' } }]);
    });

    it('refuses payloads and names that are not in the table', async () => {
      jobs = await connect();
      await expect(jobs.enqueueNamed('note', { id: 7 })).rejects.toMatchObject({
        code: 'bad-payload',
      });
      await expect(jobs.enqueueNamed('nothing', {})).rejects.toMatchObject({ code: 'unknown-job' });
    });

    it('refuses a worker with a missing or a doubled handler', async () => {
      jobs = await connect();
      const once = handle(note, async () => {});
      const both = [once, handle(heavy, async () => {})];
      await expect(jobs.startWorker([once])).rejects.toThrow(
        new QueueError('missing-handler', 'cannot start worker: no handler for heavy-note'),
      );
      await expect(jobs.startWorker([...both, once])).rejects.toMatchObject({
        code: 'doubled-handler',
      });
    });

    it('finishes the job at work when it closes', async () => {
      jobs = await connect();
      const id = fresh();
      let isDone = false;
      const started = deferred();
      const worker = await jobs.startWorker([
        handle(note, async () => {
          started.resolve();
          await new Promise((resolve) => setTimeout(resolve, 300));
          isDone = true;
        }),
        handle(heavy, async () => {}),
      ]);
      await jobs.enqueue(note, { id });
      await started.promise;
      await worker.close();
      expect(isDone).toBe(true);
    });

    it('takes up the job of a worker that was killed, within seconds', async () => {
      jobs = await connect();
      const id = fresh();
      const victim = spawn(process.execPath, [join(projectRoot, 'dist/test/stack/victim.js')], {
        env: {
          PATH: process.env.PATH,
          VICTIM: JSON.stringify({
            redisUrl: stack.env.REDIS_URL,
            pgUrl: stack.env.DATABASE_URL,
            namespace: `test-${process.pid}`,
          }),
        },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const holds = new Promise<void>((resolve, reject) => {
        victim.stdout.once('data', () => resolve());
        victim.once('exit', () => reject(new Error('the victim ended by itself')));
      });
      await jobs.enqueue(note, { id });
      await holds;
      victim.removeAllListeners('exit');
      victim.kill('SIGKILL');
      const killedAt = Date.now();
      const seen: string[] = [];
      await jobs.startWorker([
        handle(note, async (payload) => seen.push(payload.id)),
        handle(heavy, async () => {}),
      ]);
      await jobs.untilIdle(20_000);
      expect(seen).toEqual([id]);
      expect(Date.now() - killedAt).toBeLessThan(6_000);
    });
  },
);

it('says why the service is not there', async () => {
  const pgUrl = 'postgres://nobody@127.0.0.1:1/none';
  await expect(createJobsBackend({ pgUrl })).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  await expect(
    createJobsBackend({ pgUrl, redisUrl: 'redis://:geheim@127.0.0.1:1', patienceMs: 500 }),
  ).rejects.toThrow(/^cannot reach Redis at 127\.0\.0\.1:1: .*ECONNREFUSED/);
});

it('refuses a Redis that may forget jobs', async () => {
  const stack = await startStack({ redis: true, env: { DATABASE_URL: process.env.DATABASE_URL } });
  const redisUrl = stack.env.REDIS_URL ?? '';
  const admin = new Redis(redisUrl);
  await admin.config('SET', 'maxmemory-policy', 'allkeys-lru');
  await expect(createJobsBackend({ pgUrl: '', redisUrl })).rejects.toMatchObject({
    code: 'unsafe-redis',
  });
  admin.disconnect();
  await stack.stop();
});
