import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  EmergencyStop,
  PolicySnapshotRow,
  readOverlay,
  readOverlayAt,
  type OverlayRowsAt,
} from '#libs/database';
import { PolicyStore } from '#libs/operations';
import { compileOverlay, RESOLVER_VERSION } from '#libs/update-control';
import { DeviceStore, type TestBrand, type TestSnap } from '../device/support/device-store.js';
import { install, poll, SCHEDULED } from '../device/support/refreshing.js';

const PATIENCE = { timeout: 30_000, interval: 50 };

describe('a process of the store and its database', { timeout: 180_000 }, () => {
  let store: DeviceStore;
  let acme: TestBrand;
  let dash: TestSnap;

  beforeAll(async () => {
    store = await DeviceStore.start();
    acme = await store.brand('acme');
    dash = await released('dash', 3, 2);
  });
  afterAll(() => store?.stop());

  /** A public snap with so many revisions, one of them on stable. */
  async function released(name: string, revisions: number, stable: number): Promise<TestSnap> {
    const snap = await store.snap(acme, name);
    for (let no = 1; no <= revisions; no += 1) await store.revision(snap, no);
    await store.release(snap, stable);
    await store.compile(acme);
    return snap;
  }

  /** What a device with revision 1 is told: 1 is "stay". */
  const offered = async (snap: TestSnap): Promise<number | undefined> =>
    (await poll(store.url, { id: snap.id, revision: 1 }, SCHEDULED)).snap?.revision;
  const installed = async (snap: TestSnap): Promise<number | undefined> =>
    (await install(store.url, { name: snap.name })).snap?.revision;

  async function stop(snap: TestSnap): Promise<string> {
    const id = randomUUID();
    await store.resources.db.asBrand(acme.id, (tx) =>
      tx.insert(EmergencyStop, {
        ...{ id, brandId: acme.id, scope: 'snap', snapId: snap.id, level: 1 },
        ...{ reason: 'it bricks', personId: randomUUID() },
      }),
    );
    return id;
  }
  const lift = (id: string) =>
    store.resources.db.asBrand(acme.id, (tx) =>
      tx.update(EmergencyStop, { id }, { liftedAt: new Date() }),
    );

  it('U61 Postgres down: the policy held goes on for 30 s, then nothing moves but installs, and recovery needs no restart', async () => {
    const one = await released('away', 2, 2);
    expect([await offered(one), await installed(one)]).toEqual([2, 2]);
    await store.services.policies.check();
    const checked = Date.now();
    await store.cutDatabase();
    expect([await offered(one), await installed(one)]).toEqual([2, 2]);
    await expect.poll(() => offered(one), { timeout: 60_000, interval: 250 }).toBe(1);
    const after = Date.now() - checked;
    expect(after).toBeGreaterThanOrEqual(30_000);
    expect(after).toBeLessThan(35_000);
    expect(await installed(one)).toBe(2);
    await store.restoreDatabase();
    await expect.poll(() => offered(one), PATIENCE).toBe(2);
    // And it follows again what is decided now.
    const id = await stop(one);
    await expect.poll(() => offered(one), PATIENCE).toBe(1);
    await lift(id);
    await expect.poll(() => offered(one), PATIENCE).toBe(2);
  });

  it('U62 a fail-over that loses the last transactions is noticed, told, and what the database has is served', async () => {
    const one = await released('failing', 3, 2);
    const other = await released('braked', 2, 2);
    await expect.poll(() => offered(one), PATIENCE).toBe(2);
    const failOver = await store.standBy();
    const late = new PolicyStore(store.resources);
    await expect
      .poll(async () => (await late.get(acme.id).catch(() => null))?.snapshot, PATIENCE)
      .toBeTruthy();
    await store.release(one, 3);
    await store.compile(acme);
    await stop(other);
    await expect
      .poll(async () => [await offered(one), await offered(other)], PATIENCE)
      .toEqual([3, 1]);
    await late.check();
    const lost = (await late.get(acme.id)).snapshot;
    expect(store.alarms).not.toContain('policy-lost');

    await failOver();
    await expect
      .poll(async () => [await offered(one), await offered(other)], PATIENCE)
      .toEqual([2, 2]);
    expect(store.alarms.filter((name) => name === 'policy-lost')).toHaveLength(1);

    // The same numbers come again for something else; a process that was away meanwhile must not take it for what it has.
    await store.release(one, 1);
    await store.compile(acme);
    const again = await stop(dash);
    await expect.poll(() => offered(dash), PATIENCE).toBe(1);
    await late.check();
    const { snapshot } = await late.get(acme.id);
    expect([snapshot.version, snapshot.overlay.version]).toEqual([
      lost.version,
      lost.overlay.version,
    ]);
    expect(snapshot.hash).not.toBe(lost.hash);
    expect(Object.keys(snapshot.overlay.stops.snaps)).toEqual([dash.id]);
    expect(store.alarms.filter((name) => name === 'policy-lost')).toHaveLength(2);
    await lift(again);
  });

  it('U69 a newer resolver’s snapshot is served by those who understand it, and by nobody else', async () => {
    const one = await released('formed', 2, 2);
    expect(await offered(one)).toBe(2);
    const newest = (): Promise<PolicySnapshotRow> =>
      store.resources.db.asBrand(acme.id, (tx) =>
        tx.findOneOrFail(PolicySnapshotRow, {
          where: { brandId: acme.id },
          order: { version: 'DESC' },
        }),
      );
    const next = RESOLVER_VERSION + 1;
    const row = await newest();
    const snapshot = row.snapshot as { version: number };
    // As the next release would write it: read by this one, no snap would be there.
    const ahead = { ...snapshot, version: row.version + 1, snaps: {}, resolverVersion: next };
    await store.resources.db.asBrand(acme.id, (tx) =>
      tx.insert(PolicySnapshotRow, {
        ...{ brandId: acme.id, version: ahead.version, hash: 'of the next release' },
        ...{ resolverVersion: next, snapshot: ahead },
      }),
    );
    const nextRelease = new PolicyStore(store.resources, { understood: next });
    expect((await nextRelease.get(acme.id)).snapshot).toMatchObject({ resolverVersion: next });
    await store.services.policies.check();
    expect(store.alarms).toContain('policy-not-understood');
    expect(await offered(one)).toBe(2);
    const justStarted = new PolicyStore(store.resources);
    expect((await justStarted.get(acme.id)).snapshot).toMatchObject({
      resolverVersion: RESOLVER_VERSION,
      version: row.version,
    });
    // Stops reach it all the same.
    const id = await stop(one);
    await expect.poll(() => offered(one), PATIENCE).toBe(1);
    await lift(id);
    await expect.poll(() => offered(one), PATIENCE).toBe(2);
  });

  it('a stop acts within 5 s also where NOTIFY is lost', async () => {
    const deaf = await DeviceStore.start();
    try {
      const brand = await deaf.brand('acme');
      const snap = await deaf.snap(brand, 'deaf');
      for (const no of [1, 2]) await deaf.revision(snap, no);
      await deaf.release(snap, 2);
      await deaf.compile(brand);
      const ask = async () =>
        (await poll(deaf.url, { id: snap.id, revision: 1 }, SCHEDULED)).snap?.revision;
      expect(await ask()).toBe(2);
      await deaf.resources.db.listener.close();
      await deaf.resources.db.asBrand(brand.id, (tx) =>
        tx.insert(EmergencyStop, {
          ...{ brandId: brand.id, scope: 'brand', level: 1, reason: 'x', personId: randomUUID() },
        }),
      );
      await expect.poll(ask, { timeout: 5_000, interval: 50 }).toBe(1);
    } finally {
      await deaf.stop();
    }
  });

  it('every overlay there was can be read again, as it was', async () => {
    const { db } = store.resources;
    const now = () => db.asBrand(acme.id, (tx) => readOverlay(tx, acme.id));
    const seen: OverlayRowsAt[] = [await now()];
    const first = await stop(dash);
    seen.push(await now());
    const second = await stop(dash);
    seen.push(await now());
    await lift(first);
    seen.push(await now());
    await lift(second);
    seen.push(await now());
    expect(new Set(seen.map(({ version }) => version)).size).toBe(5);
    for (const known of seen) {
      const then = await db.asBrand(acme.id, (tx) => readOverlayAt(tx, acme.id, known.version));
      expect(compileOverlay(then)).toEqual(compileOverlay(known));
    }
  });
});
