import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BrandEvent } from '#libs/database';
import { timestamp } from '#libs/operations';
import { ask } from '../../tools/clients/http.js';
import type { TestSnap } from '../device/support/device-store.js';
import {
  SCHEDULED,
  contextOf,
  install,
  refresh,
  type WireResult,
} from '../device/support/refreshing.js';
import { Enum } from './support/admin-store.js';
import { SteeredStore, type SteeredDevice } from './support/steered-store.js';

let store: SteeredStore;

beforeAll(async () => {
  store = await SteeredStore.start();
});
afterAll(() => store?.stop());

describe('floors', () => {
  const channel = 'latest/stable';
  const floor = (snap: TestSnap, revision: number, more: object = {}) =>
    store.act(
      'setFloor',
      { snap: snap.name, channel, revision, reason: 'migrates the data', ...more },
      '... on Floor { id revision reason }',
    );

  it('U25 a device at 5 gets 10, 20, 25 in three polls, and a floor cannot be yanked while live', async () => {
    const snap = await store.released('stairs', [5, 10, 20, 25]);
    await store.wire.revision(snap, 30);
    const device = await store.device({ fleet: 'stairs' });
    expect(await floor(snap, 10)).toMatchObject({ __typename: 'Floor', revision: 10 });
    const second = await floor(snap, 20);
    await store.settle();
    const way = [5];
    for (let n = 0; n < 4; n += 1)
      way.push((await store.offered(device, snap, way.at(-1) ?? 0)) ?? 0);
    expect(way).toEqual([5, 10, 20, 25, 25]);
    expect(await store.codes(device, snap)).not.toContain('VIA_FLOOR');
    await store.polled(device, snap, 10);
    expect((await store.codes(device, snap))[0]).toBe('VIA_FLOOR');

    // Another one, since a device that goes back unasked has reverted, and is left alone (U74).
    const behind = await store.device({ fleet: 'stairs' });
    const fleetId = await store.fleet('stairs', 100);
    const rollout = await store.rollout({ fleetId, snap: snap.name, revision: 30 });
    expect(await store.offered(device, snap, 25)).toBe(30);
    expect(await store.offered(behind, snap, 10)).toBe(20);
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
    expect(await store.offered(behind, snap, 10)).toBe(20);
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
    expect(await store.offered(behind, snap, 10)).toBe(25);
  });

  it('a floor is a revision that was on the lane, is named once, and is shown until it is lifted', async () => {
    const snap = await store.released('steps', [1, 2]);
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
    const own = await store.released('acme-kernel', [1, 2], { type: 'kernel' });
    const foreign = await store.released('other-kernel', [1, 2], { type: 'kernel' });
    const base = await store.released('acme-base', [1, 2], { type: 'base' });
    const tool = await store.released('tool', [1]);
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

    expect(await store.offered(device, tool, 1)).toBe(1);
    for (const allowed of [other, desk]) expect(await store.offered(allowed, tool, 1)).toBe(2);
    expect(await store.offered(device, own, 1)).toBe(2);
    await register('desk', 1, plain);
    await register('gateway', 1, { ...plain, kernel: foreign.name });
    expect(await store.offered(desk, tool, 1)).toBe(1);
    const [first] = (await store.reasons(desk.uid, tool.name)).filter(
      ({ code }) => code === 'MODEL_FORBIDS',
    );
    expect(first?.detail).toMatchObject({ model: 'desk', revision: 2, confinement: 'classic' });
    expect((await store.polled(device, own, 1)).error?.code).toBe('revision-not-found');
    expect((await store.codes(device, own))[0]).toBe('MODEL_FORBIDS');
    const news = await install(store.url, { name: foreign.name }, device.headers);
    expect(news.snap?.revision).toBe(2);
  });

  it('a kernel, gadget or base that the model does not name is not there for its devices', async () => {
    const kernel = await store.released('board-kernel', [1], { type: 'kernel' });
    const gadget = await store.released('board-gadget', [1], { type: 'gadget' });
    const base = await store.released('board-base', [1], { type: 'base' });
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
    const snap = await store.released('regret', [1, 2]);
    const [has, had] = [await store.device(), await store.device()];
    const offer = await store.polled(had, snap, 1);
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

    expect(await store.offered(had, snap, 1)).toBe(1);
    expect(await store.offered(has, snap, 2)).toBe(2);
    expect((await store.codes(had, snap)).slice(0, 2)).toContain('YANKED');
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

describe('requirements', () => {
  it('U26 the gadget comes before the kernel, which waits for the context to show it; a cycle is rejected', async () => {
    const gadget = await store.released('first-gadget', [1], { type: 'gadget' });
    const kernel = await store.released('second-kernel', [1], { type: 'kernel' });
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
      await store.released('fresh', [1]),
      await store.released('old', [1, 2]),
      await store.released('lost', [1, 2]),
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
      expect((await store.codes(device, lost))[0]).toBe('INSTALLED_UNKNOWN');
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

describe('quotas', () => {
  const near = (): Promise<BrandEvent[]> =>
    store.wire.resources.db.asSystem((tx) =>
      tx.findBy(BrandEvent, { brandId: store.brand.id, kind: 'quota-near' }),
    );
  const sql = (text: string, ...values: unknown[]): Promise<unknown> =>
    store.wire.resources.db.asSystem((tx) => tx.query(text, [store.brand.id, ...values]));
  /** As rows, because nobody makes so many by hand; they are on no device. */
  const fill = async (until: number): Promise<void> => {
    await sql(
      `INSERT INTO store.fleets (brand_id, name, priority)
       SELECT $1, 'quota-' || n, 100000 + n FROM generate_series(
         1 + (SELECT count(*) FROM store.fleets WHERE brand_id = $1), $2::int) AS n`,
      until,
    );
  };
  let fleets = 0;
  const create = () => {
    fleets += 1;
    const order = { name: `one-more-${fleets}`, priority: 200_000 + fleets };
    return store.act('createFleet', order, '... on Fleet { id }');
  };

  it('a brand is told when nine tenths of a quota are used, once each time, and refused beyond all of it', async () => {
    await fill(1_798);
    const told = { used: 1_800, most: 2_000, quota: 'fleets' };
    expect(await create()).toMatchObject({ __typename: 'Fleet' });
    expect(await near()).toEqual([]);
    expect(await create()).toMatchObject({ __typename: 'Fleet' });
    expect(await create()).toMatchObject({ __typename: 'Fleet' });
    expect(await near()).toMatchObject([{ subject: 'quota:fleets', detail: told }]);
    await sql(`DELETE FROM store.fleets WHERE brand_id = $1 AND name LIKE 'one-more-%'`);
    for (let n = 0; n < 3; n += 1) await create();
    expect(await near()).toHaveLength(2);
    await fill(2_000);
    expect(await create()).toMatchObject({
      __typename: 'Conflict',
      message: 'cannot have more than 2000 fleets in a brand',
    });
    await sql(
      `DELETE FROM store.fleets WHERE brand_id = $1 AND (name LIKE 'one-more-%' OR name LIKE 'quota-%')`,
    );
  });
});
