import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { mintDeviceSession } from '#libs/auth';
import { Delta, Device } from '#libs/database';
import {
  DeviceRequests,
  PreviewService,
  deviceSessionKey,
  factsOfDevice,
  previewDevice,
  toKnownDevice,
} from '#libs/operations';
import { contentHash, reasonText, type Decision, type RolloutPlan } from '#libs/update-control';
import { findDevices, findPolicySnapshotAt, listDevices, readOverlayAt } from '#libs/database';
import { compileOverlay, type PolicySnapshot } from '#libs/update-control';
import { fractionOf } from '../../tools/simulate/seeded.js';
import type { TestSnap } from '../device/support/device-store.js';
import { SCHEDULED, contextOf, refresh, sessionHeader } from '../device/support/refreshing.js';
import { literal, type RolloutAnswer } from './support/admin-store.js';
import { SteeredStore } from './support/steered-store.js';

/** Days of a fleet pass in one test, on a machine that may be busy. */
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

interface Count {
  readonly outcome: string;
  readonly code: string;
  readonly meaning: string;
  readonly devices: number;
}
interface Sheet {
  readonly at: string | null;
  readonly outcomes: readonly Count[];
  readonly reasons: readonly Count[];
  readonly refused: readonly Count[];
  readonly impossible: number;
  readonly touchedDevices: number;
  readonly touchedBy: readonly { title: string; devices: number }[];
  readonly bytesFull: number;
  readonly bytesDelta: number;
}
interface Preview {
  readonly planHash: string;
  readonly hash: string | null;
  readonly population: number;
  readonly waves: readonly { no: number; k: number; rampSeconds: number; opensAt: string }[];
  readonly curve: readonly { at: string; admitted: number }[];
  readonly sheets: readonly Sheet[];
  readonly factAges: readonly { age: string; devices: number }[];
  readonly notes: readonly string[];
}
interface Previewed {
  readonly deviceUid: string;
  readonly outcome: string;
  readonly code: string;
  readonly revision: number | null;
  readonly sentences: readonly string[];
}

const PREVIEW = `planHash hash population policyVersion waves { no k rampSeconds opensAt } curve { at admitted } notes
  factAges { age devices } sheets { at outcomes { outcome devices } reasons { outcome code meaning devices }
    refused { code meaning devices } impossible touchedDevices touchedBy { title devices } bytesFull bytesDelta }`;
const HOUR = 3_600_000;

let store: SteeredStore;

beforeAll(async () => {
  store = await SteeredStore.start();
});
afterAll(() => store?.stop());

const orderOf = (input: object): object => ({
  title: `plan ${randomUUID()}`,
  channel: 'latest/stable',
  waves: [{ percent: 100, soakSeconds: 0 }],
  ...input,
});
async function preview(subject: string, at: readonly Date[] = []): Promise<Preview> {
  const moments = at.length === 0 ? '' : `, at: ${literal(at.map((one) => one.toISOString()))}`;
  const { previewRollout } = await store.planner.ask<{ previewRollout: Preview }>(
    `previewRollout(brand: "${store.brand.id}", ${subject}${moments}) { ${PREVIEW} }`,
  );
  return previewRollout;
}
async function pages(subject: string, more = '', first = 500): Promise<Previewed[]> {
  const found: Previewed[] = [];
  for (let after = ''; ;) {
    const { previewDevices: page } = await store.planner.ask<{
      previewDevices: {
        edges: { node: Previewed }[];
        pageInfo: { endCursor: string; hasNextPage: boolean };
      };
    }>(
      `previewDevices(brand: "${store.brand.id}", ${subject}${more}, first: ${first}${after}) {
         edges { node { deviceUid outcome code revision sentences } } pageInfo { endCursor hasNextPage } }`,
    );
    found.push(...page.edges.map(({ node }) => node));
    if (!page.pageInfo.hasNextPage) return found;
    after = `, after: "${page.pageInfo.endCursor}"`;
  }
}
const sum = (counts: readonly { devices: number }[]): number =>
  counts.reduce((all, { devices }) => all + devices, 0);
const field = async <T>({ id }: { id: string }, selection: string): Promise<T> =>
  (
    await store.planner.ask<{ rollout: T }>(
      `rollout(brand: "${store.brand.id}", id: "${id}") { ${selection} }`,
    )
  ).rollout;

/** Devices with sessions that nobody had to open, in a fleet of their tag. */
async function crowd(
  fleet: string,
  count: number,
  change: (no: number) => Partial<Device> = () => ({}),
): Promise<{ uid: string; headers: Record<string, string> }[]> {
  const { db, settings } = store.wire.resources;
  const rows = Array.from({ length: count }, (_, no) => ({
    uid: randomUUID(),
    brandId: store.brand.id,
    model: 'acme-device-1',
    serial: `${fleet}-${no}`,
    storeId: store.brand.storeId,
    deviceKeyId: 'key',
    serialAuthorityId: store.brand.id,
    architecture: 'amd64',
    tags: { fleet },
    ...change(no),
  }));
  await db.asSystem((tx) => tx.insert(Device, rows));
  const key = deviceSessionKey(settings);
  return rows.map((row) => ({
    uid: row.uid,
    headers: sessionHeader(
      mintDeviceSession(
        { ...row, storeId: store.brand.storeId, deviceUid: row.uid },
        key,
        new Date(),
      ),
    ),
  }));
}

/** One scheduled poll; answers the revision that is offered or repeated. */
async function poll(
  headers: Record<string, string>,
  snap: TestSnap,
  revision: number,
  more: Record<string, string> = {},
  epoch?: object,
): Promise<number | undefined> {
  const { results } = await refresh(store.url, {
    context: [contextOf({ id: snap.id, revision, epoch })],
    actions: [{ action: 'refresh', 'instance-key': snap.id, 'snap-id': snap.id }],
    fields: ['revision'],
    headers: { ...headers, ...SCHEDULED, ...more },
  });
  return results[0]?.snap?.revision;
}

describe('a preview', () => {
  let snap: TestSnap;
  let fleetId: string;
  const size = 5000;

  beforeAll(async () => {
    snap = await store.released('shown', [1]);
    await store.wire.revision(snap, 2, { assumes: ['snapd2.60'] });
    await store.wire.revision(snap, 9, {
      epoch: { read: [0], write: [0] },
      architectures: ['all'],
    });
    const { db } = store.wire.resources;
    const blob = await db.asSystem((tx) =>
      tx.query<{ id: string }[]>('SELECT blob_id AS id FROM store.snap_revisions LIMIT 1'),
    );
    await db.asSystem((tx) =>
      tx.insert(Delta, {
        ...{ snapId: snap.id, target: 2, source: 1, brandId: store.brand.id, verdict: 'made' },
        ...{ blobId: blob[0]?.id ?? '', sha3384: 'x', sizeBytes: 700 },
      }),
    );
    fleetId = await store.fleet('shown', 510);
    await store.settle();
    const devices = await crowd('shown', 20);
    // 12 that can take it, 3 whose snapd is too old, 2 without the snap, 3 that never polled.
    for (const { headers } of devices.slice(0, 12))
      await poll(headers, snap, 1, { 'user-agent': 'snapd/2.77' });
    for (const { headers } of devices.slice(12, 15))
      await poll(headers, snap, 1, { 'user-agent': 'snapd/2.50' });
    const other = await store.released('shown-beside', [1]);
    for (const { headers } of devices.slice(15, 17)) await poll(headers, other, 1);
    await store.wire.services.facts.flush();
    await store.act('hold', { deviceUid: devices[0]?.uid, reason: 'on the bench' });
    await store.settle();
  });
  const input = (more: object = {}): string =>
    `input: ${literal(orderOf({ fleetId, snap: 'shown', revision: 2, ...more }))}`;

  it('U99 outcomes and reasons add up to the fleet, every device that is left out has its reason, and the pages hold the same', async () => {
    const found = await preview(input());
    expect(found.population).toBe(20);
    const [sheet] = found.sheets;
    if (sheet === undefined) throw new Error('no sheet');
    expect(sum(sheet.outcomes)).toBe(20);
    expect(sum(sheet.reasons)).toBe(20);
    expect(
      Object.fromEntries(sheet.reasons.map((one) => [`${one.outcome} ${one.code}`, one.devices])),
    ).toEqual({
      'UPDATE ROLLOUT_ADMITTED': 11,
      'STAY HELD_DEVICE': 1,
      'STAY SNAPD_TOO_OLD': 3,
      'EXCLUDED NOT_INSTALLED': 2,
      'EXCLUDED NEVER_REPORTED': 3,
    });
    for (const { meaning } of sheet.reasons) expect(meaning).toMatch(/[a-z]{3}/);
    expect(sheet.refused).toEqual([
      { code: 'SNAPD_TOO_OLD', devices: 3, meaning: 'the revision needs a newer snapd' },
    ]);
    expect([sheet.bytesFull, sheet.bytesDelta]).toEqual([11 * size, 11 * 700]);
    expect(sum(found.factAges)).toBe(20);
    expect(found.factAges.filter(({ devices }) => devices > 0)).toEqual([
      { age: 'under a day', devices: 17 },
      { age: 'never', devices: 3 },
    ]);

    const devices = await pages(input(), '', 7);
    expect(devices).toHaveLength(20);
    expect(new Set(devices.map(({ deviceUid }) => deviceUid)).size).toBe(20);
    for (const { sentences } of devices) expect(sentences[0]).toMatch(/[a-z]{3}/);
    for (const { outcome, code, devices: expected } of sheet.reasons) {
      const same = devices.filter((one) => one.outcome === outcome && one.code === code);
      expect(same).toHaveLength(expected);
    }
    const held = await pages(input(), ', filter: {code: "HELD_DEVICE"}');
    expect(held).toHaveLength(1);
    expect(held[0]?.sentences.join()).toContain('on the bench');
    expect(await pages(input(), ', filter: {outcome: UPDATE}', 4)).toHaveLength(11);
  });

  it('shows wave by wave who comes when, at every instant that is asked for', async () => {
    const waves = [
      { count: 2, soakSeconds: 3_600 },
      { percent: 50, devicesPerHour: 4, soakSeconds: 3_600 },
      { percent: 100, soakSeconds: 0 },
    ];
    const before = Date.now();
    const found = await preview(input({ waves }));
    expect(found.waves.map(({ k, rampSeconds }) => [k, rampSeconds])).toEqual([
      [2, 0],
      [10, 7_200],
      [20, 0],
    ]);
    const opens = found.waves.map(({ opensAt }) => new Date(opensAt).getTime());
    const [start = 0] = opens;
    expect(start).toBeGreaterThanOrEqual(before - 5_000);
    expect(opens.map((at) => (at - start) / HOUR)).toEqual([0, 1, 4]);
    expect(
      found.curve.map(({ at, admitted }) => [(new Date(at).getTime() - start) / HOUR, admitted]),
    ).toEqual([
      [0, 0],
      [0, 2],
      [1, 2],
      [3, 10],
      [4, 10],
      [4, 20],
    ]);
    const instants = [0.5, 3.5, 4.5].map((hours) => new Date(start + hours * HOUR + 60_000));
    const { sheets } = await preview(input({ waves }), instants);
    expect(sheets.map(({ at }) => at)).toEqual(instants.map((at) => at.toISOString()));
    const isAdmitted = ({ outcome }: Count): boolean => outcome === 'UPDATE';
    const admitted = sheets.map(({ reasons }) => sum(reasons.filter(isAdmitted)));
    for (const sheet of sheets) expect(sum(sheet.reasons)).toBe(20);
    expect(admitted[0]).toBeLessThanOrEqual(2);
    expect(admitted[1]).toBeLessThanOrEqual(10);
    expect(admitted[2]).toBe(11);
  });

  it('leaves nothing behind, and names what else touches the devices', async () => {
    const { db } = store.wire.resources;
    const read = (sql: string): Promise<unknown> => db.asSystem((tx) => tx.query<unknown>(sql));
    const state = (): Promise<unknown[]> =>
      Promise.all([
        read('SELECT count(*) FROM store.rollouts'),
        read('SELECT count(*) FROM store.lane_events'),
        read('SELECT * FROM store.policy_versions ORDER BY brand_id'),
        read('SELECT count(*) FROM store.outbox'),
      ]);
    const before = await state();
    await preview(input());
    await pages(input());
    expect(await state()).toEqual(before);

    const other = await store.released('touching', [1]);
    await store.wire.revision(other, 2, {});
    await store.settle();
    await store.rollout({ fleetId, title: 'the other one', snap: other.name, revision: 2 });
    const { sheets } = await preview(input());
    expect(sheets[0]).toMatchObject({
      touchedDevices: 20,
      touchedBy: [{ title: 'the other one', devices: 20 }],
    });
  });

  it('is stored with a plan that is submitted, and approvals sign it too', async () => {
    const draft = await store.draft({ fleetId, snap: snap.name, revision: 2 });
    expect(await field(draft, 'preview { hash }')).toEqual({ preview: null });
    const submitted = await store.on(store.planner, 'submitRollout', draft);
    const { preview: shown } = await field<{ preview: Preview }>(draft, `preview { ${PREVIEW} }`);
    expect(shown).toMatchObject({ planHash: submitted.planHash, population: 20 });
    expect(shown.hash).toMatch(/^[0-9a-f]{64}$/);
    expect(submitted.transitions.at(-1)?.evidence).toMatchObject({ previewHash: shown.hash });
    const { db } = store.wire.resources;
    const [stored] = await db.asSystem((tx) =>
      tx.query<{ hash: string; preview: unknown }[]>(
        'SELECT hash, preview FROM store.rollout_previews WHERE rollout_id = $1',
        [draft.id],
      ),
    );
    expect(contentHash(stored?.preview)).toBe(shown.hash);

    const approve = (previewHash: string): Promise<RolloutAnswer> =>
      store.on(
        store.approver,
        'approveRollout',
        draft,
        `planHash: "${submitted.planHash}", previewHash: "${previewHash}"`,
      );
    expect(await approve('0'.repeat(64))).toMatchObject({ __typename: 'Conflict' });
    expect(await approve(shown.hash ?? '')).toMatchObject({ state: 'SCHEDULED' });
    const { approvals } = await field<{ approvals: unknown[] }>(
      draft,
      'approvals { verdict planHash previewHash }',
    );
    expect(approvals).toEqual([
      { verdict: 'approved', planHash: submitted.planHash, previewHash: shown.hash },
    ]);
  });

  it('is made anew for approvers who are asked again because the fleet grew', async () => {
    const grown = await store.released('shown-grown', [1]);
    await store.wire.revision(grown, 2, {});
    const own = await store.fleet('shown-grown', 512);
    await store.settle();
    await crowd('shown-grown', 2);
    const draft = await store.draft({ fleetId: own, snap: grown.name, revision: 2 });
    const { planHash } = await store.on(store.planner, 'submitRollout', draft);
    await store.on(store.approver, 'approveRollout', draft, `planHash: "${planHash}"`);
    const stored = async (): Promise<Preview> =>
      (await field<{ preview: Preview }>(draft, `preview { ${PREVIEW} }`)).preview;
    const first = await stored();
    expect(first.population).toBe(2);
    await crowd('shown-grown', 5, (no) => ({ serial: `later-${no}` }));
    await store.tick(draft);
    const second = await stored();
    expect(second.population).toBe(7);
    expect(second.hash).not.toBe(first.hash);
    const signed = `planHash: "${planHash}", previewHash: "${first.hash ?? ''}"`;
    const late = await store.on(store.approver, 'approveRollout', draft, signed);
    expect(late).toMatchObject({ __typename: 'Conflict' });
  });

  it('prints the sentence about data for a rollback, and counts those whose data cannot go back', async () => {
    const back = await store.wire.snap(store.brand, 'shown-back');
    await store.wire.revision(back, 1, { epoch: { read: [0], write: [0] } });
    await store.wire.revision(back, 2, { epoch: { read: [0, 1], write: [1] } });
    for (const revision of [1, 2]) await store.wire.release(back, revision);
    const own = await store.fleet('shown-back', 511);
    await store.settle();
    const devices = await crowd('shown-back', 3);
    for (const { headers } of devices.slice(0, 2))
      await poll(headers, back, 2, {}, { read: [0, 1], write: [1] });
    await poll(devices[2]?.headers ?? {}, back, 2, {}, { read: [0], write: [0] });
    await store.wire.services.facts.flush();
    const draft = await store.draft({ fleetId: own, snap: back.name, revision: 1 });
    // As the rollback of a rollout writes its plan (update-control.md 2.8).
    const { db } = store.wire.resources;
    await db.asSystem(async (tx) => {
      const [row] = await tx.query<{ plan: RolloutPlan }[]>(
        'SELECT plan FROM store.rollouts WHERE id = $1',
        [draft.id],
      );
      const plan = { ...row?.plan, isRollback: true, replaces: { all: 2 } };
      await tx.query('UPDATE store.rollouts SET plan = $2 WHERE id = $1', [draft.id, plan]);
    });
    const found = await preview(`rollout: "${draft.id}"`);
    expect(found.notes[0]).toContain('data is carried forward, not restored');
    expect(found.sheets[0]?.impossible).toBe(2);
    expect(found.notes[1]).toContain('2 devices cannot go back');
    const listed = await pages(`rollout: "${draft.id}"`, ', filter: {code: "EPOCH_UNREADABLE"}');
    expect(listed.map(({ deviceUid }) => deviceUid).sort()).toEqual(
      devices
        .slice(0, 2)
        .map(({ uid }) => uid)
        .sort(),
    );
  });
});

describe('a preview and what is served', () => {
  it('U96 for 1,000 random devices the preview at the same snapshot, instant and facts is the decision that was served', async () => {
    const seed = 'U96';
    const dice = (no: number, what: string, sides: number): number =>
      Math.floor(fractionOf(seed, no, what) * sides);
    const snap = await store.wire.snap(store.brand, 'served');
    const kinds = [{}, {}, { assumes: ['snapd2.60'] }, { architectures: ['amd64'] }];
    for (const [index, change] of kinds.entries())
      await store.wire.revision(snap, index + 1, change);
    for (const revision of [1, 2]) await store.wire.release(snap, revision);
    await store.wire.release(snap, 4, 'latest/edge', ['amd64']);
    const fleetId = await store.fleet('served', 520);
    await store.fleet('served-too', 519);
    await store.settle();
    const devices = await crowd('served', 1_000, (no) => ({
      architecture: dice(no, 'arch', 4) === 0 ? 'arm64' : 'amd64',
      tags: {
        fleet: dice(no, 'fleet', 5) === 0 ? 'served-too' : 'served',
        ring: `${dice(no, 'ring', 3)}`,
      },
      timezone: ['Europe/Berlin', 'America/New_York', null][dice(no, 'zone', 3)] ?? null,
    }));
    // Held at that instant, and not an hour later.
    const until = new Date(Date.now() + HOUR).toISOString();
    for (const no of [3, 33, 333])
      await store.act('hold', {
        deviceUid: devices[no]?.uid,
        snap: snap.name,
        reason: `hold ${no}`,
        until,
      });
    for (const no of [5, 55])
      await store.act('pin', {
        deviceUid: devices[no]?.uid,
        snap: snap.name,
        revision: 1,
        reason: 'pinned',
      });
    const rollout = await store.rollout({
      fleetId,
      title: 'served rollout',
      snap: snap.name,
      revision: 3,
      waves: [
        { percent: 30, selector: { fact: 'tag:ring', equals: '2' }, isManual: true },
        { percent: 100 },
      ],
    });
    const served = new Map<string, { outcome: string; revision: number | undefined }>();
    const { services, resources } = store.wire;
    for (let from = 0; from < devices.length; from += 20)
      await Promise.all(
        devices.slice(from, from + 20).map(async ({ uid, headers }, index) => {
          const no = from + index;
          const revision = 1 + dice(no, 'revision', 4);
          const { results } = await refresh(store.url, {
            context: [
              contextOf({
                id: snap.id,
                revision,
                channel: dice(no, 'channel', 4) === 0 ? 'latest/edge' : 'latest/stable',
              }),
            ],
            actions: [{ action: 'refresh', 'instance-key': snap.id, 'snap-id': snap.id }],
            fields: ['revision'],
            headers: {
              ...headers,
              ...SCHEDULED,
              'snap-device-architecture': dice(no, 'arch', 4) === 0 ? 'arm64' : 'amd64',
              'user-agent': `snapd/2.${50 + dice(no, 'snapd', 30)}`,
            },
          });
          const offered = results[0]?.snap?.revision;
          const outcome =
            results[0]?.error !== undefined
              ? 'NOT_FOUND'
              : offered === revision
                ? 'STAY'
                : 'UPDATE';
          served.set(uid, { outcome, revision: offered });
        }),
      );
    await services.facts.flush();
    await services.decisionLog.flush();

    const { db } = resources;
    const recorded = await db.asSystem((tx) =>
      tx.query<
        {
          uid: string;
          at: Date;
          decision: string;
          version: number;
          hash: string;
          overlay: number;
        }[]
      >(
        `SELECT device_uid AS uid, at, decision, policy_version::float8 AS version, policy_hash AS hash,
           overlay_version::float8 AS overlay FROM store.decisions WHERE snap_id = $1`,
        [snap.id],
      ),
    );
    expect(recorded).toHaveLength(1_000);
    const policies = new Map<string, PolicySnapshot>();
    const requests = new DeviceRequests(resources);
    const plan = await field<{ plan: RolloutPlan }>(rollout, 'plan');
    for (const { uid, at, decision, version, hash, overlay } of recorded) {
      const key = `${version} ${overlay}`;
      const known = policies.get(key);
      const policy =
        known ??
        (await db.asSystem(async (tx) => ({
          ...((await findPolicySnapshotAt(tx, {
            brandId: store.brand.id,
            version,
            hash,
          })) as PolicySnapshot),
          overlay: compileOverlay(await readOverlayAt(tx, store.brand.id, overlay)),
        })));
      policies.set(key, policy);
      const [row] = await db.asSystem((tx) => findDevices(tx, [uid]));
      if (row === undefined) throw new Error('no device');
      const device = toKnownDevice(row);
      const moment = { plan: plan.plan, policy, t: at.getTime(), isWindowless: false };
      const shown = await previewDevice(device, factsOfDevice(device), moment, requests);
      const { outcome, revision, reasons } = JSON.parse(decision) as Decision;
      expect(shown).toMatchObject({
        outcome,
        revision: outcome === 'UPDATE' ? revision : null,
        codes: reasons.map(({ code }) => code),
        sentences: reasons.map(reasonText),
      });
      const wire = served.get(uid);
      expect([wire?.outcome, wire?.revision]).toEqual([
        outcome,
        outcome === 'NOT_FOUND' ? undefined : revision,
      ]);
    }
    const outcomes = new Set([...served.values()].map(({ outcome }) => outcome));
    expect(outcomes).toEqual(new Set(['UPDATE', 'STAY']));

    // The same over the wire: pages of the preview of the rollout as it is now, against what the devices were answered.
    const listed = await pages(`rollout: "${rollout.id}"`, `, at: "${new Date().toISOString()}"`);
    const inFleet = (
      await db.asSystem((tx) =>
        listDevices(tx, store.brand.id, { after: null, limit: 5_000, fleetId: null }),
      )
    ).filter(({ tags }) => tags['fleet'] === 'served');
    expect(listed).toHaveLength(inFleet.length);
    for (const { deviceUid, outcome, revision } of listed) {
      const wire = served.get(deviceUid);
      expect([outcome, revision]).toEqual([
        wire?.outcome,
        wire?.outcome === 'UPDATE' ? wire.revision : null,
      ]);
    }
  });
});

it('a preview stops when its caller hangs up, and the next one of the brand has its turn', async () => {
  const { db } = store.wire.resources;
  const snap = await store.released('hung-up', [1, 2]);
  const fleetId = await store.fleet('hung-up', 910);
  await crowd('hung-up', 3);
  const subject = `input: ${literal(orderOf({ fleetId, snap: snap.name, revision: 2 }))}`;
  const query = `{ previewRollout(brand: "${store.brand.id}", ${subject}) { population } }`;
  const made = vi.spyOn(store.wire.app.get(PreviewService), 'preview');
  const caller = new AbortController();
  let asked: Promise<unknown> = Promise.resolve();
  // It comes as far as its first devices, and no further.
  await db.asSystem(async (tx) => {
    await tx.query('LOCK TABLE store.device_facts IN ACCESS EXCLUSIVE MODE');
    asked = fetch(`${store.url}/graphql`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${store.planner.token}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify({ query }),
      signal: caller.signal,
    }).catch(() => 'hung up');
    await expect.poll(() => made.mock.results.length, { timeout: 60_000 }).toBe(1);
    caller.abort();
    expect(await asked).toBe('hung up');
    const signal = made.mock.calls[0]?.[3];
    await expect.poll(() => signal?.aborted, { timeout: 60_000 }).toBe(true);
  });
  await expect(made.mock.results[0]?.value).rejects.toThrow(/aborted/);
  made.mockRestore();
  expect((await preview(subject)).population).toBe(3);
});
