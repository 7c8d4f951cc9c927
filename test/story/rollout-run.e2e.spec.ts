import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { Client } from 'pg';
import { afterAll, afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { Narrator } from '../../tools/demo/narrator.js';
import {
  BAD_REVISION_CHAPTERS,
  badEndRows,
  finalState,
  ROLLOUT_CHAPTERS,
  startRolloutStory,
  type FinalState,
  type RolloutStory,
} from '../../tools/demo/rollout/index.js';
import type { Installation } from '../../tools/installation/index.js';
import { startStore, testStack } from '../support/store.js';
import { startRedis, startWatchdog, type RedisServer } from '#stack';

const DEVICES = 200;
const RUN_MS = 420_000;
const MOMENT_MS = 180_000;

interface Run {
  readonly installation: Installation;
  readonly story: RolloutStory;
  readonly owner: Client;
}

type End = FinalState & { readonly baselines: readonly unknown[] };

async function startRun(redisUrl: string): Promise<Run> {
  const stack = testStack();
  const installation = await startStore({
    stack: { ...stack, env: { ...stack.env, REDIS_URL: redisUrl } },
    apps: ['store-api', 'worker'],
    env: { KEY_BITS: '2048' },
  });
  const owner = await connect(installation.databaseUrls.owner);
  const narrator = new Narrator(() => {});
  const story = startRolloutStory({ installation, narrator, devices: DEVICES, seed: 'one seed' });
  return { installation, story, owner };
}

async function connect(connectionString: string): Promise<Client> {
  const client = new Client({ connectionString });
  // Postgres is restarted under it.
  client.on('error', () => {});
  await client.connect();
  return client;
}

async function endOf({ story, installation }: Run): Promise<End> {
  const owner = await connect(installation.databaseUrls.owner);
  const { rows } = await owner.query<Record<string, unknown>>(
    `SELECT f.name, b.architecture, b.revision FROM store.fleet_baselines b JOIN store.fleets f ON f.id = b.fleet_id
     ORDER BY b.architecture`,
  );
  await owner.end();
  return { ...(await finalState(story)), baselines: rows };
}

/** The demo's run over simulated devices, twice with the same seed: once left alone, once with everything breaking that may break. */
describe('a rollout over simulated devices', { timeout: RUN_MS }, () => {
  let run: Run;
  let undisturbed: End;
  let redis: RedisServer | undefined;
  const watchdog = startWatchdog();
  afterAll(async () => {
    await redis?.stop();
    await watchdog.done();
  });

  // One after the other: installations on one server share its roles.
  beforeEach(async () => {
    redis ??= await startRedis({ dir: join(inject('stackDir'), 'rollout-run-redis'), watchdog });
    run = await startRun(redis.url);
  }, RUN_MS);
  afterEach(async () => {
    await run?.owner.end().catch(() => undefined);
    await run?.installation.stop();
  });

  it('reaches every device in five waves, at night only, approved by a second person and with a stop in between', async () => {
    for (const { tell } of ROLLOUT_CHAPTERS) await tell(run.story);
    undisturbed = await endOf(run);
    expect(undisturbed.state).toBe('COMPLETED');
    expect(
      undisturbed.waves.map(({ no, state, k, population }) => [no, state, k, population]),
    ).toEqual([
      [1, 'PASSED', 2, DEVICES],
      [2, 'PASSED', 5, DEVICES],
      [3, 'PASSED', DEVICES / 10, DEVICES],
      [4, 'PASSED', DEVICES / 2, DEVICES],
      [5, 'PASSED', DEVICES, DEVICES],
    ]);
    expect(undisturbed.progress.reduce((sum, { updated }) => sum + updated, 0)).toBe(DEVICES);
    expect(Object.keys(undisturbed.installed)).toHaveLength(DEVICES);
    expect(new Set(Object.values(undisturbed.installed))).toEqual(new Set([2]));
    expect(undisturbed.transitions.map((line) => line.replace(/ by .*/, ''))).toEqual([
      'new → DRAFT',
      'DRAFT → PENDING_APPROVAL',
      'PENDING_APPROVAL → SCHEDULED',
      'SCHEDULED → ACTIVE',
      'ACTIVE → PAUSED',
      'PAUSED → ACTIVE',
      'ACTIVE → COMPLETING',
      'COMPLETING → COMPLETED',
    ]);
    // For all that revision 2 was built for.
    expect(undisturbed.baselines).toEqual(
      ['amd64', 'arm64', 'armhf'].map((architecture) => ({
        name: 'kiosks',
        architecture,
        revision: 2,
      })),
    );
  });

  it('pauses by itself when a revision fails on one architecture, and is taken back by a second approval', async () => {
    const [first] = ROLLOUT_CHAPTERS;
    await first?.tell(run.story);
    for (const { tell } of BAD_REVISION_CHAPTERS) await tell(run.story);
    const rows = await badEndRows(run.story);
    expect(rows.filter(([what]) => what !== '')).toEqual([
      ['rollout of revision 3', 'ROLLED_BACK'],
      ['rollback', 'COMPLETED'],
    ]);
    const told = rows.map(([, line]) => line).join('\n');
    expect(told).toContain('ACTIVE → PAUSED: wave 1 failed: health on arm64: failures');
  });

  it('ends in the same state when the worker is killed, Redis emptied and Postgres restarted in the middle', async () => {
    const { installation, owner, story } = run;
    const disasters: Readonly<Record<number, () => Promise<void>>> = {
      5: async () => {
        await momentOf(owner, `SELECT 1 FROM store.waves WHERE no = 3 AND state = 'OPENING'`);
        await installation.processes.kill('worker');
        await installation.processes.restart('worker');
      },
      6: async () => {
        await momentOf(owner, `SELECT 1 FROM store.waves WHERE no = 4 AND state = 'OPENING'`);
        const client = new Redis(redis?.url ?? '');
        await client.flushall();
        client.disconnect();
      },
      7: async () => {
        await momentOf(owner, `SELECT 1 FROM store.rollouts WHERE state = 'PAUSED'`);
        await restartPostgres(installation.databaseUrls.owner);
      },
    };
    const happened: number[] = [];
    for (const { no, tell } of ROLLOUT_CHAPTERS) {
      const disaster = disasters[no]?.().then(() => happened.push(no));
      await Promise.all([tell(story), disaster]);
    }
    expect(happened).toEqual([5, 6, 7]);
    expect(await endOf(run)).toEqual(undisturbed);
  });
});

async function momentOf(owner: Client, condition: string): Promise<void> {
  for (const end = Date.now() + MOMENT_MS; ; await sleep(3)) {
    if ((await owner.query(condition)).rows.length > 0) return;
    if (Date.now() > end) throw new Error(`cannot wait any longer for ${condition}`);
  }
}

/** One backend killed hard: the server ends all connections, recovers from its log and begins anew (a crash, not a polite restart). */
async function restartPostgres(url: string): Promise<void> {
  const victim = await connect(url);
  const { rows } = await victim.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  const lost = new Promise<void>((resolve) => victim.once('end', resolve));
  process.kill(rows[0]?.pid ?? 0, 'SIGKILL');
  await lost;
  for (const end = Date.now() + MOMENT_MS; ; await sleep(50)) {
    const back = await connect(url).catch(() => null);
    if (back !== null) return back.end();
    if (Date.now() > end) throw new Error('cannot wait any longer for Postgres');
  }
}
