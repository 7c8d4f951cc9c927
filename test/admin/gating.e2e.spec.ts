import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keepAssertion, timestamp } from '#libs/operations';
import { ask } from '../../tools/clients/http.js';
import type { TestSnap } from '../device/support/device-store.js';
import { SCHEDULED, contextOf, refresh } from '../device/support/refreshing.js';
import { Enum } from './support/admin-store.js';
import { SteeredStore } from './support/steered-store.js';

let store: SteeredStore;

beforeAll(async () => {
  store = await SteeredStore.start();
});
afterAll(() => store?.stop());

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

describe('refresh control', () => {
  it('a snap that gates another keeps it back until it validated the revision, and again when it takes that back', async () => {
    const gated = await store.released('gated', [1, 2]);
    const gate = await store.released('gate', [1]);
    const device = await store.device();
    const besides = [{ snap: gate, revision: 1 }];
    expect(await store.offered(device, gated, 1, besides)).toBe(2);
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
    expect(await store.offered(device, gated, 1, besides)).toBe(1);
    expect(await store.reasons(device.uid, gated.name)).toContainEqual({
      code: 'NOT_VALIDATED_BY',
      detail: { gating: 'gate', revision: 2 },
    });
    expect(await store.offered(device, gated, 1)).toBe(2);
    expect(await store.offered(device, gated, 1, besides, { 'ignore-validation': true })).toBe(2);

    const validate = (revision: number, more: object = {}) =>
      addAssertion('validation', {
        ...(revision > 0 && { revision: String(revision) }),
        'snap-id': gate.id,
        'approved-snap-id': gated.id,
        'approved-snap-revision': '2',
        ...more,
      });
    await validate(0);
    expect(await store.offered(device, gated, 1, besides)).toBe(2);
    await validate(1, { revoked: 'true' });
    expect(await store.offered(device, gated, 1, besides)).toBe(1);
  });
});

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
    const snap = await store.released('member', [1, 2]);
    for (const revision of [3, 4]) await store.wire.revision(snap, revision);
    const loose = await store.released('loose', [1, 2]);
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
    for (const device of [first, second, third])
      expect(await store.offered(device, snap, 2)).toBe(2);

    const enforced = { 'validation-sets': [keyOf('plant', 1)] };
    for (const device of [first, second])
      expect(await store.offered(device, snap, 2, [], enforced)).toBe(3);
    expect((await store.reasons(first.uid, snap.name))[0]).toMatchObject({
      code: 'VSET_REQUIRED',
      detail: { revision: 3 },
    });
    // The set names the other snap without a revision.
    expect(await store.offered(first, loose, 1, [], enforced)).toBe(2);
    expect(await store.offered(first, snap, 2, [], enforced)).toBe(3);
    // Also where the device says so in its context, and never when its user ignores validation.
    const { results } = await refresh(store.url, {
      context: [{ ...contextOf({ id: snap.id, revision: 2 }), ...enforced }],
      actions: [{ action: 'refresh', 'instance-key': snap.id, 'snap-id': snap.id }],
      headers: { ...second.headers, ...SCHEDULED },
    });
    expect(results[0]?.snap?.revision).toBe(3);
    const ignoring = { ...enforced, 'ignore-validation': true };
    expect(await store.offered(second, snap, 2, [], ignoring)).toBe(2);
    expect(await store.offered(second, snap, 2, [], enforced)).toBe(3);
    // A revision that is higher than the set's is no reason to leave it.
    expect(await store.offered(second, snap, 4, [], enforced)).toBe(3);
    expect(await store.offered(second, snap, 2, [], enforced)).toBe(3);

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
    expect(await store.offered(third, snap, 2, [], enforced)).toBe(3);
    await store.wire.services.facts.flush();
    expect(await store.on(store.planner, 'submitRollout', early)).toMatchObject({
      __typename: 'Invalid',
      problems: [{ path: 'snap', message: expect.stringContaining('pins on 1 devices') as string }],
    });

    const stop = { scope: new Enum('revision'), snap: snap.name, revision: 3, level: 1 };
    await store.act('stop', { ...stop, reason: 'it bricks' });
    await store.settle();
    expect((await store.polled(first, snap, 2, [], enforced)).error?.code).toBe(
      'revision-not-found',
    );
    expect(await store.offered(first, snap, 3, [], enforced)).toBe(3);
  });

  it('U30 a sequence goes to the devices that its rollout admits, and never back, also after an abort', async () => {
    const snap = await store.released('sequenced', [1, 2]);
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
