import { mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { shiftClock } from '#libs/database';
import { startRedis, startWatchdog, type RedisServer } from '#stack';
import { readAsSnapd } from '../../tools/clients/snapd-reading.js';
import { secretFiles } from '../../tools/installation/secrets.js';
import { AdminStore } from '../admin/support/admin-store.js';
import { testStack } from '../support/store.js';
import { Crowd, type CrowdDevice } from './support/crowd.js';
import { announce, closedLoop, percentile, rush, type Call, type Shot } from './support/load.js';
import {
  FIELDS,
  SCHEDULED,
  contextOf,
  poll,
  postRefresh,
  type WireAnswer,
} from './support/refreshing.js';

const SNAPS = 60;
/** Connections that one process can reasonably hold open. */
const AT_ONCE = 3_000;
const REFRESH = '/v2/snaps/refresh';
const PAUSE_MS = 25;
const watchdog = startWatchdog();
let redis: RedisServer;
let store: AdminStore;
let crowd: Crowd;
let url: string;
let dashboard: string;

beforeAll(async () => {
  const dir = mkdtempSync(join(inject('stackDir'), 'overload-'));
  redis = await startRedis({ dir: join(dir, 'redis'), watchdog });
  const stack = testStack();
  store = await AdminStore.start({
    dir,
    stack: { ...stack, env: { ...stack.env, REDIS_URL: redis.url } },
  });
  url = store.installation.storeUrl;
  await store.publish('acme-dashboard', 2);
  dashboard = await store.snapId('acme-dashboard');
  const secret = Buffer.from(readFileSync(secretFiles(dir).store, 'utf8').trim(), 'base64');
  crowd = await Crowd.gather(store, secret, { devices: 400, snaps: SNAPS }, { group: 'crowd' });
}, 180_000);
afterAll(async () => {
  await store?.stop();
  await redis?.stop();
  await watchdog.done();
});

/** The sum of a metric over its labels, of one process. */
async function metric(app: 'store' | 'worker', name: string): Promise<number> {
  const { storeOps, workerOps } = store.installation.ports;
  const port = app === 'store' ? storeOps : workerOps;
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`));
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}
const memory = (app: 'store' | 'worker') => metric(app, 'process_resident_memory_bytes');
const shedSnaps = () => metric('store', 'brandstore_refresh_shed_total');

async function until(what: string, isSo: () => Promise<boolean>, limitMs = 120_000): Promise<void> {
  for (const end = Date.now() + limitMs; !(await isSo()); await sleep(100))
    if (Date.now() > end) throw new Error(`cannot wait any longer for ${what}`);
}

let turn = 0;
/** Each in turn. Those that are up to date are others: who was seen ahead and comes back has reverted, and is left alone (U74). */
const nextDevice = (isUpToDate = false): CrowdDevice => {
  const half = crowd.devices.length / 2;
  const device = crowd.devices[((turn += 1) % half) + (isUpToDate ? half : 0)];
  if (!device) throw new Error('the crowd is empty');
  return device;
};
const call = (device: CrowdDevice, body: string, headers = {}): Call => ({
  path: REFRESH,
  headers: { 'snap-device-architecture': 'amd64', ...device.headers, ...headers },
  body,
});
const read = (body: string, shot: Shot) =>
  readAsSnapd(
    JSON.parse(body) as Parameters<typeof readAsSnapd>[0],
    JSON.parse(shot.body) as WireAnswer,
  );

describe('large polls', () => {
  /** 500 instances of the crowd's snaps, all behind, in so many bytes. */
  function largeBody(bytes: number): string {
    const keys = Array.from({ length: 500 }, (_, n) => [crowd.snapIds[n % SNAPS] ?? '', `${n}`]);
    const padding = 'x'.repeat(Math.floor(bytes / 500));
    const installed = keys.map(([id = '', n = '']) => ({ id, key: `${id}:${n}`, revision: 1 }));
    return JSON.stringify({
      context: installed.map((snap) => ({ ...contextOf(snap), note: padding })),
      actions: installed.map(({ id, key }) => ({
        action: 'refresh',
        'instance-key': key,
        'snap-id': id,
      })),
      fields: FIELDS,
    });
  }

  it('U9 of 500 snaps and 2 MB take bounded time and memory, above the limit they are refused with 4xx', async () => {
    const body = largeBody(1_900_000);
    expect(body.length).toBeGreaterThan(2_000_000);
    const send = (text: string) => closedLoop(url, 2, () => call(nextDevice(), text, SCHEDULED), 1);
    const [first] = await send(body);
    expect([first?.status, Object.keys(read(body, first as Shot).updates).length]).toEqual([
      200, 500,
    ]);
    const before = await memory('store');
    const shots: Shot[] = [];
    for (let round = 0; round < 10; round += 1) shots.push(...(await send(body)));
    expect(new Set(shots.map(({ status }) => status))).toEqual(new Set([200]));
    // snapd waits for ten seconds (device-api.md 3.1).
    expect(percentile(shots, 0.5)).toBeLessThan(10_000);
    expect((await memory('store')) - before).toBeLessThan(300e6);
    expect(await announce(url, call(nextDevice(), body), 4_300_000)).toBe(413);
    expect((await memory('store')) - before).toBeLessThan(300e6);
  });
});

describe('Redis down', () => {
  /** The quietest of some rounds of polls: what the store does, without what else the machine does. */
  async function quietP99(rounds: number): Promise<number> {
    const body = crowd.refreshBody(2);
    const found: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const shots = await closedLoop(url, 1, () => call(nextDevice(true), body, SCHEDULED), 1_000);
      expect(shots.every(({ status }) => status === 200)).toBe(true);
      found.push(percentile(shots, 0.99));
    }
    return Math.min(...found);
  }
  const members = () => crowd.devices.slice(0, 20);
  /** Those of 20 devices that a poll offers the revision. */
  const offered = async (revision = 2): Promise<string[]> => {
    const got: string[] = [];
    for (const { uid, headers } of members()) {
      const { snap } = await poll(
        url,
        { id: dashboard, revision: 1 },
        { ...headers, ...SCHEDULED },
      );
      if (snap?.revision === revision) got.push(uid);
    }
    return got;
  };

  it('U60 for an hour: polls are served as fast, pause, stop and gates work, memory is bounded', async () => {
    const uids = members().map(({ uid }) => uid);
    await store.owner.query(
      `UPDATE store.devices SET tags = '{"group":"berlin"}' WHERE uid = ANY($1)`,
      [uids],
    );
    const fleetId = await store.createFleet('berlin', 10, ['group', 'berlin']);
    const rollout = await store.approved({
      fleetId,
      waves: [
        { percent: 10, soakSeconds: 0, isManual: true },
        { percent: 50, soakSeconds: 1_200, health: { minSample: 0, coveragePercent: 0 } },
        { percent: 100, soakSeconds: 0, isManual: true },
      ],
    });
    const isOpen = (no: number) =>
      store.until(rollout, ({ waves }) => waves[no - 1]?.state === 'OPEN', 120_000);
    await isOpen(1);
    await until('the first wave', async () => (await offered()).length === 2);
    const normal = await quietP99(4);
    const before = { store: await memory('store'), worker: await memory('worker') };
    await redis.stop();
    // A gate passed by a person, the count and the threshold of the next wave.
    await store.on(store.planner, 'advanceRollout', rollout, 'wave: 1');
    await isOpen(2);
    await until('the second wave', async () => (await offered()).length === 10);
    const admitted = await offered();
    await store.on(store.planner, 'pauseRollout', rollout, 'reason: "noise"');
    await until('the pause', async () => (await offered()).length === 0, 30_000);
    await store.on(store.planner, 'resumeRollout', rollout);
    await until('the same devices again', async () => (await offered()).length === 10);
    expect(await offered()).toEqual(admitted);
    // Of some milliseconds one pause of the collector is the double: it may cost that much, and no more.
    expect(await quietP99(6)).toBeLessThan(2 * normal + PAUSE_MS);
    // An hour passes: leases run out unless they are renewed, and the soak of the second wave is over.
    const { owner } = store.installation.databaseUrls;
    await shiftClock(owner, 600_000);
    await store.leaseExtended(rollout, 120_000);
    await shiftClock(owner, 3_600_000);
    await isOpen(3);
    await until('the third wave', async () => (await offered()).length === 20);
    const stopped = await store.planner.act(
      `stop(brand: "${store.brand}", input: {scope: snap, snap: "acme-dashboard", level: 1, reason: "smoke"})`,
    );
    expect(stopped.__typename).not.toMatch(/Invalid|Forbidden|NotFound|Conflict/);
    await until('the stop', async () => (await offered()).length === 0, 30_000);
    // Of which most is what the collector has not looked at yet.
    expect((await memory('store')) - before.store).toBeLessThan(250e6);
    expect((await memory('worker')) - before.worker).toBeLessThan(150e6);
    await shiftClock(store.installation.databaseUrls.owner, 0);
  }, 300_000);
});

describe('too many at once', () => {
  it('U4 ten times what the store can do: no 5xx or 429, no error on a device, and no queue in the end', async () => {
    const behind = crowd.refreshBody(1);
    const wish = JSON.stringify({
      context: [],
      actions: [{ action: 'install', 'instance-key': 'install-1', name: 'crowd-1', epoch: null }],
      fields: FIELDS,
    });
    const group = {
      action: 'fetch-assertions',
      key: 'g',
      assertions: [{ type: 'account', 'primary-key': [store.brand] }],
    };
    const fetch = JSON.stringify({ context: [], actions: [group], fields: FIELDS });
    const work = (forMs: number) =>
      closedLoop(url, 3, () => call(nextDevice(), behind, SCHEDULED), forMs);
    await work(1_000);
    const full = await work(2_000);
    const updates = full.map((shot) => Object.keys(read(behind, shot).updates).length);
    expect([...new Set(updates)]).toEqual([SNAPS]);
    const capacity = full.length / 2;
    expect(await shedSnaps()).toBe(0);

    // Ten times the capacity, for as many seconds as there are connections.
    const crowding = Math.min(Math.round(10 * capacity * 4), AT_ONCE);
    const bodies = Array.from({ length: crowding }, (_, nth) =>
      nth % 40 === 13 ? wish : nth % 40 === 27 ? fetch : behind,
    );
    const calls = bodies.map((body) => call(nextDevice(), body, SCHEDULED));
    const { pid } = store.installation.processes.get('store-api');
    const shots = await rush(url, calls, {
      freeze: () => process.kill(pid, 'SIGSTOP'),
      thaw: () => process.kill(pid, 'SIGCONT'),
    });
    const refused = shots.filter(({ status }) => status !== 200);
    expect(
      refused.map(({ status, body, ms }) => [status, body.slice(0, 200), ms]).slice(0, 9),
    ).toEqual([]);
    let shed = 0;
    for (const [nth, shot] of shots.entries()) {
      const body = bodies[nth] ?? '';
      const { failure, errors, updates: offers, current } = read(body, shot);
      expect({ failure, errors }).toEqual({ failure: null, errors: {} });
      // Installs and assertions are never shed; a poll is answered whole or with what is installed.
      if (body === wish) expect(offers).toEqual({ 'install-1': 2 });
      if (body === fetch) expect(shot.body).toContain(`/v2/assertion-streams?`);
      if (body === behind) expect([0, SNAPS]).toContain(current.length);
      if (body === behind && current.length === SNAPS) shed += 1;
    }
    expect(shed).toBeGreaterThan(0.5 * shots.length);
    expect(await shedSnaps()).toBe(shed * SNAPS);

    await until(
      'an empty queue',
      async () => (await metric('store', 'brandstore_http_requests_open')) === 0,
    );
    await until(
      'the end of the shedding',
      async () => (await metric('store', 'brandstore_refresh_shed_share')) === 0,
    );
    const { headers } = nextDevice();
    const after = await postRefresh(url, {
      ...(JSON.parse(behind) as { actions: [] }),
      headers: { ...headers, ...SCHEDULED },
    });
    expect(after.json<WireAnswer>().results.map(({ snap }) => snap?.revision)).toEqual(
      Array(SNAPS).fill(2),
    );
    const log = store.installation.processes.log('store-api');
    expect(log).toContain('overloaded: polls are shed');
    expect(log).toContain('no poll is shed any more');
  }, 300_000);
});
