import { mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { startRedis, startWatchdog, type RedisServer } from '#stack';
import { secretFiles } from '../../tools/installation/secrets.js';
import { AdminStore, Enum, type RolloutAnswer } from '../admin/support/admin-store.js';
import { Crowd } from '../device/support/crowd.js';
import { SCHEDULED, postRefresh, type RefreshCall } from '../device/support/refreshing.js';
import { testStack } from '../support/store.js';

/** update-control.md 2.6: whatever is due is asked for again within so long. */
const RECONCILED_MS = 30_000;
const watchdog = startWatchdog();

let redis: RedisServer;
let client: Redis;
let queue: Queue;
let store: AdminStore;
let crowd: Crowd;

beforeAll(async () => {
  const dir = mkdtempSync(join(inject('stackDir'), 'redis-faults-'));
  redis = await startRedis({ dir: join(dir, 'redis'), watchdog });
  const stack = testStack();
  store = await AdminStore.start({
    dir,
    stack: { ...stack, env: { ...stack.env, REDIS_URL: redis.url } },
  });
  client = new Redis(redis.url, { maxRetriesPerRequest: null });
  const database = new URL(store.installation.databaseUrls.worker).pathname.slice(1);
  queue = new Queue('prompt', { connection: client, prefix: `brandstore-${database}` });
  await store.publish('acme-dashboard', 2);
  const secret = Buffer.from(readFileSync(secretFiles(dir).store, 'utf8').trim(), 'base64');
  crowd = await Crowd.gather(store, secret, { devices: 10, snaps: 2 }, { group: 'crowd' });
}, 180_000);
afterAll(async () => {
  await queue?.close();
  client?.disconnect();
  await store?.stop();
  await redis?.stop();
  await watchdog.done();
});

const FIVE_WAVES = [10, 25, 50, 75, 100].map((percent) => ({
  percent,
  soakSeconds: 0,
  isManual: true,
}));
const openWave =
  (no: number) =>
  (now: RolloutAnswer): boolean =>
    now.waves[no - 1]?.state === 'OPEN';

/** A rollout of five waves to twenty devices, with its first wave open. */
async function fiveWaves(tag: string): Promise<RolloutAnswer> {
  await store.addDevices(20, { group: tag }, 'acme-dashboard');
  const fleetId = await store.createFleet(tag, Math.floor(Math.random() * 1e6), ['group', tag]);
  const rollout = await store.approved({ fleetId, waves: FIVE_WAVES, promote: new Enum('none') });
  return store.until(rollout, openWave(1), 60_000);
}
const advance = (rollout: RolloutAnswer, wave: number): Promise<RolloutAnswer> =>
  store.on(store.planner, 'advanceRollout', rollout, `wave: ${wave}`);

/** Jobs that Redis holds and nobody has begun. */
async function waitingJobs(): Promise<number> {
  const { waiting = 0, paused = 0, delayed = 0, prioritized = 0 } = await queue.getJobCounts();
  return waiting + paused + delayed + prioritized;
}
async function until(what: string, isSo: () => Promise<boolean>, limitMs = 60_000): Promise<void> {
  for (const end = Date.now() + limitMs; !(await isSo()); await sleep(50))
    if (Date.now() > end) throw new Error(`cannot wait any longer for ${what}`);
}

/** What the devices have told of themselves, once their polls are written. */
async function observations(): Promise<unknown[]> {
  const [device] = crowd.devices;
  if (!device) throw new Error('the crowd is empty');
  const written = new Date();
  for (const { headers } of crowd.devices)
    await postRefresh(store.installation.storeUrl, {
      ...(JSON.parse(crowd.refreshBody()) as RefreshCall),
      headers: { ...headers, ...SCHEDULED },
    });
  const uids = crowd.devices.map(({ uid }) => uid);
  const read = async (): Promise<{ uid: string; facts: unknown }[]> =>
    (
      await store.owner.query<{ uid: string; facts: unknown }>(
        'SELECT device_uid AS uid, facts FROM store.device_facts WHERE device_uid = ANY($1::uuid[]) ORDER BY device_uid',
        [uids],
      )
    ).rows;
  await until(
    `the facts since ${written.toISOString()}`,
    async () => (await read()).length === uids.length,
  );
  return read();
}

describe('Redis emptied', () => {
  it('U59 U63 in the middle of five waves: all due work is there again within 30 s, no wave opens twice, no observation is lost', async () => {
    const before = await observations();
    const rollout = await fiveWaves('emptied');
    for (const wave of [1, 2, 3]) {
      // Workers take nothing more, so that the job of this step lies in Redis when Redis forgets it.
      await queue.pause();
      await advance(rollout, wave);
      await until('the job to lie in Redis', async () => (await waitingJobs()) > 0);
      // Nothing rests on schedulers: there are none to delete (update-control.md 2.6).
      expect(await queue.getJobSchedulersCount()).toBe(0);
      await client.flushall();
      const emptied = Date.now();
      await store.until(rollout, openWave(wave + 1), RECONCILED_MS);
      expect(Date.now() - emptied).toBeLessThan(RECONCILED_MS);
    }
    await advance(rollout, 4);
    await store.until(rollout, openWave(5), RECONCILED_MS);
    await advance(rollout, 5);
    const done = await store.until(rollout, ({ state }) => state === 'COMPLETED', 60_000);

    const { rows } = await store.owner.query<{ wave: number; times: number }>(
      `SELECT (detail->>'wave')::int AS wave, count(*)::int AS times FROM store.brand_events
       WHERE rollout_id = $1 AND kind = 'wave-opened' GROUP BY 1 ORDER BY 1`,
      [rollout.id],
    );
    expect(rows).toEqual([1, 2, 3, 4, 5].map((wave) => ({ wave, times: 1 })));
    const thresholds = done.waves.map(({ threshold }) => threshold ?? 0);
    expect(thresholds).toEqual([...thresholds].sort((a, b) => a - b));
    expect(done.transitions.map(({ toState }) => toState)).toEqual([
      'DRAFT',
      'PENDING_APPROVAL',
      'SCHEDULED',
      'ACTIVE',
      'COMPLETING',
      'COMPLETED',
    ]);
    expect(await observations()).toEqual(before);
  });

  it('U66 a job that was removed when it was done is added again under the same id, runs, and changes nothing', async () => {
    const rollout = await fiveWaves('again');
    const before = await store.read(rollout);
    const payload = { rolloutId: rollout.id, brandId: store.brand, rev: rollout.rev };
    const jobId = `rollout-tick.${rollout.id}.${rollout.rev}.again`;
    for (let round = 1; round <= 2; round += 1) {
      await queue.add('rollout-tick', payload, { jobId, removeOnComplete: true });
      await until('the job to be done', async () => (await queue.getJob(jobId)) === undefined);
    }
    expect(await store.read(rollout)).toEqual(before);
  });
});
