import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Rollout, RolloutTransition } from '#libs/database';
import { Enum, literal, type RolloutAnswer } from '../admin/support/admin-store.js';
import { HOUR, SMALL, SignalStore } from './support/signal-store.js';
import type { WalkingDevice } from './support/walking-device.js';

/** Days of a fleet pass in one test, on a machine that may be busy. */
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

let store: SignalStore;

beforeAll(async () => {
  store = await SignalStore.start();
});
afterAll(() => store?.stop());

const everybody = [{ percent: 100, soakSeconds: 3_600, health: SMALL }];

/** Drafts, submits and approves what takes a rollout back, and lets it start. */
async function rollBack({ id }: { id: string }, waves?: readonly object[]): Promise<RolloutAnswer> {
  // The wave is frozen on what devices said last.
  await store.flush();
  const child = await draft(id, waves);
  const { steered } = store;
  const { planHash, ...submitted } = await steered.on(steered.planner, 'submitRollout', child);
  expect(submitted.state).toBe('PENDING_APPROVAL');
  expect(
    await steered.on(steered.planner, 'approveRollout', child, `planHash: "${planHash}"`),
  ).toMatchObject({ __typename: 'Forbidden' });
  await steered.on(steered.approver, 'approveRollout', child, `planHash: "${planHash}"`);
  await steered.tick(child);
  return child;
}

function draft(id: string, waves: readonly object[] = everybody): Promise<RolloutAnswer> {
  const { brand, planner } = store.steered;
  const args = `brand: "${brand.id}", id: "${id}", reason: "black screens", waves: ${literal(waves)}`;
  return planner.rollout(`rollbackRollout(${args})`);
}

/** Everybody of the fleet polls and takes what comes, and polls again until it is confirmed and was heard of after its soak. */
async function rounds(devices: readonly WalkingDevice[], rollout: { id: string }): Promise<void> {
  for (const device of devices) await device.update();
  for (let polls = 0; polls < 2; polls += 1) {
    await store.pass(7 * HOUR);
    for (const device of devices) await device.poll();
  }
  await store.judge(rollout);
  await store.judge(rollout);
}

it('U94 a rollback leads each device to its own last good revision; those that never had the bad one stay, the impossible ones are listed', async () => {
  const { fleetId, devices } = await store.fleet({ amd64: 8 });
  const { steered } = store;
  // Revision 2 has been good on all; then 3 comes to half of them.
  const good = await store.rollout(fleetId, everybody, { promote: new Enum('none') });
  await rounds(devices.slice(0, 4), good);
  expect(devices.map(({ revision }) => revision)).toEqual([2, 2, 2, 2, 1, 1, 1, 1]);
  await steered.on(steered.planner, 'abortRollout', good);
  const half = [{ percent: 100, soakSeconds: 3_600, health: SMALL }];
  const bad = await store.rollout(fleetId, half, { revision: 3 });
  const [known, newcomer, stuck] = [devices[0], devices[4], devices[5]] as WalkingDevice[];
  if (!known || !newcomer || !stuck) throw new Error('no devices');
  const moved = [known, newcomer, stuck];
  for (const device of moved) await device.update();
  expect(moved.map(({ revision }) => revision)).toEqual([3, 3, 3]);
  // Its data is written so that no earlier revision reads it.
  stuck.epoch = { read: [1], write: [1] };
  await stuck.poll();
  await store.flush();
  const others = devices.filter((device) => !moved.includes(device));

  const child = await draft(bad.id);
  expect(child).toMatchObject({ __typename: 'Rollout', state: 'DRAFT' });
  expect((await store.row(bad)).state).toBe('PAUSED');
  const submitted = await steered.on(steered.planner, 'submitRollout', child);
  const { rollout } = await steered.planner.ask<{
    rollout: {
      parentId: string;
      plan: object;
      preview: { notes: string[]; sheets: { impossible: number }[] };
    };
  }>(
    `rollout(brand: "${steered.brand.id}", id: "${child.id}") { parentId plan preview { notes sheets { impossible } } }`,
  );
  expect(rollout).toMatchObject({
    parentId: bad.id,
    plan: { isRollback: true, replaces: { all: 3 }, target: { revisions: { all: 1 } } },
  });
  const { preview } = rollout;
  expect(preview.notes[0]).toMatch(/^data is carried forward, not restored/);
  expect(preview.notes[1]).toMatch(/^1 devices cannot go back/);
  expect(preview.sheets[0]?.impossible).toBe(1);
  const hash = `planHash: "${submitted.planHash}"`;
  await steered.on(steered.approver, 'approveRollout', child, hash);
  await steered.tick(child);
  expect((await store.row(bad)).state).toBe('ROLLING_BACK');
  const before = others.map(({ revision }) => revision);
  await rounds(devices, child);
  // Each to its own: the first was confirmed on 2, the second only ever had the channel's 1, the third cannot.
  expect(moved.map(({ revision }) => revision)).toEqual([2, 1, 3]);
  expect(others.map(({ revision }) => revision)).toEqual(before);
  for (const device of others) expect(await store.step(child, device)).toBeNull();
  expect(await store.step(child, known)).toBe('CONFIRMED');
  await steered.settle();
  await store.judge(child);
  expect((await store.row(child)).state).toBe('COMPLETED');
  expect((await store.row(bad)).state).toBe('ROLLED_BACK');
});

it('U95 a rollback of the rollback and a stop during it end in a defined state', async () => {
  const { fleetId, devices } = await store.fleet({ amd64: 6 });
  const { steered } = store;
  const forth = await store.rollout(fleetId, everybody);
  for (const device of devices) await device.update();
  const back = await rollBack(forth);
  expect((await store.row(forth)).state).toBe('ROLLING_BACK');
  await devices[0]?.update();
  expect(devices[0]?.revision).toBe(1);

  const stop = await steered.act(
    'stop',
    { scope: new Enum('rollout'), rolloutId: back.id, level: 1, reason: 'wait' },
    '... on EmergencyStop { id }',
  );
  await steered.tick(back);
  expect((await store.row(back)).state).toBe('PAUSED');
  expect((await store.row(forth)).state).toBe('ROLLING_BACK');
  expect(await devices[1]?.poll()).toBe(2);
  await steered.call(
    'liftStop',
    { id: stop.id, reason: 'looked' },
    '... on EmergencyStop { id }',
    steered.approver,
  );

  const again = await rollBack(back);
  expect((await store.row(back)).state).toBe('ROLLING_BACK');
  // Those that had gone back come forth again; the others have never been anywhere else.
  await rounds(devices, again);
  expect(devices.map(({ revision }) => revision)).toEqual([2, 2, 2, 2, 2, 2]);
  await steered.settle();
  await store.judge(again);
  const states = [];
  for (const rollout of [forth, back, again]) states.push((await store.row(rollout)).state);
  expect(states).toEqual(['ABORTED', 'ROLLED_BACK', 'COMPLETED']);
});

it('a later wave of a rollback counts those, too, that the earlier ones have led back', async () => {
  const { fleetId, devices } = await store.fleet({ amd64: 6 });
  const forth = await store.rollout(fleetId, everybody);
  for (const device of devices) await device.update();
  const half = { percent: 50, soakSeconds: 3_600, health: SMALL };
  const back = await rollBack(forth, [half, { ...half, percent: 100 }]);
  await rounds(devices, back);
  expect(await store.waves(back)).toMatchObject([
    { state: 'PASSED', population: 6, k: 3 },
    { state: 'OPEN', population: 6, k: 6 },
  ]);
});

it('a rollback that nobody needs ends by its time; a rollout to an empty fleet waits, and says for whom', async () => {
  const { fleetId } = await store.fleet({ amd64: 2 });
  const unseen = await store.rollout(fleetId, everybody);
  const back = await rollBack(unseen, [{ ...everybody[0], soakSeconds: 600 }]);
  expect(await store.waves(back)).toMatchObject([{ state: 'OPEN', k: 0 }]);
  await store.pass(HOUR / 4);
  expect((await store.judge(back)).state).toMatch(/^COMPLET/);
  await store.judge(back);
  expect((await store.row(unseen)).state).toBe('ROLLED_BACK');

  const { fleetId: nobody } = await store.fleet({});
  const waiting = await store.rollout(nobody, everybody);
  await store.pass(HOUR / 4);
  expect((await store.judge(waiting)).state).toBe('ACTIVE');
  expect((await store.countsRow(waiting.id)).judged).toMatchObject({
    verdict: 'OPEN',
    cause: expect.stringMatching(/^health: the wave admits nobody yet/) as string,
  });
});

describe('a plan that says onFail: rollback', () => {
  const asApproved = { onFail: new Enum('rollback') };

  /** Two of the fleet install it, the others fail; a scheduled poll later the gates are asked. */
  async function failed(
    fleetId: string,
    devices: readonly WalkingDevice[],
    more: object = {},
  ): Promise<{ rollout: RolloutAnswer; cause: string }> {
    const rollout = await store.rollout(fleetId, everybody, { ...asApproved, ...more });
    for (const [index, device] of devices.entries())
      await (index < 2 ? device.update() : device.fail());
    await store.pass(6 * HOUR);
    for (const device of devices) await device.poll();
    const { rev } = await store.judge(rollout);
    const { cause } = await store.db((tx) =>
      tx.findOneByOrFail(RolloutTransition, { rolloutId: rollout.id, seq: rev }),
    );
    return { rollout, cause };
  }

  it('leads the devices back when a wave fails, without another approval', async () => {
    const { fleetId, devices } = await store.fleet({ amd64: 5 });
    const { rollout, cause } = await failed(fleetId, devices);
    expect(cause).toMatch(/^wave 1 failed: health on amd64: failures/);
    const child = await store.db((tx) => tx.findOneByOrFail(Rollout, { parentId: rollout.id }));
    expect(child).toMatchObject({
      state: 'SCHEDULED',
      plan: { isRollback: true, onFail: 'pause' },
    });
    await store.steered.tick(child);
    expect((await store.row(rollout)).state).toBe('ROLLING_BACK');
    expect((await store.row(child)).state).toBe('ACTIVE');
    expect(devices.map(({ revision }) => revision)).toEqual([2, 2, 1, 1, 1]);
    for (const device of devices) await device.update();
    expect(devices.map(({ revision }) => revision)).toEqual([1, 1, 1, 1, 1]);
  });

  it('pauses and says why when there is nothing to go back to', async () => {
    const { fleetId, devices } = await store.fleet({ amd64: 5 });
    for (const device of devices) {
      device.channel = 'latest/edge';
      await device.poll();
    }
    const { rollout, cause } = await failed(fleetId, devices, { channel: 'latest/edge' });
    expect(cause).toMatch(
      /^wave 1 failed: .*; cannot roll back: nothing was on the channel before/,
    );
    expect((await store.row(rollout)).state).toBe('PAUSED');
  });
});
