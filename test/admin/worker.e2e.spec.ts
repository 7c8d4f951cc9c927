import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { Database, shiftClock } from '#libs/database';
import { RolloutCountService, RolloutProgressService, type Resources } from '#libs/operations';
import { bucket, EVERYBODY } from '#libs/update-control';
import { freePort } from '#stack';
import { AdminStore, type RolloutAnswer } from './support/admin-store.js';

/** More than any condition in here may be waited for, so that it is the one that says what is missing. */
vi.setConfig({ testTimeout: 180_000 });

const manual = (...percents: number[]): object[] =>
  percents.map((percent) => ({ percent, soakSeconds: 0, isManual: true }));
/** Nobody needs to report anything. */
const byTimeAlone = { health: { minSample: 0, coveragePercent: 0 } };
const soaked = (...percents: number[]): object[] =>
  percents.map((percent) => ({ percent, soakSeconds: 0, ...byTimeAlone }));
const COMPLETED = ['DRAFT', 'PENDING_APPROVAL', 'SCHEDULED', 'ACTIVE', 'COMPLETING', 'COMPLETED'];
const states = ({ transitions }: RolloutAnswer): string[] =>
  transitions.map(({ toState }) => toState);

/** What must be true of the database after every crash and every doubled job. */
async function expectWhole(store: AdminStore, rollout: { id: string }): Promise<void> {
  const { transitions } = await store.read(rollout);
  expect(transitions.map(({ seq }) => seq)).toEqual(transitions.map((_, index) => index + 1));
  const twice = await store.owner.query(
    `SELECT action, detail ->> 'wave' FROM store.audit_log WHERE subject = $1 AND action LIKE 'wave-%'
     GROUP BY 1, 2 HAVING count(*) > 1`,
    [`rollout:${rollout.id}`],
  );
  expect(twice.rows).toEqual([]);
  const ranked = await store.owner.query<{ n: string }>(
    `SELECT count(*) AS n FROM store.lane_events WHERE rollout_id = $1 AND kind = 'rollout'`,
    [rollout.id],
  );
  expect(ranked.rows[0]?.n).toBe('1');
}

describe('the worker, killed and doubled', () => {
  let store: AdminStore;
  let blocker: Client;
  let groups = 0;

  beforeAll(async () => {
    store = await AdminStore.start();
    await store.publish('acme-dashboard', 2);
  });
  afterAll(() => store?.stop());
  beforeEach(async () => {
    blocker = new Client({ connectionString: store.installation.databaseUrls.owner });
    await blocker.connect();
  });
  afterEach(() => blocker.end());

  async function group(count: number): Promise<{ fleetId: string; uids: string[] }> {
    groups += 1;
    const tag = `group-${groups}`;
    const uids = await store.addDevices(count, { group: tag }, 'acme-dashboard');
    return { fleetId: await store.createFleet(tag, 100 + groups, ['group', tag]), uids };
  }

  /** Until somebody waits for a lock that `blocker` holds. */
  async function untilBlocked(): Promise<void> {
    for (let tries = 0; tries < 400; tries += 1) {
      const { rows } = await store.owner.query('SELECT 1 FROM pg_locks WHERE NOT granted');
      if (rows.length > 0) return;
      await sleep(25);
    }
    throw new Error('cannot wait any longer for the worker to meet the lock');
  }

  it('killed while it opens a wave, it opens the wave once after its return', async () => {
    const { fleetId, uids } = await group(30);
    const rollout = await store.approved({ fleetId, waves: manual(10, 100) });
    // Whoever opens the second wave meets this lock, after it has passed the first in the same transaction.
    await blocker.query('BEGIN');
    await blocker.query('SELECT 1 FROM store.waves WHERE rollout_id = $1 AND no = 2 FOR UPDATE', [
      rollout.id,
    ]);
    const first = await store.until(rollout, ({ waves: [wave] }) => wave?.state === 'OPEN');
    await store.on(store.planner, 'advanceRollout', rollout, 'wave: 1');
    await untilBlocked();
    await store.installation.processes.kill('worker');
    await blocker.query('ROLLBACK');
    await sleep(300);
    const dead = await store.read(rollout);
    expect(dead.waves[1]).toMatchObject({ state: 'WAITING', threshold: null });
    expect(dead.waves[0]).toEqual(first.waves[0]);
    await store.installation.processes.restart('worker');
    const open = await store.until(rollout, ({ waves }) => waves[1]?.state === 'OPEN', 40_000);
    expect(open.waves[1]).toMatchObject({ k: 30, population: 30, threshold: 2 ** 53 });
    await store.on(store.planner, 'advanceRollout', rollout, 'wave: 2');
    expect(states(await store.until(rollout, ({ state }) => state === 'COMPLETED'))).toEqual(
      COMPLETED,
    );
    await expectWhole(store, rollout);
    await store.settled();
    expect(await store.movedTo(2, uids)).toHaveLength(30);
  });

  it('killed between the count and the threshold, it writes the threshold once', async () => {
    const { fleetId } = await group(20);
    await store.installation.processes.kill('worker');
    const rollout = await store.approved({ fleetId, waves: manual(25, 100) });
    const db = await Database.open({
      url: store.installation.databaseUrls.worker,
      room: 'store',
      applicationName: 'worker twin',
    });
    try {
      // Nobody else works: one tick starts the rollout and asks for the freeze, and there it stays.
      await new RolloutProgressService({ db } as Resources).tick(store.brand, rollout.id);
    } finally {
      await db.close();
    }
    expect((await store.read(rollout)).waves[0]).toMatchObject({
      state: 'OPENING',
      threshold: null,
    });
    await blocker.query('BEGIN');
    await blocker.query('SELECT 1 FROM store.waves WHERE rollout_id = $1 AND no = 1 FOR UPDATE', [
      rollout.id,
    ]);
    await store.installation.processes.restart('worker');
    await untilBlocked();
    await store.installation.processes.kill('worker');
    await blocker.query('ROLLBACK');
    await sleep(300);
    expect((await store.read(rollout)).waves[0]).toMatchObject({
      state: 'OPENING',
      threshold: null,
    });
    await store.installation.processes.restart('worker');
    const open = await store.until(rollout, ({ waves: [wave] }) => wave?.state === 'OPEN', 40_000);
    expect(open.waves[0]).toMatchObject({ k: 5, population: 20 });
    await expectWhole(store, rollout);
    await store.on(store.planner, 'abortRollout', rollout);
  });

  it('U55 completing moves the baseline in the same transaction: killed in between, both or none', async () => {
    const { fleetId, uids } = await group(6);
    const others = await group(3);
    await store.planner.act(
      `setLaneProtected(brand: "${store.brand}", snap: "acme-dashboard", channel: "latest/stable", isProtected: true)`,
    );
    await blocker.query('BEGIN');
    await blocker.query('LOCK TABLE store.fleet_baselines IN SHARE ROW EXCLUSIVE MODE');
    const rollout = await store.approved({ fleetId, waves: soaked(100) });
    await store.until(rollout, ({ waves: [wave] }) => wave?.state === 'OPEN');
    await untilBlocked();
    await store.installation.processes.kill('worker');
    await blocker.query('ROLLBACK');
    await sleep(300);
    const baselines = async (): Promise<unknown[]> =>
      (
        await store.owner.query('SELECT revision FROM store.fleet_baselines WHERE fleet_id = $1', [
          fleetId,
        ])
      ).rows as unknown[];
    expect(await store.read(rollout)).toMatchObject({
      state: 'ACTIVE',
      waves: [{ state: 'OPEN' }],
    });
    expect(await baselines()).toEqual([]);
    await store.installation.processes.restart('worker');
    await store.until(rollout, ({ state }) => state === 'COMPLETED', 40_000);
    expect(await baselines()).toContainEqual({ revision: 2 });
    await expectWhole(store, rollout);
    await store.settled();
    // Other fleets of the lane do not move, a new device of the fleet gets the target at once, a bare release is refused.
    expect(await store.movedTo(2, others.uids)).toEqual([]);
    const [newcomer = ''] = await store.addDevices(
      1,
      { group: `group-${groups - 1}` },
      'acme-dashboard',
    );
    expect(await store.movedTo(2, [...uids, newcomer])).toHaveLength(7);
    expect(
      (await store.publisher.release('acme-dashboard', 2, ['stable'])).status,
    ).toBeGreaterThanOrEqual(400);
  });

  it('every handler of rollouts run many times at once, and again after the end, leaves what one run leaves', async () => {
    const { fleetId } = await group(12);
    const twins = await Promise.all(
      [1, 2, 3].map((no) =>
        Database.open({
          url: store.installation.databaseUrls.worker,
          room: 'store',
          applicationName: `twin ${no}`,
        }),
      ),
    );
    const services = twins.map((db) => new RolloutProgressService({ db } as Resources));
    const everyHandler = (id: string): Promise<unknown> =>
      Promise.allSettled(
        services.flatMap((service) => [
          service.tick(store.brand, id),
          ...[1, 2, 3].map((no) => service.freeze(store.brand, id, no)),
          service.tick(store.brand, id),
        ]),
      );
    try {
      const rollout = await store.approved({ fleetId, waves: manual(10, 50, 100) });
      for (const no of [1, 2, 3]) {
        for (
          let state = '';
          state !== 'OPEN';
          state = (await store.read(rollout)).waves[no - 1]?.state ?? ''
        )
          await everyHandler(rollout.id);
        await everyHandler(rollout.id);
        await Promise.all(
          [1, 2, 3].map(() => store.on(store.planner, 'advanceRollout', rollout, `wave: ${no}`)),
        );
      }
      await store.until(rollout, ({ state }) => state === 'COMPLETED');
      const before = await store.read(rollout);
      expect(states(before)).toEqual(COMPLETED);
      expect(before.waves.map(({ k }) => k)).toEqual([2, 6, 12]);
      await expectWhole(store, rollout);
      const audit = async (): Promise<unknown> =>
        (await store.owner.query('SELECT count(*) FROM store.audit_log')).rows[0] as unknown;
      const rows = await audit();
      await everyHandler(rollout.id);
      expect(await store.read(rollout)).toEqual(before);
      expect(await audit()).toEqual(rows);
    } finally {
      await Promise.all(twins.map((db) => db.close()));
    }
  });

  it('a rollout that nobody asked the queue about is found in the database', async () => {
    const { fleetId } = await group(4);
    await store.installation.processes.kill('worker');
    const rollout = await store.approved({ fleetId, waves: soaked(50, 100) });
    // As if the queue had taken the job and lost it.
    await store.owner.query(
      `UPDATE store.outbox SET delivered_at = app.now() WHERE delivered_at IS NULL`,
    );
    await store.installation.processes.restart('worker');
    await store.until(rollout, ({ state }) => state === 'COMPLETED', 40_000);
    await store.settled();
    await expectWhole(store, rollout);
  });

  it('U64 a tick two hours early does nothing, and one two hours late ends in the same state', async () => {
    const { fleetId } = await group(4);
    const { owner } = store.installation.databaseUrls;
    const startAt = new Date(Date.now() + 2 * 3_600_000).toISOString();
    const input = { fleetId, startAt, latestStartSeconds: 10 * 3_600, waves: soaked(100) };
    const db = await Database.open({
      url: store.installation.databaseUrls.worker,
      room: 'store',
      applicationName: 'early',
    });
    try {
      const rollout = await store.approved(input);
      await new RolloutProgressService({ db } as Resources).tick(store.brand, rollout.id);
      expect(await store.read(rollout)).toMatchObject({ state: 'SCHEDULED' });
      await store.installation.processes.kill('worker');
      await shiftClock(owner, 4 * 3_600_000);
      await store.installation.processes.restart('worker');
      expect(
        states(await store.until(rollout, ({ state }) => state === 'COMPLETED', 40_000)),
      ).toEqual(COMPLETED);
      await expectWhole(store, rollout);
    } finally {
      await db.close();
      await shiftClock(owner, 0);
    }
  });

  it('U54 a start missed by two hours where one is allowed expires: that is told, and nothing is served', async () => {
    const { fleetId, uids } = await group(4);
    const { owner } = store.installation.databaseUrls;
    const startAt = new Date(Date.now() + 60_000).toISOString();
    const rollout = await store.approved({
      fleetId,
      startAt,
      latestStartSeconds: 3_600,
      waves: soaked(100),
    });
    await store.installation.processes.kill('worker');
    await shiftClock(owner, 2 * 3_600_000 + 60_000);
    try {
      await store.installation.processes.restart('worker');
      const over = await store.until(rollout, ({ state }) => state === 'EXPIRED', 40_000);
      expect(over.transitions.at(-1)).toMatchObject({
        cause: 'start missed',
        actor: 'job:rollout-tick',
      });
      const { rows: told } = await store.owner.query<{ kind: string; late: string }>(
        `SELECT kind, detail -> 'evidence' ->> 'lateMs' AS late FROM store.brand_events
         WHERE rollout_id = $1 AND detail ->> 'to' = 'EXPIRED'`,
        [rollout.id],
      );
      expect(told.map(({ kind }) => kind)).toEqual(['rollout-expired']);
      expect(Number(told[0]?.late)).toBeGreaterThanOrEqual(2 * 3_600_000 - 60_000);
      await store.settled();
      expect(await store.movedTo(2, uids)).toEqual([]);
    } finally {
      await shiftClock(owner, 0);
    }
  });

  it('without its queue the worker opens waves and compiles policies by itself', async () => {
    const { fleetId, uids } = await group(8);
    await store.installation.processes.restart('worker', {
      REDIS_URL: `redis://127.0.0.1:${await freePort()}`,
    });
    const rollout = await store.approved({ fleetId, waves: manual(25, 100) });
    await store.until(rollout, ({ waves: [wave] }) => wave?.state === 'OPEN', 40_000);
    await store.settled();
    expect(await store.movedTo(2, uids)).toHaveLength(2);
    await store.on(store.planner, 'pauseRollout', rollout);
    await store.settled();
    expect(await store.movedTo(2, uids)).toEqual([]);
    await store.on(store.planner, 'resumeRollout', rollout);
    await store.on(store.planner, 'advanceRollout', rollout, 'wave: 1');
    await store.until(rollout, ({ waves }) => waves[1]?.state === 'OPEN', 40_000);
    await store.installation.processes.restart('worker', { REDIS_URL: '' });
    await store.on(store.planner, 'advanceRollout', rollout, 'wave: 2');
    await store.until(rollout, ({ state }) => state === 'COMPLETED', 40_000);
    await expectWhole(store, rollout);
  });

  /** How far the rollout has come at this moment, as the store tells a device that is not admitted yet. */
  async function thresholdNow(uids: readonly string[]): Promise<number> {
    for (const uid of uids) {
      const { reasons } = await store.explain(uid);
      const told = reasons.find(({ code }) => code === 'NOT_IN_WAVE')?.detail?.threshold;
      if (told !== undefined) return Number(told);
    }
    throw new Error('every device is admitted');
  }

  it('U44 a ramp admits so many an hour, and a pause of three hours adds three hours without a jump', async () => {
    const { fleetId, uids } = await group(4_000);
    // As autovacuum leaves it: a count must be as quick when the planner knows the tables.
    await store.owner.query('ANALYZE');
    const perHour = 400;
    const waves = [{ percent: 100, devicesPerHour: perHour, soakSeconds: 0, ...byTimeAlone }];
    const rollout = await store.approved({ fleetId, waves });
    await store.until(rollout, ({ waves: [wave] }) => wave?.state === 'OPEN');
    const { rows } = await store.owner.query<{ salt: Buffer }>(
      'SELECT salt FROM store.rollouts WHERE id = $1',
      [rollout.id],
    );
    const salt = rows[0]?.salt.toString('hex') ?? '';
    const { owner } = store.installation.databaseUrls;
    let hours = 0;
    /** By the threshold, as buckets are drawn; those well below it are offered the target, and none well above. */
    const admitted = async (): Promise<number> => {
      await store.settled();
      const threshold = await thresholdNow(uids);
      const between = (low: number, high: number): string[] =>
        uids.filter((uid) => low <= bucket(salt, uid) && bucket(salt, uid) < high).slice(0, 5);
      expect(await store.movedTo(2, between(0, 0.95 * threshold))).toHaveLength(5);
      expect(await store.movedTo(2, between(1.05 * threshold, EVERYBODY))).toEqual([]);
      return (uids.length * threshold) / EVERYBODY;
    };
    // The lease is 15 minutes: watched time passes in steps that ticks can follow.
    const db = await Database.open({
      url: store.installation.databaseUrls.worker,
      room: 'store',
      applicationName: 'ticks',
    });
    const progress = new RolloutProgressService({ db } as Resources);
    const counter = new RolloutCountService({ db });
    // A rollout whose devices nobody has counted lately gets no new lease (U45).
    const count = async (): Promise<void> => {
      const begunAt = db.clock.now();
      for (;;) {
        await counter.count(store.brand, rollout.id);
        const { rows: counted } = await store.owner.query(
          'SELECT 1 FROM store.rollout_counts WHERE rollout_id = $1 AND counted_at >= $2',
          [rollout.id, begunAt],
        );
        if (counted.length > 0) return;
      }
    };
    const pass = async (more: number, stepHours: number, isWatched = true): Promise<void> => {
      for (const end = hours + more; hours < end;) {
        hours = Math.min(end, hours + stepHours);
        const aheadMs = hours * 3_600_000;
        await shiftClock(owner, aheadMs);
        while (Math.abs(db.clock.aheadMs - aheadMs) > 1_000) await sleep(10);
        if (isWatched) await count();
        await progress.tick(store.brand, rollout.id);
      }
    };
    try {
      await pass(3, 0.2);
      const before = await admitted();
      expect(Math.abs(before / (3 * perHour) - 1)).toBeLessThan(0.05);
      await store.on(store.planner, 'pauseRollout', rollout);
      await pass(3, 3, false);
      await store.on(store.planner, 'resumeRollout', rollout);
      const resumed = await admitted();
      expect(resumed - before).toBeGreaterThanOrEqual(0);
      expect(resumed - before).toBeLessThan(0.05 * perHour);
      await pass(2, 0.2);
      expect(Math.abs(((await admitted()) - resumed) / (2 * perHour) - 1)).toBeLessThan(0.05);
      await store.on(store.planner, 'abortRollout', rollout);
    } finally {
      await shiftClock(owner, 0);
      await db.close();
    }
  });

  it('U45 with all workers dead a ramp stops within 15 minutes, and goes on without a burst after their return', async () => {
    const { fleetId, uids } = await group(100);
    // 100 devices at 60 an hour: the whole way takes 100 minutes.
    const waves = [{ percent: 100, devicesPerHour: 60, soakSeconds: 0, ...byTimeAlone }];
    const rollout = await store.approved({ fleetId, waves });
    await store.until(rollout, ({ waves: [wave] }) => wave?.state === 'OPEN');
    await store.settled();
    await store.installation.processes.kill('worker');
    const { owner } = store.installation.databaseUrls;
    const minutesOfRamp = async (): Promise<number> => ((await thresholdNow(uids)) / 2 ** 53) * 100;
    const at = async (minutes: number): Promise<number> => {
      await shiftClock(owner, minutes * 60_000);
      await sleep(200);
      return minutesOfRamp();
    };
    try {
      expect(await at(10)).toBeCloseTo(10, 0);
      const stopped = await at(16);
      expect(stopped).toBeLessThanOrEqual(15.5);
      expect(await at(600)).toBe(stopped);
      await store.installation.processes.restart('worker');
      await store.leaseExtended(rollout);
      await store.settled();
      expect((await minutesOfRamp()) - stopped).toBeLessThan(0.5);
      expect((await at(605)) - stopped).toBeCloseTo(5, 0);
      await store.on(store.planner, 'abortRollout', rollout);
    } finally {
      await shiftClock(owner, 0);
    }
  });
});
