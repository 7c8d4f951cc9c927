import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { Device, Hold, Pin, shiftClock, type Snap } from '#libs/database';
import { keepAssertion, timestamp } from '#libs/operations';
import { localTime } from '#libs/update-control';
import { ask } from '../../tools/clients/http.js';
import type { TestSnap } from '../device/support/device-store.js';
import {
  SCHEDULED,
  contextOf,
  install,
  poll,
  refresh,
  type WireResult,
} from '../device/support/refreshing.js';
import { Enum } from './support/admin-store.js';
import { SteeredStore, type SteeredDevice } from './support/steered-store.js';

const HOUR = 3_600_000;

interface Page {
  readonly edges: readonly { readonly node: { readonly key: string | number } }[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}

let store: SteeredStore;

beforeAll(async () => {
  store = await SteeredStore.start();
});
afterAll(() => store?.stop());
afterEach(() => vi.restoreAllMocks());

/** A snap with these revisions, released to stable one after the other. */
async function released(
  name: string,
  revisions: readonly number[],
  change: Partial<Snap> = {},
  revisionChange: Parameters<SteeredStore['wire']['revision']>[2] = {},
): Promise<TestSnap> {
  const snap = await store.wire.snap(store.brand, name, change);
  const type = change.type ?? 'app';
  for (const revision of revisions) {
    await store.wire.revision(snap, revision, { type, ...revisionChange });
    await store.wire.release(snap, revision);
  }
  await store.settle();
  return snap;
}

/** The answer of a scheduled poll for one installed snap, with others beside it in the context. */
async function polled(
  device: SteeredDevice,
  snap: TestSnap,
  revision: number,
  besides: readonly { snap: TestSnap; revision: number }[] = [],
  action: Readonly<Record<string, unknown>> = {},
): Promise<WireResult> {
  const others = besides.map((one) => contextOf({ id: one.snap.id, revision: one.revision }));
  const { results } = await refresh(store.url, {
    context: [contextOf({ id: snap.id, revision }), ...others],
    actions: [{ action: 'refresh', 'instance-key': snap.id, 'snap-id': snap.id, ...action }],
    headers: { ...device.headers, ...SCHEDULED },
  });
  const [result] = results;
  if (result === undefined || results.length !== 1) throw new Error(`${results.length} results`);
  return result;
}

const offered = async (...args: Parameters<typeof polled>): Promise<number | undefined> =>
  (await polled(...args)).snap?.revision;

const codes = async (device: SteeredDevice, snap: TestSnap): Promise<string[]> =>
  (await store.reasons(device.uid, snap.name)).map(({ code }) => code);

describe('floors', () => {
  const channel = 'latest/stable';
  const floor = (snap: TestSnap, revision: number, more: object = {}) =>
    store.act(
      'setFloor',
      { snap: snap.name, channel, revision, reason: 'migrates the data', ...more },
      '... on Floor { id revision reason }',
    );

  it('U25 a device at 5 gets 10, 20, 25 in three polls, and a floor cannot be yanked while live', async () => {
    const snap = await released('stairs', [5, 10, 20, 25]);
    await store.wire.revision(snap, 30);
    const device = await store.device({ fleet: 'stairs' });
    expect(await floor(snap, 10)).toMatchObject({ __typename: 'Floor', revision: 10 });
    const second = await floor(snap, 20);
    await store.settle();
    const way = [5];
    for (let n = 0; n < 4; n += 1) way.push((await offered(device, snap, way.at(-1) ?? 0)) ?? 0);
    expect(way).toEqual([5, 10, 20, 25, 25]);
    expect(await codes(device, snap)).not.toContain('VIA_FLOOR');
    await polled(device, snap, 10);
    expect((await codes(device, snap))[0]).toBe('VIA_FLOOR');

    const fleetId = await store.fleet('stairs', 100);
    const rollout = await store.rollout({ fleetId, snap: snap.name, revision: 30 });
    expect(await offered(device, snap, 25)).toBe(30);
    expect(await offered(device, snap, 10)).toBe(20);
    const yank = () =>
      store.call(
        'yankRevision',
        { snap: snap.name, revision: 20, reason: 'eats the data' },
        '... on Revision { revision }',
      );
    const lift = () => store.call('liftFloor', { id: second.id, reason: 'not needed' });
    for (const refused of [await yank(), await lift()])
      expect(refused).toMatchObject({
        __typename: 'Conflict',
        message: expect.stringContaining('pause it first') as string,
        current: { rolloutId: rollout.id, state: 'ACTIVE' },
      });
    await store.settle();
    expect(await offered(device, snap, 10)).toBe(20);
    // To stop the floor pauses the rollout: those behind it could not go on.
    const stop = { scope: new Enum('revision'), snap: snap.name, revision: 20, level: 1 };
    await store.act('stop', { ...stop, reason: 'it bricks' });
    await store.tick(rollout);
    const { rollout: now } = await store.planner.ask<{ rollout: { state: string } }>(
      `rollout(brand: "${store.brand.id}", id: "${rollout.id}") { state }`,
    );
    expect(now.state).toBe('PAUSED');
    expect(await yank()).toMatchObject({ __typename: 'Revision', revision: 20 });
    expect(await lift()).toMatchObject({ __typename: 'Floor' });
    await store.settle();
    expect(await offered(device, snap, 10)).toBe(25);
  });

  it('a floor is a revision that was on the lane, is named once, and is shown until it is lifted', async () => {
    const snap = await released('steps', [1, 2]);
    await store.wire.revision(snap, 3);
    expect(await floor(snap, 3)).toMatchObject({ problems: [{ path: 'revision' }] });
    expect(await floor(snap, 9)).toMatchObject({ __typename: 'NotFound' });
    expect(await floor(snap, 1, { reason: ' ' })).toMatchObject({ problems: [{ path: 'reason' }] });
    const made = await floor(snap, 1);
    expect(await floor(snap, 1)).toMatchObject({ __typename: 'Conflict' });
    const ids = async (): Promise<unknown> =>
      (
        await store.planner.ask<{ floors: { id: string }[] }>(
          `floors(brand: "${store.brand.id}") { id }`,
        )
      ).floors.map(({ id }) => id);
    expect(await ids()).toContain(made.id);
    await store.call('liftFloor', { id: made.id, reason: 'over' });
    expect(await ids()).not.toContain(made.id);
    expect(await store.call('liftFloor', { id: made.id, reason: 'over' })).toMatchObject({
      __typename: 'Conflict',
    });
  });
});

describe('models', () => {
  /** Registers a revision of a model in the words of assertions.md 9. */
  async function register(name: string, revision: number, headers: object): Promise<void> {
    const { id, signer, storeId } = store.brand;
    const model = await store.wire.sign(
      {
        type: 'model',
        headers: {
          'authority-id': id,
          ...(revision > 0 && { revision: String(revision) }),
          series: '16',
          'brand-id': id,
          model: name,
          store: storeId,
          timestamp: timestamp(new Date()),
          ...headers,
        },
      },
      signer,
    );
    const answer = await store.call('registerModel', { assertion: model.bytes.toString() });
    expect(answer).toMatchObject({ __typename: 'Model' });
    await store.settle();
  }

  const plain = { architecture: 'amd64', gadget: 'acme-gadget', kernel: 'acme-kernel' };
  const pin = (input: object) =>
    store.act('pin', { reason: 'test bench', ...input }, '... on Pin { id }');
  const refused = (message: string) => ({
    __typename: 'Invalid',
    problems: [{ path: 'revision', message: expect.stringContaining(message) as string }],
  });
  const ofModel = (model: string, tags = {}) => store.device(tags, { model: { model } });

  it('U19 a pin that model or architecture forbids is refused, and is ignored if the model changes later', async () => {
    const own = await released('acme-kernel', [1, 2], { type: 'kernel' });
    const foreign = await released('other-kernel', [1, 2], { type: 'kernel' });
    const base = await released('acme-base', [1, 2], { type: 'base' });
    const tool = await released('tool', [1]);
    await store.wire.revision(tool, 2, { confinement: 'classic' });
    await store.wire.revision(tool, 3, { architectures: ['arm64'] });
    await register('gateway', 0, plain);
    await register('tower', 0, {
      architecture: 'amd64',
      base: 'core24',
      snaps: [
        { name: own.name, id: own.id, type: 'kernel', 'default-channel': 'latest/stable' },
        { name: 'acme-gadget', id: 'g'.repeat(32), type: 'gadget', 'default-channel': '1/stable' },
      ],
    });
    await register('desk', 0, { classic: 'true', architecture: 'amd64' });
    const device = await ofModel('gateway', { fleet: 'pinned' });
    const tower = await ofModel('tower');
    const desk = await ofModel('desk', { fleet: 'desks' });
    const on = ({ uid }: SteeredDevice, snap: TestSnap, revision: number, more = {}) =>
      pin({ deviceUid: uid, snap: snap.name, revision, ...more });

    expect(await on(device, foreign, 2)).toMatchObject(refused('the kernel other-kernel'));
    expect(await on(tower, base, 2)).toMatchObject(refused('the base acme-base'));
    expect(await on(device, base, 2)).toMatchObject({ __typename: 'Pin' });
    expect(await on(device, tool, 2)).toMatchObject(refused('classic confinement'));
    expect(await on(device, tool, 3)).toMatchObject(refused('not amd64'));
    expect(await on(device, tool, 1, { architecture: 'arm64' })).toMatchObject({
      __typename: 'Pin',
    });
    // Of a fleet its members are known: none of them can have it, then one can.
    const fleetId = await store.fleet('pinned', 200);
    const all = (snap: TestSnap, revision: number) => pin({ fleetId, snap: snap.name, revision });
    expect(await all(foreign, 2)).toMatchObject(refused('no device of the fleet can have it'));
    expect(await all(tool, 3)).toMatchObject(refused('not amd64'));
    const other = await ofModel('desk', { fleet: 'pinned' });
    expect(await all(tool, 2)).toMatchObject({ __typename: 'Pin' });
    expect(await on(desk, tool, 2)).toMatchObject({ __typename: 'Pin' });
    expect(await on(device, own, 2)).toMatchObject({ __typename: 'Pin' });
    await store.settle();

    expect(await offered(device, tool, 1)).toBe(1);
    for (const allowed of [other, desk]) expect(await offered(allowed, tool, 1)).toBe(2);
    expect(await offered(device, own, 1)).toBe(2);
    await register('desk', 1, plain);
    await register('gateway', 1, { ...plain, kernel: foreign.name });
    expect(await offered(desk, tool, 1)).toBe(1);
    const [first] = (await store.reasons(desk.uid, tool.name)).filter(
      ({ code }) => code === 'MODEL_FORBIDS',
    );
    expect(first?.detail).toMatchObject({ model: 'desk', revision: 2, confinement: 'classic' });
    expect((await polled(device, own, 1)).error?.code).toBe('revision-not-found');
    expect((await codes(device, own))[0]).toBe('MODEL_FORBIDS');
    const news = await install(store.url, { name: foreign.name }, device.headers);
    expect(news.snap?.revision).toBe(2);
  });

  it('a kernel, gadget or base that the model does not name is not there for its devices', async () => {
    const kernel = await released('board-kernel', [1], { type: 'kernel' });
    const gadget = await released('board-gadget', [1], { type: 'gadget' });
    const base = await released('board-base', [1], { type: 'base' });
    await register('board', 0, {
      architecture: 'amd64',
      base: base.name,
      snaps: [
        { name: kernel.name, id: kernel.id, type: 'kernel', 'default-channel': 'latest/stable' },
        { name: gadget.name, id: gadget.id, type: 'gadget', 'default-channel': 'latest/stable' },
        { name: base.name, id: base.id, type: 'base', 'default-channel': 'latest/stable' },
      ],
    });
    const board = await ofModel('board');
    await register('gadfly', 0, plain);
    const other = await ofModel('gadfly');
    const installed = async ({ headers }: SteeredDevice) =>
      Promise.all(
        [kernel, gadget, base].map(
          async ({ name }) => (await install(store.url, { name }, headers)).result,
        ),
      );
    expect(await installed(board)).toEqual(['install', 'install', 'install']);
    expect(await installed(other)).toEqual(['error', 'error', 'install']);
  });
});

describe('withdrawn revisions', () => {
  it('S19 is offered to nobody and not downloadable, others fall back, and the reason is shown', async () => {
    const snap = await released('regret', [1, 2]);
    const [has, had] = [await store.device(), await store.device()];
    const offer = await polled(had, snap, 1);
    expect(offer.snap?.revision).toBe(2);
    const { url = '', 'sha3-384': hex = '' } = offer.snap?.download ?? {};
    const status = async (path: string) =>
      (await ask(path, { headers: had.headers, redirect: 'manual' })).status;
    expect(await status(url)).toBe(302);
    const yank = { snap: snap.name, revision: 2, reason: 'wrong firmware inside' };
    const nothing = await store.call('yankRevision', { ...yank, reason: '' });
    expect(nothing).toMatchObject({ __typename: 'Invalid' });
    expect(await store.call('yankRevision', yank, '', store.approver)).toMatchObject({
      __typename: 'Forbidden',
    });
    const done = await store.call('yankRevision', yank, '... on Revision { revision yankReason }');
    expect(done).toMatchObject({ revision: 2, yankReason: yank.reason });
    await store.settle();

    expect(await offered(had, snap, 1)).toBe(1);
    expect(await offered(has, snap, 2)).toBe(2);
    expect((await codes(had, snap)).slice(0, 2)).toContain('YANKED');
    expect(await status(url)).toBe(404);
    const news = (action: object) =>
      install(store.url, { name: snap.name, ...action }, has.headers);
    expect((await news({})).snap?.revision).toBe(1);
    expect((await news({ revision: 2 })).error?.code).toBe('revision-not-found');
    // Who has it can still prove what it is.
    const digest = Buffer.from(hex, 'hex').toString('base64url');
    expect(await status(`${store.url}/v2/assertions/snap-revision/${digest}`)).toBe(200);
    const shown = await store.planner.ask<{ snap: { revisions: object[] } }>(
      `snap(brand: "${store.brand.id}", name: "${snap.name}") { revisions { revision yankedAt yankReason } }`,
    );
    expect(shown.snap.revisions).toEqual([
      { revision: 1, yankedAt: null, yankReason: null },
      { revision: 2, yankedAt: expect.any(String) as string, yankReason: yank.reason },
    ]);
  });
});

describe('refresh control', () => {
  it('a snap that gates another keeps it back until it validated the revision, and again when it takes that back', async () => {
    const gated = await released('gated', [1, 2]);
    const gate = await released('gate', [1]);
    const device = await store.device();
    const besides = [{ snap: gate, revision: 1 }];
    expect(await offered(device, gated, 1, besides)).toBe(2);
    const { operatorAccountId, resources } = store.wire;
    const keep = (assertion: Parameters<typeof keepAssertion>[1], snapId: string) =>
      resources.db.asSystem((tx) => keepAssertion(tx, assertion, snapId));
    const declaration = await store.wire.signAsStore({
      type: 'snap-declaration',
      headers: {
        'authority-id': operatorAccountId,
        revision: '1',
        series: '16',
        'snap-id': gate.id,
        'snap-name': gate.name,
        'publisher-id': store.brand.id,
        'refresh-control': [gated.id],
        timestamp: timestamp(new Date()),
      },
    });
    await keep(declaration, gate.id);
    await store.settle();
    expect(await offered(device, gated, 1, besides)).toBe(1);
    expect(await store.reasons(device.uid, gated.name)).toContainEqual({
      code: 'NOT_VALIDATED_BY',
      detail: { gating: 'gate', revision: 2 },
    });
    expect(await offered(device, gated, 1)).toBe(2);
    expect(await offered(device, gated, 1, besides, { 'ignore-validation': true })).toBe(2);

    const validate = (revision: number, more: object = {}) =>
      addAssertion('validation', {
        ...(revision > 0 && { revision: String(revision) }),
        'snap-id': gate.id,
        'approved-snap-id': gated.id,
        'approved-snap-revision': '2',
        ...more,
      });
    await validate(0);
    expect(await offered(device, gated, 1, besides)).toBe(2);
    await validate(1, { revoked: 'true' });
    expect(await offered(device, gated, 1, besides)).toBe(1);
  });
});

/** The brand's own assertion, brought by GraphQL. */
async function addAssertion(type: 'validation' | 'validation-set', headers: object): Promise<void> {
  const { id, signer } = store.brand;
  const common = { 'authority-id': id, series: '16', timestamp: timestamp(new Date()) };
  const draft = { type, headers: { ...common, ...headers } };
  const assertion = (await store.wire.sign(draft, signer)).bytes.toString();
  const answer = await store.call('addAssertion', { assertion }, '... on BrandAssertion { type }');
  expect(answer).toMatchObject({ type });
  await store.settle();
}

describe('validation sets', () => {
  const addSet = (name: string, sequence: number, pins: readonly [TestSnap, number | null][]) =>
    addAssertion('validation-set', {
      'account-id': store.brand.id,
      name,
      sequence: String(sequence),
      snaps: pins.map(([snap, revision]) => ({
        ...{ id: snap.id, name: snap.name, presence: 'required' },
        ...(revision !== null && { revision: String(revision) }),
      })),
    });
  const keyOf = (name: string, sequence: number): string[] => [
    ...['16', store.brand.id, name, String(sequence)],
  ];

  it('U29 the exact revision is served even outside the wave, a stopped one is not, and a rollout against it is refused with the count', async () => {
    const snap = await released('member', [1, 2]);
    for (const revision of [3, 4]) await store.wire.revision(snap, revision);
    const loose = await released('loose', [1, 2]);
    await addSet('plant', 1, [
      [snap, 3],
      [loose, null],
    ]);
    const fleetId = await store.fleet('members', 400);
    const [first, second, third] = [
      await store.device({ fleet: 'members' }),
      await store.device({ fleet: 'members' }),
      await store.device({ fleet: 'members' }),
    ];
    const nobody = [{ selector: { fact: 'serial', equals: 'none' } }, { percent: 100 }];
    await store.rollout({ fleetId, snap: snap.name, revision: 3, waves: nobody });
    for (const device of [first, second, third]) expect(await offered(device, snap, 2)).toBe(2);

    const enforced = { 'validation-sets': [keyOf('plant', 1)] };
    for (const device of [first, second])
      expect(await offered(device, snap, 2, [], enforced)).toBe(3);
    expect((await store.reasons(first.uid, snap.name))[0]).toMatchObject({
      code: 'VSET_REQUIRED',
      detail: { revision: 3 },
    });
    // The set names the other snap without a revision.
    expect(await offered(first, loose, 1, [], enforced)).toBe(2);
    expect(await offered(first, snap, 2, [], enforced)).toBe(3);
    // Also where the device says so in its context, and never when its user ignores validation.
    const { results } = await refresh(store.url, {
      context: [{ ...contextOf({ id: snap.id, revision: 2 }), ...enforced }],
      actions: [{ action: 'refresh', 'instance-key': snap.id, 'snap-id': snap.id }],
      headers: { ...second.headers, ...SCHEDULED },
    });
    expect(results[0]?.snap?.revision).toBe(3);
    const ignoring = { ...enforced, 'ignore-validation': true };
    expect(await offered(second, snap, 2, [], ignoring)).toBe(2);
    expect(await offered(second, snap, 2, [], enforced)).toBe(3);
    // A revision that is higher than the set's is no reason to leave it.
    expect(await offered(second, snap, 4, [], enforced)).toBe(3);
    expect(await offered(second, snap, 2, [], enforced)).toBe(3);

    await store.wire.services.facts.flush();
    const others = await store.fleet('others', 401, {
      predicate: { fact: 'uid', equals: third.uid },
    });
    const against = (fleet: string, revision: number) =>
      store.draft({ fleetId: fleet, snap: snap.name, revision });
    expect(await against(fleetId, 4)).toMatchObject({
      __typename: 'Invalid',
      problems: [{ path: 'snap', message: expect.stringContaining('pins on 2 devices') as string }],
    });
    expect(await against(others, 4)).toMatchObject({ __typename: 'Rollout' });
    // What was drafted before a device enforced the set is refused at submit.
    const early = await against(others, 4);
    expect(await offered(third, snap, 2, [], enforced)).toBe(3);
    await store.wire.services.facts.flush();
    expect(await store.on(store.planner, 'submitRollout', early)).toMatchObject({
      __typename: 'Invalid',
      problems: [{ path: 'snap', message: expect.stringContaining('pins on 1 devices') as string }],
    });

    const stop = { scope: new Enum('revision'), snap: snap.name, revision: 3, level: 1 };
    await store.act('stop', { ...stop, reason: 'it bricks' });
    await store.settle();
    expect((await polled(first, snap, 2, [], enforced)).error?.code).toBe('revision-not-found');
    expect(await offered(first, snap, 3, [], enforced)).toBe(3);
  });

  it('U30 a sequence goes to the devices that its rollout admits, and never back, also after an abort', async () => {
    const snap = await released('sequenced', [1, 2]);
    const fleetId = await store.fleet('sequenced', 500);
    const [device, other] = [
      await store.device({ fleet: 'sequenced', part: 'lab' }),
      await store.device({ fleet: 'sequenced' }),
    ];
    await addSet('line', 1, [[snap, 1]]);
    const key = ['16', store.brand.id, 'line'];
    const newest = async (headers: Record<string, string>, reported?: number) => {
      const wanted = { type: 'validation-set', 'sequence-key': key };
      const known = { 'if-sequence-equal-or-newer-than': reported, 'if-newer-than': 0 };
      const one = reported === undefined ? wanted : { ...wanted, ...known };
      const { results } = await refresh(store.url, {
        actions: [{ action: 'fetch-assertions', key: 'A', assertions: [one] }],
        'assertion-max-formats': { 'validation-set': 0 },
        headers,
      });
      const [url] = results[0]?.['assertion-stream-urls'] ?? [];
      if (url === undefined) return null;
      const { text } = await ask(url, { headers });
      return Number(/^sequence: (\d+)$/m.exec(text)?.[1]);
    };
    const shown = async (headers: Record<string, string>) => {
      const url = `${store.url}/v2/assertions/validation-set/${key.join('/')}?sequence=latest`;
      return Number(/^sequence: (\d+)$/m.exec((await ask(url, { headers })).text)?.[1]);
    };
    const rollout = await store.rollout({
      ...{ fleetId, sequence: { set: 'line', sequence: 2 } },
      waves: [{ selector: { fact: 'tag:part', equals: 'lab' } }, { percent: 100 }],
    });
    // It is drafted before the set is there: nobody sees the new sequence for a moment.
    expect(await newest(device.headers)).toBe(1);
    await addSet('line', 2, [[snap, 2]]);
    expect([await newest(device.headers), await newest(device.headers, 1)]).toEqual([2, 2]);
    expect(await shown(device.headers)).toBe(2);
    for (const headers of [other.headers, {}]) {
      expect(await newest(headers)).toBe(1);
      expect(await shown(headers)).toBe(1);
    }
    expect(await newest(other.headers, 1)).toBeNull();
    expect(await newest(device.headers, 2)).toBeNull();

    await store.on(store.planner, 'abortRollout', rollout);
    await store.settle();
    expect(await newest(device.headers)).toBe(1);
    expect(await newest(device.headers, 2)).toBeNull();
    expect(await newest(other.headers, 2)).toBeNull();
    await addSet('line', 3, [[snap, 2]]);
    for (const { headers } of [device, other]) expect(await newest(headers, 1)).toBe(3);
  });
});

describe('requirements', () => {
  it('U26 the gadget comes before the kernel, which waits for the context to show it; a cycle is rejected', async () => {
    const gadget = await released('first-gadget', [1], { type: 'gadget' });
    const kernel = await released('second-kernel', [1], { type: 'kernel' });
    for (const snap of [gadget, kernel]) {
      await store.wire.revision(snap, 2, { type: snap === gadget ? 'gadget' : 'kernel' });
    }
    const fleetId = await store.fleet('boards', 600);
    const device = await store.device({ fleet: 'boards' }, { model: { model: 'unregistered' } });
    const need = (snap: TestSnap) => [{ snap: snap.name, revision: 2 }];
    const both = { fleetId, revision: 2 };
    await store.rollout({ ...both, snap: gadget.name });
    await store.rollout({ ...both, snap: kernel.name, requires: need(gadget) });
    const pollBoth = async (has: number) => {
      const snaps = [
        { id: gadget.id, revision: has },
        { id: kernel.id, revision: 1 },
      ];
      const { results } = await refresh(store.url, {
        context: snaps.map(contextOf),
        actions: snaps.map(({ id }) => ({ action: 'refresh', 'instance-key': id, 'snap-id': id })),
        headers: { ...device.headers, ...SCHEDULED },
      });
      return results.map(({ snap }) => snap?.revision);
    };
    expect(await pollBoth(1)).toEqual([2, 1]);
    expect((await store.reasons(device.uid, kernel.name))[0]).toMatchObject({
      code: 'WAITS_FOR',
      detail: { snap: gadget.name, have: 1, need: 2 },
    });
    expect(await pollBoth(1)).toEqual([2, 1]);
    expect(await pollBoth(2)).toEqual([2, 2]);
    const elsewhere = await store.fleet('elsewhere', 601);
    const circle = { ...both, fleetId: elsewhere, snap: gadget.name, requires: need(kernel) };
    expect(await store.draft(circle)).toMatchObject({
      __typename: 'Invalid',
      problems: [{ path: 'requires[0]' }],
    });
  });
});

describe('a revision that the store does not know', () => {
  it('U6 is not found for that snap, and the others are answered as ever', async () => {
    const [fresh, old, lost] = [
      await released('fresh', [1]),
      await released('old', [1, 2]),
      await released('lost', [1, 2]),
    ];
    const device = await store.device();
    const ask = (installed: readonly [TestSnap | string, number][]) =>
      refresh(store.url, {
        context: installed.map(([snap, revision]) =>
          contextOf({ id: typeof snap === 'string' ? snap : snap.id, revision }),
        ),
        actions: installed.map(([snap]) => {
          const id = typeof snap === 'string' ? snap : snap.id;
          return { action: 'refresh', 'instance-key': id, 'snap-id': id };
        }),
        headers: { ...device.headers, ...SCHEDULED },
      });
    const shape = ({ result, snap, error }: WireResult) => [result, snap?.revision ?? error?.code];
    // 77 came from another store, -1 is x1: put there by hand.
    for (const unknown of [77, -1]) {
      const { results } = await ask([
        [fresh, 1],
        [lost, unknown],
        [old, 1],
      ]);
      expect(results.map(shape)).toEqual([
        ['refresh', 1],
        ['error', 'revision-not-found'],
        ['refresh', 2],
      ]);
      expect(results[1]).toMatchObject({
        'instance-key': lost.id,
        'snap-id': lost.id,
        name: 'lost',
      });
      expect((await codes(device, lost))[0]).toBe('INSTALLED_UNKNOWN');
    }
    const { results } = await ask([
      [lost, 77],
      ['snapOfAForeignStore0000000000000', 5],
    ]);
    expect(results.map(shape)).toEqual([
      ['error', 'revision-not-found'],
      ['error', 'id-not-found'],
    ]);
  });
});

describe('windows', () => {
  const { UTC } = Date;
  /** The next 13:30 UTC: 22:30 in Tokyo on the same day, 14:30 or 15:30 in Berlin. */
  const now = new Date();
  const noon = UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate(), 13, 30);
  const base = noon > now.getTime() + HOUR ? noon : noon + 24 * HOUR;
  const weekday = ((new Date(base).getUTCDay() + 6) % 7) + 1;

  async function setTime(at: number | null): Promise<void> {
    const { databaseUrls, resources } = store.wire;
    await shiftClock(databaseUrls.owner, at === null ? 0 : at - Date.now());
    const wanted = () => (at === null ? Date.now() : at);
    await vi.waitFor(
      () => expect(Math.abs(resources.db.clock.now().getTime() - wanted())).toBeLessThan(30_000),
      { timeout: 60_000 },
    );
  }

  afterAll(() => setTime(null));

  it('of a fleet and of the brand act on the clock of the device’s wall, else the fleet’s, else the brand’s', async () => {
    const snap = await released('nightly', [1, 2]);
    const night = {
      windows: [{ days: [weekday], from: '22:00', to: '04:00', lastOfferBeforeMinutes: 30 }],
    };
    const bad = { windows: [{ days: [8], from: '22:00', to: '4' }] };
    const refused = await store.act('createFleet', {
      name: 'x',
      priority: 7,
      timezone: 'Mars/Olympus',
      schedule: bad,
    });
    expect(refused.problems?.map(({ path }) => path)).toEqual(['schedule.windows[0]', 'timezone']);
    const fleetId = await store.fleet('night', 300, { timezone: 'Asia/Tokyo', schedule: night });
    const [unplaced, berlin] = [
      await store.device({ fleet: 'night' }),
      await store.device({ fleet: 'night' }),
    ];
    const outside = await store.device();
    const tag = { device: berlin.uid, tags: {}, timezone: 'Europe/Berlin' };
    expect(await store.call('tagDevice', tag)).toMatchObject({ __typename: 'Device' });
    await store.settle();
    const at = async (time: number): Promise<(number | undefined)[]> => {
      await setTime(time);
      return Promise.all([unplaced, berlin, outside].map((device) => offered(device, snap, 1)));
    };
    expect(await at(base - 45 * 60_000)).toEqual([1, 1, 2]);
    await store.wire.services.facts.flush();
    const { decision } = await store.wire.services.decisions.explain(
      store.brand.id,
      unplaced.uid,
      snap.name,
    );
    expect(decision).toMatchObject({
      reasons: [
        { code: 'OUTSIDE_WINDOW', detail: { timezone: 'Asia/Tokyo' } },
        { code: 'TZ_DEFAULTED', detail: { timezone: 'Asia/Tokyo' } },
      ],
      retryHint: base - 30 * 60_000,
    });
    expect(await at(base)).toEqual([2, 1, 2]);
    expect(await at(base + 4.9 * HOUR)).toEqual([2, 1, 2]);
    expect(await at(base + 5.1 * HOUR)).toEqual([1, 1, 2]);
    expect(await at(base + 8 * HOUR)).toEqual([1, 2, 2]);
    // New installations and pins are not kept waiting.
    const news = await install(store.url, { name: snap.name }, unplaced.headers);
    expect(news.snap?.revision).toBe(2);

    await setTime(null);
    const today = new Date(base).toISOString().slice(0, 10);
    const frozen = {
      freezes: [{ from: `${today}T09:00`, until: `${today}T10:00`, reason: 'fair' }],
    };
    const settings = { timezone: 'America/New_York', schedule: frozen };
    const brand = await store.act(
      'setUpdateSettings',
      settings,
      '... on UpdateSettings { timezone schedule { windows { from } freezes { reason } } localOperatorBypass }',
    );
    expect(brand).toMatchObject({
      ...settings,
      schedule: { windows: [], freezes: [{ reason: 'fair' }] },
      localOperatorBypass: 'none',
    });
    await store.call('setFleetSchedule', { fleet: fleetId, input: {} });
    await store.settle();
    // New York is 4 or 5 hours behind UTC, 13:30 there is 8:30 or 9:30 here.
    const isNine = localTime('America/New_York', base)?.text.slice(11, 13) === '09';
    const inFreeze = isNine ? base : base + HOUR;
    expect(await at(inFreeze)).toEqual([1, 2, 1]);
    expect(await at(inFreeze + HOUR)).toEqual([2, 2, 2]);
    await setTime(null);

    const always = {
      freezes: [{ from: '2000-01-01T00:00', until: '2999-01-01T00:00', reason: 'fair' }],
    };
    // Who polled by the timer a moment ago is not taken for a person.
    const someone = await store.device();
    const asked = async (more: object): Promise<WireResult> => {
      await store.act('setUpdateSettings', { schedule: always, ...more });
      await store.settle();
      return poll(store.url, { id: snap.id, revision: 1 }, someone.headers);
    };
    expect((await asked({})).error?.message).toContain('updates are frozen: fair');
    const pierced = await asked({ localOperatorBypass: new Enum('windows') });
    expect(pierced.snap?.revision).toBe(2);
    expect(await offered(outside, snap, 1)).toBe(1);
    await store.act('setUpdateSettings', {});
    await store.settle();
  });
});

describe('nested fields', () => {
  const DOCUMENT = (brand: string) => `
    fleets(brand: "${brand}") { name population }
    rollouts(brand: "${brand}", first: 60) { edges { node { title snap { name lanes { risk } } lane { risk } fleet { name population } waves { no } transitions { seq } } } }
    snaps(brand: "${brand}", first: 60) { edges { node { name revisions { revision } lanes { risk } } } }
    devices(brand: "${brand}", first: 60) { edges { node { uid installed { revision } } } }`;

  it('cost as many statements for 50 rows as for 5: there is no query per row', async () => {
    const count = async (): Promise<number> => {
      const query = vi.spyOn(Client.prototype, 'query');
      const before = query.mock.calls.length;
      await store.planner.ask(DOCUMENT(store.brand.id));
      const statements = query.mock.calls.length - before;
      query.mockRestore();
      return statements;
    };
    await addRows(5);
    await store.settle();
    const few = Math.min(await count(), await count(), await count());
    await addRows(50);
    await store.settle();
    // Timers of the process ask too, now and then: a try without them is the document's own.
    await vi.waitFor(async () => expect(await count()).toBeLessThanOrEqual(few), 30_000);
    const { fleets } = await store.planner.ask<{ fleets: { name: string; population: number }[] }>(
      `fleets(brand: "${store.brand.id}") { name population }`,
    );
    const populations = Object.fromEntries(fleets.map((fleet) => [fleet.name, fleet.population]));
    expect(populations).toMatchObject({ 'asks 1': 1, 'asks 49': 1, 'lists 2': 1, 'lists 48': 0 });
  });

  it.each(['snaps', 'uploads', 'jobs', 'holds', 'pins', 'devices', 'rollouts'])(
    'the list of %s is read page by page, each row once and in one order',
    async (list) => {
      await addRows(10);
      const { brand } = store;
      const key = list === 'devices' ? 'uid' : 'id';
      if (list === 'uploads') await released('paged', [1, 2, 3, 4, 5, 6, 7]);
      const page = async (first: number, after: string | null): Promise<Page> => {
        const answer = await store.planner.ask<Record<string, Page>>(
          `${list}(brand: "${brand.id}", first: ${first}, after: ${JSON.stringify(after)}) {
            edges { node { key: ${key} } } pageInfo { hasNextPage endCursor } }`,
        );
        return answer[list] ?? Promise.reject(new Error('no list'));
      };
      const all = await page(500, null);
      expect(all.pageInfo.hasNextPage).toBe(false);
      expect(all.edges.length).toBeGreaterThan(4);
      const found: Page['edges'][number][] = [];
      for (let after: string | null = null, more = true; more;) {
        const { edges, pageInfo }: Page = await page(3, after);
        found.push(...edges);
        [after, more] = [pageInfo.endCursor, pageInfo.hasNextPage];
      }
      expect(found).toEqual(all.edges);
      await expect(page(3, 'bm9uc2Vuc2Uh')).rejects.toThrow(/cursor/);
    },
  );

  /** So many fleets of either kind, snaps, uploads, devices, rollouts, holds and pins. */
  async function addRows(upTo: number): Promise<void> {
    const { db } = store.wire.resources;
    const { id, storeId } = store.brand;
    const { personId } = store.planner;
    await db.asBrand(id, async (tx) => {
      const range = [id, upTo];
      await tx.query(
        `INSERT INTO store.devices (brand_id, model, serial, device_key_id, tags, serial_authority_id)
         SELECT $1, 'row', 'row-' || n, 'k', jsonb_build_object('row', n::text), $1 FROM generate_series(1, $2) n
         ON CONFLICT DO NOTHING`,
        range,
      );
      await tx.query(
        `INSERT INTO store.fleets (brand_id, name, priority, predicate)
         SELECT $1, 'asks ' || n, 1000 + n, jsonb_build_object('fact', 'tag:row', 'equals', n::text)
         FROM generate_series(1, $2) n UNION ALL
         SELECT $1, 'lists ' || n, 2000 + n, NULL FROM generate_series(1, $2) n ON CONFLICT DO NOTHING`,
        range,
      );
      await tx.query(
        `INSERT INTO store.fleet_members (fleet_id, device_uid, brand_id)
         SELECT f.id, d.uid, $1 FROM store.fleets f JOIN store.devices d ON d.serial = 'row-2' AND d.brand_id = $1
         WHERE f.name = 'lists 2' AND f.brand_id = $1 ON CONFLICT DO NOTHING`,
        [id],
      );
      await tx.query(
        `INSERT INTO store.snaps (id, brand_id, store_id, name, type)
         SELECT 'row' || n, $1, $3, 'row-' || n, 'app' FROM generate_series(1, $2) n ON CONFLICT DO NOTHING`,
        [...range, storeId],
      );
      const devices = await tx.findBy(Device, { brandId: id, model: 'row' });
      const row = { brandId: id, snapId: 'row1', reason: 'row', personId };
      const day = { from: new Date(), until: new Date(Date.now() + 24 * HOUR) };
      const brakes = devices.map(({ uid: deviceUid }) => ({ ...row, deviceUid }));
      await tx.delete(Hold, { reason: 'row' });
      await tx.delete(Pin, { reason: 'row' });
      await tx.insert(
        Hold,
        brakes.map((one) => ({ ...one, ...day, scope: 'device' as const })),
      );
      await tx.insert(
        Pin,
        brakes.map((one) => ({ ...one, revision: 1 })),
      );
      await tx.query(
        `INSERT INTO store.lanes (brand_id, snap_id, track, risk)
         SELECT $1, 'row' || n, 'latest', 'stable' FROM generate_series(1, $2) n ON CONFLICT DO NOTHING`,
        range,
      );
      await tx.query(
        `INSERT INTO store.rollouts (brand_id, snap_id, lane_id, fleet_id, name, salt, plan, plan_hash, author_id, last_editor_id)
         SELECT $1, l.snap_id, l.id, f.id, 'row', decode(repeat('00', 16), 'hex'), '{}', '', $2, $2
         FROM store.lanes l JOIN store.fleets f ON f.name = 'asks ' || substr(l.snap_id, 4) AND f.brand_id = $1
         WHERE l.snap_id LIKE 'row%' AND NOT EXISTS (SELECT 1 FROM store.rollouts r WHERE r.lane_id = l.id)`,
        [id, personId],
      );
    });
  }
});
