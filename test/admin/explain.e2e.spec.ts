import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { Blob, Upload, prunePolicySnapshots, shiftClock } from '#libs/database';
import { ExplanationService } from '#libs/operations';
import { RESOLVER_VERSION, resolve } from '#libs/update-control';
import type { TestSnap } from '../device/support/device-store.js';
import { Enum } from './support/admin-store.js';
import { SteeredStore, type SteeredDevice } from './support/steered-store.js';

/** Days of a fleet pass in one test, on a machine that may be busy. */
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

const DAY = 24 * 3_600_000;
const SELECTION = `outcome revision channel installedRevision policyVersion fleets { name } decidedAt notReproducible recorded
  reasons { code sentence rule detail } standing { rollout isAdmitted wave bucket threshold expectedWave notBefore target }
  passedBy remedies lastObservation { revision channel seenAt heldBy }`;

interface Explained {
  readonly outcome: string;
  readonly revision: number | null;
  readonly policyVersion: number | null;
  readonly decidedAt: string | null;
  readonly notReproducible: string | null;
  readonly recorded: unknown;
  readonly reasons: readonly { code: string; sentence: string; detail: unknown }[];
  readonly standing: Readonly<Record<string, unknown>> | null;
  readonly passedBy: readonly string[];
  readonly remedies: readonly string[];
  readonly lastObservation: Readonly<Record<string, unknown>> | null;
}

let store: SteeredStore;

beforeAll(async () => {
  store = await SteeredStore.start();
});
afterAll(() => store?.stop());
afterEach(() => vi.restoreAllMocks());

async function explain(device: SteeredDevice, snap: TestSnap, at?: Date): Promise<Explained> {
  const moment = at === undefined ? '' : `, at: "${at.toISOString()}"`;
  const { explainDevice } = await store.planner.ask<{ explainDevice: Explained }>(
    `explainDevice(brand: "${store.brand.id}", device: "${device.uid}", snap: "${snap.name}"${moment}) { ${SELECTION} }`,
  );
  return explainDevice;
}

/** The store's own time, a moment after everything so far. */
async function moment(): Promise<Date> {
  const now = store.wire.resources.db.clock.now();
  await vi.waitFor(() =>
    expect(store.wire.resources.db.clock.now().getTime()).toBeGreaterThan(now.getTime() + 1),
  );
  return new Date(now.getTime() + 1);
}

describe('explanations', () => {
  it('say in sentences who has it, who waits, who never gets it, and what would change that', async () => {
    const snap = await store.released('told', [1]);
    await store.wire.revision(snap, 2, {});
    await store.settle();
    const fleetId = await store.fleet('told', 410);
    const devices = [
      await store.device({ fleet: 'told' }),
      await store.device({ fleet: 'told' }),
      await store.device({ fleet: 'told' }),
    ];
    const stranger = await store.device();
    for (const device of [...devices, stranger]) await store.offered(device, snap, 1);
    await store.rollout({
      fleetId,
      title: 'told by halves',
      snap: snap.name,
      revision: 2,
      waves: [{ count: 1, isManual: true }, { percent: 100 }],
    });
    const asked = await Promise.all(devices.map((device) => explain(device, snap)));
    const [admitted, ...none] = asked.filter(({ outcome }) => outcome === 'UPDATE');
    const [waiting] = asked.filter(({ outcome }) => outcome === 'STAY');
    expect(none).toEqual([]);
    expect(admitted).toMatchObject({
      revision: 2,
      standing: { rollout: 'told by halves', isAdmitted: true, wave: 1, target: 2 },
      lastObservation: { revision: 1, channel: 'latest/stable', heldBy: [] },
      remedies: ['pause or abort the rollout'],
      passedBy: [],
    });
    expect(waiting?.standing).toMatchObject({ isAdmitted: false, wave: 1, expectedWave: 2 });
    const { bucket, threshold } = waiting?.standing ?? {};
    expect(Number(bucket)).toBeGreaterThanOrEqual(Number(threshold));
    const sentences = waiting?.reasons.map(({ sentence }) => sentence).join('\n');
    expect(sentences).toMatch(
      /no opened wave admits the device yet \(rollout “told by halves”, to revision 2, wave 1 is open, \d+\.\d+ % of the devices are admitted, this one stands at \d+\.\d+ %, expected with wave 2\)/,
    );
    expect(waiting?.remedies.join('\n')).toContain('by itself with wave 2');

    const never = await explain(stranger, snap);
    expect(never).toMatchObject({ outcome: 'STAY', standing: null });
    expect(never.passedBy).toEqual([
      'the device is in no fleet of the rollout (rollout “told by halves”, fleet told, channel latest/stable)',
    ]);
    const [first] = devices;
    if (first === undefined) throw new Error('no device');
    await store.polled(first, snap, 1, [], { channel: 'latest/edge' });
    const made = await store.act('createStore', { name: 'elsewhere' }, '... on Store { id }');
    const foreign = await store.wire.snap(store.brand, 'told-elsewhere', {
      storeId: made.id ?? '',
      isPrivate: true,
    });
    await store.settle();
    expect(await explain(first, foreign)).toMatchObject({
      outcome: 'NOT_FOUND',
      reasons: [{ code: 'NOT_ENTITLED' }],
    });
  });

  it('name the moment from which a ramp lets a device in', async () => {
    const snap = await store.released('ramped', [1]);
    await store.wire.revision(snap, 2, {});
    await store.settle();
    const fleetId = await store.fleet('ramped', 411);
    const devices = [
      await store.device({ fleet: 'ramped' }),
      await store.device({ fleet: 'ramped' }),
    ];
    for (const device of devices) await store.offered(device, snap, 1);
    await store.rollout({
      fleetId,
      snap: snap.name,
      revision: 2,
      waves: [{ percent: 100, devicesPerHour: 1 }],
    });
    const { standing, remedies } = await explain(devices[0] as SteeredDevice, snap);
    const notBefore = new Date(String(standing?.['notBefore']));
    const inMs = notBefore.getTime() - store.wire.resources.db.clock.now().getTime();
    expect(inMs).toBeGreaterThan(0);
    expect(inMs).toBeLessThanOrEqual(2 * 3_600_000);
    expect(remedies[0] ?? '').not.toBe('');
    expect(remedies.join()).toContain(notBefore.toISOString());
  });
});

describe('the publisher’s question', () => {
  interface Diagnosis {
    readonly newestRevision: number | null;
    readonly installable: readonly { store: string; architecture: string; revision: number }[];
    readonly obstacles: readonly {
      code: string;
      where: string;
      sentence: string;
      remedy: string;
      devices: number | null;
    }[];
  }
  const diagnose = async (snap: TestSnap, more = ''): Promise<Diagnosis> =>
    (
      await store.planner.ask<{ diagnoseSnap: Diagnosis }>(
        `diagnoseSnap(brand: "${store.brand.id}", snap: "${snap.name}"${more}) { newestRevision installable { store architecture revision }
          obstacles { code where sentence remedy devices } }`,
      )
    ).diagnoseSnap;
  const codes = ({ obstacles }: Diagnosis): string[] => obstacles.map(({ code }) => code);

  it('S18 why nobody can install a snap: in review, lane protected, not included, architecture, epoch', async () => {
    const { db } = store.wire.resources;
    const snap = await store.wire.snap(store.brand, 'asked-for', { isPrivate: true });
    await store.settle();
    expect((await diagnose(snap)).obstacles[0]).toMatchObject({ code: 'NOTHING_UPLOADED' });

    const blobId = randomUUID();
    const upload = { brandId: store.brand.id, snapId: snap.id, blobId };
    await db.asSystem((tx) =>
      tx.insert(Blob, {
        ...{ id: blobId, storageKey: blobId, sha3384: blobId, sha256: blobId, sizeBytes: 1 },
        claimedAt: new Date(),
      }),
    );
    const id = randomUUID();
    await db.asSystem((tx) =>
      tx.insert(Upload, { id, ...upload, personId: randomUUID(), state: 'reviewing' }),
    );
    const [first] = (await diagnose(snap)).obstacles;
    expect(first?.code).toBe('IN_REVIEW');
    const problems = [{ code: 'x', message: 'asks for classic confinement' }];
    await db.asSystem((tx) => tx.update(Upload, { id }, { state: 'manual', problems }));
    const [waits] = (await diagnose(snap)).obstacles;
    expect(waits).toMatchObject({ code: 'NEEDS_MANUAL_REVIEW' });
    expect(waits?.sentence).toContain('asks for classic confinement');
    expect(waits?.remedy).toContain('reviewer');
    await db.asSystem((tx) => tx.delete(Upload, { id }));

    await store.wire.revision(snap, 1, { architectures: ['amd64'] });
    await store.settle();
    expect(codes(await diagnose(snap, ', architecture: "amd64"'))).toContain('NOT_RELEASED');
    await store.wire.release(snap, 1, 'latest/stable', ['amd64']);
    await store.settle();
    const main = (one: { where?: string; store?: string }): boolean =>
      one.store === 'acme' || one.where?.startsWith('store acme,') === true;
    const good = await diagnose(snap, ', architecture: "amd64"');
    expect(good.installable.filter(main)).toEqual([
      { store: 'acme', architecture: 'amd64', revision: 1 },
    ]);
    expect(good.obstacles.filter(main)).toEqual([]);
    const arm = (await diagnose(snap, ', architecture: "arm64"')).obstacles.filter(main);
    expect(arm).toMatchObject([{ where: 'store acme, arm64, latest/stable' }]);
    expect(['WRONG_ARCHITECTURE', 'NOTHING_RELEASED']).toContain(arm[0]?.code);

    // On the channel for all, and built for one.
    await store.wire.release(snap, 1, 'latest/candidate');
    await store.settle();
    const built = await diagnose(snap, ', channel: "candidate", architecture: "arm64"');
    expect(built.obstacles.find(main)).toMatchObject({
      code: 'WRONG_ARCHITECTURE',
      where: 'store acme, arm64, latest/candidate',
    });

    await store.act('createStore', { name: 'asked-elsewhere' });
    await store.settle();
    const elsewhere = (await diagnose(snap, ', architecture: "amd64"')).obstacles.find(
      ({ where }) => where.startsWith('store asked-elsewhere'),
    );
    expect(elsewhere).toMatchObject({ code: 'NOT_ENTITLED' });
    expect(elsewhere?.remedy).toContain('include it in the store');

    const lane = { snap: snap.name, channel: 'latest/stable', isProtected: true };
    await store.call('setLaneProtected', lane);
    await store.wire.revision(snap, 2, {
      architectures: ['amd64'],
      epoch: { read: [1], write: [1] },
    });
    await store.settle();
    const [locked] = (await diagnose(snap, ', architecture: "amd64"')).obstacles;
    expect(locked).toMatchObject({ code: 'LANE_PROTECTED' });
    expect(locked?.remedy).toContain('make a rollout');
    const fleetId = await store.fleet('asked-for', 420);
    const draft = await store.draft({ fleetId, title: 'bring 2', snap: snap.name, revision: 2 });
    await store.on(store.planner, 'submitRollout', draft);
    const [seenThrough] = (await diagnose(snap, ', architecture: "amd64"')).obstacles;
    expect(seenThrough?.remedy).toContain('“bring 2” is PENDING_APPROVAL');

    for (const fleet of ['asked-for', 'none'])
      await store.offered(await store.device({ fleet }), snap, 1);
    await store.wire.services.facts.flush();
    await store.wire.release(snap, 2, 'latest/stable', ['amd64']);
    await store.settle();
    const epoch = (await diagnose(snap)).obstacles.find(({ code }) => code === 'EPOCH_UNREADABLE');
    expect(epoch).toMatchObject({
      where: 'devices with revision 1 on latest/stable',
      devices: 2,
      remedy: 'release a revision in between that reads both epochs',
    });
  });
});

describe('explanations of the past', () => {
  const now = (): number => store.wire.resources.db.clock.now().getTime();
  const age = async (days: number): Promise<void> => {
    await shiftClock(store.wire.databaseUrls.owner, days * DAY);
    await vi.waitFor(() => expect(Math.abs(now() - Date.now() - days * DAY)).toBeLessThan(60_000), {
      timeout: 60_000,
    });
  };
  afterAll(() => shiftClock(store.wire.databaseUrls.owner, 0));

  it('U98 a decision three months old is the same byte for byte after two releases of the resolver, or it is said not to be reproducible', async () => {
    const snap = await store.released('past', [1]);
    await store.wire.revision(snap, 2, {});
    await store.settle();
    const fleetId = await store.fleet('past', 412);
    const device = await store.device({ fleet: 'past' });
    const before = await moment();
    const told: { at: Date; text: string | undefined }[] = [];
    const poll = async (revision: number): Promise<void> => {
      await store.offered(device, snap, revision);
      const { outcome, reasons, policyVersion } = await explain(device, snap);
      told.push({ at: await moment(), text: JSON.stringify([outcome, reasons, policyVersion]) });
    };
    await poll(1);
    const rollout = await store.rollout({ fleetId, title: 'then', snap: snap.name, revision: 2 });
    await poll(1);
    await store.call('stop', {
      input: { scope: new Enum('rollout'), rolloutId: rollout.id, level: 1, reason: 'a test' },
    });
    await store.settle();
    await poll(1);
    const hold = { deviceUid: device.uid, reason: 'kept for the trial' };
    expect(await store.act('hold', hold)).toMatchObject({ __typename: 'Hold' });
    await store.settle();
    await poll(1);
    expect(new Set(told.map(({ text }) => text)).size).toBe(4);
    // What a ramp admits is another share in each millisecond.
    const slow = {
      fleetId: await store.fleet('past-slow', 413),
      waves: [{ percent: 100, devicesPerHour: 1 }],
    };
    const waiting = await store.device({ fleet: 'past-slow' });
    await store.rollout({ ...slow, title: 'slow', snap: snap.name, revision: 2 });
    await store.offered(waiting, snap, 1);
    const waited = await moment();

    const { db, settings } = store.wire.resources;
    // Sessions of people last for hours: this one is as if opened that day.
    await db.asSystem((tx) =>
      tx.query(`UPDATE store.tokens SET expires_at = expires_at + interval '100 days'`),
    );
    await age(92);
    // Newer policies have long pushed out those that nobody was answered by.
    await db.asSystem((tx) => prunePolicySnapshots(tx, store.brand.id, 1));
    const replayed = await Promise.all(told.map(({ at }) => explain(device, snap, at)));
    for (const [no, then] of replayed.entries()) {
      expect(then.notReproducible).toBeNull();
      const { outcome, reasons, policyVersion } = then;
      expect(JSON.stringify([outcome, reasons, policyVersion])).toBe(told[no]?.text);
      expect(new Date(then.decidedAt ?? 0).getTime()).toBeLessThanOrEqual(
        told[no]?.at.getTime() ?? 0,
      );
    }
    expect(replayed[0]?.reasons[0]?.code).toBe('UP_TO_DATE');
    expect(replayed[3]?.reasons[0]?.sentence).toContain('kept for the trial');
    expect(await explain(waiting, snap, waited)).toMatchObject({
      notReproducible: null,
      reasons: [{ code: 'NOT_IN_WAVE' }, { code: 'BASELINE' }],
    });

    const { policies, devices } = store.wire.services;
    const tzdb = process.versions['tz'] ?? '';
    const released = (change: Partial<ConstructorParameters<typeof ExplanationService>[3]>) =>
      new ExplanationService({ db, settings }, policies, devices, { tzdb, ...change });
    const at = told[3]?.at ?? before;
    const resolverVersion = RESOLVER_VERSION + 2;
    const same = await released({ resolverVersion }).explain(
      store.brand.id,
      device.uid,
      snap.name,
      at,
    );
    expect(same).toMatchObject({ notReproducible: null, decision: { outcome: 'STAY' } });
    const other: typeof resolve = (...args) => {
      const decision = resolve(...args);
      return { ...decision, reasons: [...decision.reasons, { code: 'BASELINE' }] };
    };
    const changed = await released({ resolverVersion, resolve: other }).explain(
      store.brand.id,
      device.uid,
      snap.name,
      at,
    );
    expect(changed).toMatchObject({ decision: null, remedies: [], standing: null });
    expect(changed.notReproducible).toContain(
      `version ${RESOLVER_VERSION} of the resolver decided, version ${resolverVersion} explains`,
    );
    expect(changed.recorded).toEqual(same.decision);
    const unreadable = await released({
      resolve: () => {
        throw new Error('cannot read policy of resolver version 2');
      },
    }).explain(store.brand.id, device.uid, snap.name, at);
    expect(unreadable.notReproducible).toContain('cannot be read any more');

    expect(await explain(device, snap, before)).toMatchObject({
      outcome: 'NOT_REPRODUCIBLE',
      reasons: [],
      notReproducible: 'nothing that the device was told about the snap by then is recorded',
    });
    await db.asSystem((tx) =>
      tx.query('DELETE FROM store.policy_snapshots WHERE brand_id = $1 AND version = $2', [
        store.brand.id,
        replayed[0]?.policyVersion,
      ]),
    );
    const gone = await explain(device, snap, told[0]?.at);
    expect(gone.notReproducible).toContain('not kept any more');
    expect(gone).toMatchObject({ outcome: 'NOT_REPRODUCIBLE', recorded: { outcome: 'STAY' } });
    const future = explain(device, snap, new Date(now() + DAY));
    await expect(future).rejects.toThrow('cannot explain the future');
  });
});
