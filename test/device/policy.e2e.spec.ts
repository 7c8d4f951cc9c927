import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  Device,
  Fleet,
  Hold,
  Lane,
  OutboxRow,
  Person,
  PolicySnapshotRow,
  PolicyVersion,
  Rollout,
  Wave,
  type DeviceFact,
} from '#libs/database';
import { CompilePolicyService } from '#libs/operations';
import { bucket, draftPlan, draftWave, freezeThreshold, planHash } from '#libs/update-control';
import type { ScriptedDevice } from '../../tools/clients/device.js';
import { DeviceStore, type TestBrand, type TestSnap } from './support/device-store.js';
import { SCHEDULED, install, poll, sessionHeader } from './support/refreshing.js';
import { makeDevice } from './support/test-device.js';

let store: DeviceStore;
let acme: TestBrand;
let other: TestBrand;
let dash: TestSnap;

beforeAll(async () => {
  store = await DeviceStore.start();
  acme = await store.brand('acme');
  other = await store.brand('other', { allowPublic: true });
  dash = await store.snap(acme, 'acme-dashboard');
  for (const revision of [1, 2, 3]) await store.revision(dash, revision);
  await store.release(dash, 1);
  await store.compile(acme, other);
});
afterAll(() => store.stop());
afterEach(() => vi.restoreAllMocks());

interface KnownDevice {
  readonly scripted: ScriptedDevice;
  readonly uid: string;
  readonly headers: Record<string, string>;
}

async function opened(brand = acme): Promise<KnownDevice> {
  const scripted = await makeDevice(store, brand);
  await scripted.openSession();
  const row = await store.resources.db.asSystem((tx) =>
    tx.findOneByOrFail(Device, { brandId: brand.id, serial: scripted.serialNumber }),
  );
  return { scripted, uid: row.uid, headers: sessionHeader(scripted.session) };
}

const pollOf = async (device: KnownDevice, revision = 1): Promise<number | undefined> => {
  const result = await poll(
    store.url,
    { id: dash.id, revision },
    { ...device.headers, ...SCHEDULED },
  );
  return result.snap?.revision;
};
const versionOf = (brand: TestBrand) =>
  store.resources.db.asSystem(async (tx) => {
    const row = await tx.findOneBy(PolicyVersion, { brandId: brand.id });
    return row?.version ?? 0;
  });

describe('compiling', () => {
  it('running twice at once, or again, keeps one snapshot per version', async () => {
    const service = new CompilePolicyService(store.resources);
    await store.resources.db.asBrand(acme.id, (tx) =>
      tx.insert(Fleet, { brandId: acme.id, name: 'Nobody', priority: 1, predicate: { any: [] } }),
    );
    const outcomes = await Promise.all([1, 2, 3].map(() => service.compile(acme.id)));
    expect(outcomes.filter(({ isNew }) => isNew)).toHaveLength(1);
    expect(await service.compile(acme.id)).toEqual({
      version: await versionOf(acme),
      isNew: false,
    });
    const kept = await store.resources.db.asBrand(acme.id, (tx) =>
      tx.countBy(PolicySnapshotRow, { brandId: acme.id, version: outcomes[0]?.version ?? -1 }),
    );
    expect(kept).toBe(1);
  });

  it('a public release of one brand asks for the compilation of those that show it, a fleet does not', async () => {
    const before = await versionOf(other);
    await store.resources.db.asBrand(acme.id, (tx) =>
      tx.insert(Fleet, { brandId: acme.id, name: 'At home', priority: 2, predicate: { any: [] } }),
    );
    await store.compile(acme);
    expect(await versionOf(other)).toBe(before);
    const shown = await store.snap(acme, 'shown');
    for (const revision of [1, 2]) await store.revision(shown, revision);
    await store.release(shown, 1);
    await store.compile(acme);
    expect(await versionOf(other)).toBe(before + 1);
    const asked = await store.resources.db.asSystem((tx) =>
      tx.findBy(OutboxRow, { job: 'compile-policy' }),
    );
    expect(asked.map(({ payload }) => payload)).toContainEqual({
      brandId: other.id,
      version: before + 1,
    });
    await store.compile(other);
    const theirs = await opened(other);
    expect((await install(store.url, { name: 'shown' }, theirs.headers)).snap?.revision).toBe(1);
    await store.release(shown, 2);
    await store.compile(acme);
    const own = await versionOf(acme);
    await store.compile(other);
    expect((await install(store.url, { name: 'shown' }, theirs.headers)).snap?.revision).toBe(2);
    expect(await versionOf(acme)).toBe(own);
  });

  it('S30 a released revision is offered at the next poll to every device on that channel, and to no other', async () => {
    const free = await store.snap(acme, 'free-app');
    for (const revision of [1, 2]) await store.revision(free, revision);
    await store.release(free, 1);
    await store.release(free, 1, 'latest/candidate');
    await store.compile(acme);
    await store.compile(other);
    const devices = [await opened(), await opened(), await opened(other)];
    const callers = [...devices.map(({ headers }) => headers), {}];
    const polled = (channel: string) =>
      Promise.all(
        callers.map(async (headers) => {
          const installed = { id: free.id, revision: 1, channel };
          const result = await poll(store.url, installed, { ...headers, ...SCHEDULED });
          return result.snap?.revision;
        }),
      );
    expect(await polled('latest/stable')).toEqual([1, 1, 1, 1]);
    await store.release(free, 2);
    await store.compile(acme);
    await store.compile(other);
    expect(await polled('latest/stable')).toEqual([2, 2, 2, 2]);
    expect(await polled('latest/candidate')).toEqual([1, 1, 1, 1]);
  });

  it('what the worker compiles reaches this process by itself', async () => {
    const told = await store.snap(acme, 'told');
    await store.revision(told, 1);
    await store.release(told, 1);
    await new CompilePolicyService(store.resources).compile(acme.id);
    await expect
      .poll(async () => (await install(store.url, { name: 'told' })).result, { timeout: 5000 })
      .toBe('install');
  });

  it('a brand that was never compiled is compiled when it is first asked for', async () => {
    const young = await store.brand('young');
    const snap = await store.snap(young, 'young-app');
    await store.revision(snap, 1);
    await store.release(snap, 1);
    expect((await install(store.url, { name: 'young-app' })).result).toBe('install');
  });
});

describe('a rollout', () => {
  let devices: KnownDevice[];
  let rollout: Rollout;
  let laneId: string;
  let fleetId: string;

  beforeAll(async () => {
    devices = [];
    for (let n = 0; n < 6; n++) devices.push(await opened());
    for (const device of devices) await pollOf(device);
    await store.resources.db.asBrand(acme.id, async (tx) => {
      const lane = await tx.findOneByOrFail(Lane, { snapId: dash.id });
      laneId = lane.id;
      const predicate = { fact: 'tag:site', equals: 'Berlin' };
      const fleet = await tx.save(
        tx.create(Fleet, { brandId: acme.id, name: 'Berlin', priority: 10, predicate }),
      );
      fleetId = fleet.id;
      const person = await tx.save(
        tx.create(Person, { email: 'a@acme.example', displayName: 'A', passwordHash: 'x' }),
      );
      const plan = draftPlan({
        title: 'two',
        target: {
          kind: 'revision',
          snapId: dash.id,
          channel: 'latest/stable',
          revisions: { all: 2 },
        },
        fleet: { id: fleet.id, predicate: predicate },
        waves: [draftWave({ count: 2 }), draftWave({ percent: 100 })],
      });
      rollout = await tx.save(
        tx.create(Rollout, {
          brandId: acme.id,
          snapId: dash.id,
          laneId,
          fleetId,
          name: 'two',
          state: 'ACTIVE',
          salt: randomBytes(16),
          plan,
          planHash: planHash(plan),
          authorId: person.id,
          lastEditorId: person.id,
          activeSince: new Date(),
        }),
      );
      // The target enters the lane's order, as starting a rollout does (update-control.md 2.3, lane order).
      await tx.query(
        `INSERT INTO store.lane_events (lane_id, seq, brand_id, snap_id, kind, revision, architectures, rank, rollout_id)
         VALUES ($1, 90, $2, $3, 'rollout', 2, '{all}', 90, $4)`,
        [laneId, acme.id, dash.id, rollout.id],
      );
    });
  });

  const tag = (device: KnownDevice, tags: Record<string, string>) =>
    store.resources.db.asBrand(acme.id, (tx) => tx.update(Device, { uid: device.uid }, { tags }));

  async function openWave(no: number, members: readonly KnownDevice[], size: { count: number }) {
    const salt = rollout.salt.toString('hex');
    const frozen = freezeThreshold(
      members.map(({ uid }) => bucket(salt, uid)),
      size,
    );
    await store.resources.db.asBrand(acme.id, (tx) =>
      tx.insert(Wave, {
        rolloutId: rollout.id,
        no,
        brandId: acme.id,
        state: 'OPEN',
        ...frozen,
        openedAt: new Date(0),
      }),
    );
    await store.compile(acme);
  }

  it('an operator’s change of a device acts at its next poll, though the device is held in memory', async () => {
    await store.compile(acme);
    for (const device of devices) expect(await pollOf(device)).toBe(1);
    const members = devices.slice(0, 4);
    for (const device of members) await tag(device, { site: 'Berlin' });
    await openWave(1, members, { count: 2 });
    await expect
      .poll(
        async () =>
          (await Promise.all(devices.map((one) => pollOf(one)))).filter((r) => r === 2).length,
      )
      .toBe(2);
    const admitted = await Promise.all(devices.map((device) => pollOf(device)));
    expect(admitted.slice(4)).toEqual([1, 1]);
  });

  it('explains by the same decision why one stays and another goes', async () => {
    const { explanations } = store.services;
    await store.services.facts.flush();
    for (const device of devices) {
      const { decision, installedRevision, fleets, policyVersion } = await explanations.explain(
        acme.id,
        device.uid,
        dash.name,
      );
      if (decision === null) throw new Error('cannot explain the present');
      expect([decision.outcome === 'UPDATE' ? 2 : 1, installedRevision]).toEqual([
        await pollOf(device),
        1,
      ]);
      expect(policyVersion).toBe(await versionOf(acme));
      if (decision.outcome === 'UPDATE' || fleets.length === 0) continue;
      const [reason] = decision.reasons.filter(({ code }) => code === 'NOT_IN_WAVE');
      const own = bucket(rollout.salt.toString('hex'), device.uid);
      expect(reason).toMatchObject({
        rule: { kind: 'rollout', id: rollout.id },
        detail: { wave: 1, bucket: own },
      });
      expect(Number(reason?.detail?.['threshold'])).toBeLessThanOrEqual(own);
    }
    const [first] = devices;
    const asked = explanations.explain(other.id, first?.uid ?? '', dash.name);
    await expect(asked).rejects.toMatchObject({ code: 'not-found' });
  });

  it('nobody goes back when the rollout is paused, and an install gets the baseline', async () => {
    await store.resources.db.asBrand(acme.id, (tx) =>
      tx.update(Rollout, { id: rollout.id }, { state: 'PAUSED', activeSince: null }),
    );
    await store.compile(acme);
    for (const device of devices) {
      expect(await pollOf(device, 2)).toBe(2);
      expect((await install(store.url, { name: dash.name }, device.headers)).snap?.revision).toBe(
        1,
      );
    }
  });
});

describe('cost and failure', () => {
  it('a warm poll runs no SQL, a cold one reads the device once', async () => {
    const device = await opened();
    await pollOf(device);
    // What the first poll left is written, and not in the middle of what follows.
    await store.services.facts.flush();
    await store.services.observations.flush();
    await store.services.decisionLog.flush();
    store.services.overlay.stop();
    store.services.policies.stop();
    const asSystem = vi.spyOn(store.resources.db, 'asSystem');
    const asBrand = vi.spyOn(store.resources.db, 'asBrand');
    for (let n = 0; n < 20; n++) expect(await pollOf(device)).toBe(1);
    expect([asSystem.mock.calls.length, asBrand.mock.calls.length]).toEqual([0, 0]);
    store.services.devices.forget(device.uid);
    expect(await pollOf(device)).toBe(1);
    expect(asSystem.mock.calls.length).toBe(1);
    store.services.policies.start();
    await store.services.overlay.start();
  });

  it('device facts are written after the reply, in batches, and only when they changed', async () => {
    const device = await opened();
    const row = () =>
      store.resources.db.asSystem((tx) =>
        tx.query<{ facts: DeviceFact['facts']; xmin: string }[]>(
          `SELECT facts, xmin::text FROM store.device_facts WHERE device_uid = $1`,
          [device.uid],
        ),
      );
    const userAgent = {
      'user-agent': 'snapd/2.63.1 (series 16) ubuntu-core/24 (amd64) linux/6.8.0',
    };
    const say = (revision: number) =>
      poll(store.url, { id: dash.id, revision }, { ...device.headers, ...userAgent, ...SCHEDULED });
    await say(1);
    await store.services.facts.flush();
    const [first] = await row();
    expect(first?.facts).toMatchObject({
      snapdVersion: '2.63.1',
      architecture: 'amd64',
      snaps: { [dash.id]: { snapId: dash.id, revision: 1, channel: 'latest/stable' } },
    });
    await say(1);
    await store.services.facts.flush();
    expect((await row())[0]?.xmin).toBe(first?.xmin);
    await say(2);
    await store.services.facts.flush();
    expect((await row())[0]?.facts).toMatchObject({ snaps: { [dash.id]: { revision: 2 } } });
  });

  it('without a version check for 30 s nothing moves, and installs go on', async () => {
    const quiet = await store.snap(acme, 'quiet');
    for (const revision of [1, 2]) await store.revision(quiet, revision);
    await store.release(quiet, 2);
    await store.compile(acme);
    const device = await opened();
    const installed = { id: quiet.id, revision: 1 };
    expect((await poll(store.url, installed, device.headers)).snap?.revision).toBe(2);
    store.services.policies.stop();
    const uptime = process.uptime();
    vi.spyOn(process, 'uptime').mockImplementation(() => uptime + 31);
    expect((await poll(store.url, installed, device.headers)).snap?.revision).toBe(1);
    expect((await install(store.url, { name: 'quiet' }, device.headers)).snap?.revision).toBe(2);
    const { policies } = store.services;
    expect(() => policies.assertInTouch()).not.toThrow();
    vi.spyOn(process, 'uptime').mockImplementation(() => uptime + 61);
    // A minute: a balancer should send nobody here (update-control.md 3.3).
    expect(() => policies.assertInTouch()).toThrow(/cannot tell whether policies hold/);
    await policies.check();
    expect(() => policies.assertInTouch()).not.toThrow();
    expect((await poll(store.url, installed, device.headers)).snap?.revision).toBe(2);
    policies.start();
  });

  it('a hold of the brand keeps a foreign public snap too', async () => {
    const shared = await store.snap(acme, 'shared');
    for (const revision of [1, 2]) await store.revision(shared, revision);
    await store.release(shared, 2);
    const hold = {
      brandId: other.id,
      scope: 'brand',
      from: new Date(0),
      until: new Date(Date.now() + 3_600_000),
      reason: 'no',
      personId: randomUUID(),
    } as const;
    await store.resources.db.asBrand(other.id, (tx) => tx.insert(Hold, hold));
    await store.compile(acme, other);
    const theirs = await opened(other);
    const headers = { ...theirs.headers, ...SCHEDULED };
    expect((await poll(store.url, { id: shared.id, revision: 1 }, headers)).snap?.revision).toBe(1);
    expect((await poll(store.url, { id: shared.id, revision: 1 })).snap?.revision).toBe(2);
  });

  it('without Postgres a refresh still repeats what is installed, with 200', async () => {
    const lost = await DeviceStore.start();
    const ask = { id: dash.id, revision: 7 };
    await lost.cutDatabase();
    expect(await poll(lost.url, ask)).toMatchObject({ result: 'refresh', snap: { revision: 7 } });
    const result = await install(lost.url, { name: 'anything' });
    expect(result).toMatchObject({ name: 'anything', error: { code: 'temporarily-unavailable' } });
    await lost.restoreDatabase();
    expect((await poll(lost.url, ask)).error?.code).toBe('id-not-found');
    await lost.stop();
  });
});
