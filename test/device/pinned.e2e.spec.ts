import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { shiftClock } from '#libs/database';
import { keepAssertion, timestamp } from '#libs/operations';
import { decodeAssertion, header } from '#libs/assertions';
import { ask } from '../../tools/clients/http.js';
import { DeviceStore, type TestBrand, type TestSnap } from './support/device-store.js';
import {
  contextOf,
  install,
  poll,
  postRefresh,
  refresh,
  sessionHeader,
  SCHEDULED,
} from './support/refreshing.js';
import { makeDevice } from './support/test-device.js';

let store: DeviceStore;
let acme: TestBrand;
let hub: TestSnap;
let gate: TestSnap;
let secret: TestSnap;
const sessions: Record<string, string>[] = [];

const DAY = 86_400_000;
const keyOf = (name: string, sequence: number): string[] => ['16', acme.id, name, String(sequence)];

async function validationSet(
  name: string,
  sequence: number,
  pinned: readonly (readonly [TestSnap, number | null])[],
): Promise<void> {
  const headers = {
    'authority-id': acme.id,
    timestamp: timestamp(new Date()),
    series: '16',
    'account-id': acme.id,
    name,
    sequence: String(sequence),
    snaps: pinned.map(([snap, revision]) => ({
      name: snap.name,
      id: snap.id,
      presence: 'required',
      ...(revision !== null && { revision: String(revision) }),
    })),
  };
  const assertion = await store.sign({ type: 'validation-set', headers }, acme.signer);
  await store.resources.db.asSystem((tx) => keepAssertion(tx, assertion));
}

beforeAll(async () => {
  store = await DeviceStore.start();
  acme = await store.brand('acme');
  hub = await store.snap(acme, 'acme-hub');
  for (const revision of [1, 2, 3, 4]) await store.revision(hub, revision);
  for (const revision of [1, 2, 3]) await store.release(hub, revision);
  await store.release(hub, 4, 'latest/edge');
  gate = await store.snap(acme, 'acme-gate');
  await store.revision(gate, 1);
  await store.release(gate, 1);
  secret = await store.snap(acme, 'acme-secret', { isProtected: true });
  await store.revision(secret, 1);
  await store.release(secret, 1);
  await store.compile(acme);
  for (let i = 0; i < 2; i += 1) {
    const device = await makeDevice(store, acme);
    await device.openSession();
    sessions.push(sessionHeader(device.session));
  }
});
afterAll(() => store.stop());

describe('validation sets', () => {
  beforeAll(async () => {
    await validationSet('fleet', 1, [[hub, 2]]);
    await validationSet('fleet', 2, [[hub, 4]]);
    await validationSet('fleet', 3, [[hub, 99]]);
    await validationSet('other', 1, [[gate, 1]]);
    await validationSet('loose', 1, [[hub, null]]);
  });

  it('D34 the sets of an action pin the revision that they demand', async () => {
    for (const headers of [...sessions, {}]) {
      const pinned = async (name: string, sequence: number, more = {}) =>
        (
          await poll(store.url, { id: hub.id, revision: 1 }, headers, {
            'validation-sets': [keyOf(name, sequence)],
            ...more,
          })
        ).snap?.revision;
      expect((await poll(store.url, { id: hub.id, revision: 1 }, headers)).snap?.revision).toBe(3);
      // An older one than the channel's, and one that its channel does not have.
      expect([await pinned('fleet', 1), await pinned('fleet', 2)]).toEqual([2, 4]);
      // Another set before it, which says nothing of this snap; one that is not there; a user who said no.
      const both = { 'validation-sets': [keyOf('other', 1), keyOf('fleet', 1)] };
      expect(await pinned('fleet', 1, both)).toBe(2);
      // One that wants the snap in whatever revision, alone and before another.
      expect(await pinned('loose', 1)).toBe(3);
      const loose = { 'validation-sets': [keyOf('loose', 1), keyOf('fleet', 1)] };
      expect(await pinned('fleet', 1, loose)).toBe(2);
      expect(await pinned('nowhere', 1)).toBe(3);
      expect(await pinned('fleet', 1, { 'ignore-validation': true })).toBe(3);
      for (const action of ['install', 'download']) {
        const asked = { action, name: hub.name, 'validation-sets': [keyOf('fleet', 1)] };
        expect((await install(store.url, asked, headers)).snap?.revision).toBe(2);
      }
    }
  });

  it('D34 what a set demands and nobody has is not replaced by something else', async () => {
    const sets = { 'validation-sets': [keyOf('fleet', 3)] };
    const result = await poll(store.url, { id: hub.id, revision: 1 }, sessions[0], sets);
    expect([result.result, result.error?.code]).toEqual(['error', 'revision-not-found']);
    const held = await poll(store.url, { id: hub.id, revision: 2 }, sessions[0], {
      'validation-sets': [keyOf('fleet', 1)],
    });
    expect([held.result, held.snap?.revision]).toEqual(['refresh', 2]);
  });

  it('D34 each action has its own sets', async () => {
    const action = (snap: TestSnap, sets: string[][]) => ({
      action: 'refresh',
      'instance-key': snap.id,
      'snap-id': snap.id,
      'validation-sets': sets,
    });
    const { results } = await refresh(store.url, {
      context: [contextOf({ id: hub.id, revision: 1 }), contextOf({ id: gate.id, revision: 1 })],
      actions: [action(gate, [keyOf('other', 1)]), action(hub, [keyOf('fleet', 2)])],
    });
    expect(results.map(({ snap }) => snap?.revision)).toEqual([1, 4]);
  });
});

describe('cohorts', () => {
  /** As snapd sends it: JSON that does not say so, and an empty `Accept`. */
  const create = (body: unknown, headers: Record<string, string> = {}) =>
    ask(`${store.url}/v2/cohorts`, {
      method: 'POST',
      headers: { accept: '', 'snap-device-architecture': 'amd64', ...headers },
      body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
    });
  const keysOf = async (...snaps: string[]): Promise<Record<string, string>> =>
    (await create({ snaps })).json<{ 'cohort-keys': Record<string, string> }>()['cohort-keys'];
  const revisionFor = async (key: string, headers?: Record<string, string>) =>
    (await poll(store.url, { id: hub.id, revision: 1 }, headers, { 'cohort-key': key })).snap
      ?.revision;

  it('D88 keys come for a body without Content-Type, one per name; an unknown snap is 404', async () => {
    const answer = await create({ snaps: ['acme-hub', 'acme-gate'] });
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/json']);
    const { 'cohort-keys': keys } = answer.json<{ 'cohort-keys': Record<string, string> }>();
    expect(Object.keys(keys).sort()).toEqual(['acme-gate', 'acme-hub']);
    expect(keys['acme-gate']).not.toBe(keys['acme-hub']);
    for (const key of Object.values(keys)) expect(key).toMatch(/^[!-~]{10,4096}$/);
    const missing = await create({ snaps: ['acme-hub', 'no-such-snap'] });
    expect([missing.status, missing.headers.get('content-type')]).toEqual([
      404,
      'application/json',
    ]);
    expect(missing.json()).toMatchObject({ 'error-list': [{ code: 'not-found' }] });
  });

  it('a snap that the caller does not see is as absent as one that never was', async () => {
    const unseen = await create({ snaps: ['acme-secret'] });
    const never = await create({ snaps: ['acme-secreX'] });
    expect([unseen.status, unseen.text]).toEqual([404, never.text.replace('secreX', 'secret')]);
    expect((await create({ snaps: ['acme-secret'] }, sessions[0])).status).toBe(200);
  });

  it('what is no request for cohorts is refused with 400', async () => {
    for (const body of [
      '',
      '{',
      '[]',
      '{}',
      '{"snaps":[]}',
      '{"snaps":"acme-hub"}',
      '{"snaps":[1]}',
    ])
      expect([body, (await create(body)).status]).toEqual([body, 400]);
  });

  it('D35 a key pins the revision for every device, whatever is released later', async () => {
    const { 'acme-hub': before = '' } = await keysOf('acme-hub');
    await store.revision(hub, 5);
    await store.release(hub, 5);
    await store.compile(acme);
    const { 'acme-hub': after = '' } = await keysOf('acme-hub');
    for (const headers of [...sessions, {}]) {
      expect([await revisionFor(before, headers), await revisionFor(after, headers)]).toEqual([
        3, 5,
      ]);
      expect((await poll(store.url, { id: hub.id, revision: 1 }, headers)).snap?.revision).toBe(5);
      const fresh = await install(store.url, { name: hub.name, 'cohort-key': before }, headers);
      expect(fresh.snap?.revision).toBe(3);
      const there = await poll(store.url, { id: hub.id, revision: 3 }, headers, {
        'cohort-key': before,
      });
      expect([there.result, there.snap?.revision]).toEqual(['refresh', 3]);
    }
    // Newer clients say it in the action, older ones refresh all with nothing but the context; to leave, the channel is named.
    const member = { ...contextOf({ id: hub.id, revision: 1 }), 'cohort-key': before };
    for (const [more, revision] of [
      [{}, 3],
      [{ channel: 'latest/stable', 'cohort-key': before }, 3],
      [{ channel: 'latest/stable' }, 5],
    ] as const) {
      const action = { action: 'refresh', 'instance-key': hub.id, 'snap-id': hub.id, ...more };
      const { results } = await refresh(store.url, { context: [member], actions: [action] });
      expect(results[0]?.snap?.revision).toBe(revision);
    }
    // The revision that is named decides, and so does a set.
    const named = { 'cohort-key': before, revision: 2 };
    expect((await poll(store.url, { id: hub.id, revision: 1 }, {}, named)).snap?.revision).toBe(2);
  });

  it('D35 an invalid key is an error result for its snap alone, never a 500', async () => {
    const { 'acme-hub': key = '', 'acme-gate': foreign = '' } = await keysOf(
      'acme-hub',
      'acme-gate',
    );
    const other = key.replace(/\d(?=\.[^.]*$)/, (digit) => (digit === '1' ? '2' : '1'));
    for (const bad of [foreign, other, key.slice(0, -3), 'MSBLcTJtVmJUOXhM', ' '])
      for (const action of ['refresh', 'install', 'download'] as const) {
        const named = action === 'refresh' ? { 'snap-id': hub.id } : { name: hub.name };
        const plain = action === 'refresh' ? { 'snap-id': gate.id } : { name: gate.name };
        const answer = await postRefresh(store.url, {
          context: [
            contextOf({ id: hub.id, revision: 1 }),
            contextOf({ id: gate.id, revision: 1 }),
          ],
          actions: [
            { action, 'instance-key': hub.id, ...named, 'cohort-key': bad },
            { action, 'instance-key': gate.id, ...plain },
          ],
        });
        expect(answer.status).toBe(200);
        expect(answer.json()).toMatchObject({
          results: [
            { result: 'error', name: hub.name, error: { code: 'invalid-cohort-key' } },
            { result: action, snap: { revision: 1 } },
          ],
        });
      }
  });

  it('who asks people why is told of the cohort, and after 90 days it counts no more', async () => {
    const { 'acme-hub': key = '' } = await keysOf('acme-hub');
    await store.revision(hub, 6);
    await store.release(hub, 6);
    await store.compile(acme);
    const device = await makeDevice(store, acme);
    await device.openSession();
    const member = { ...contextOf({ id: hub.id, revision: 1 }), 'cohort-key': key };
    const action = { action: 'refresh', 'instance-key': hub.id, 'snap-id': hub.id };
    const asked = async () =>
      (
        await refresh(store.url, {
          context: [member],
          actions: [{ ...action, 'cohort-key': key }],
          headers: { ...sessionHeader(device.session), ...SCHEDULED },
        })
      ).results[0]?.snap?.revision;
    expect(await asked()).toBe(5);
    await store.services.facts.flush();
    const [row] = await store.resources.db.asSystem((tx) =>
      tx.query<{ uid: string }[]>('SELECT uid FROM store.devices WHERE serial = $1', [
        header(device.serial ?? decodeAssertion(Buffer.alloc(0)), 'serial'),
      ]),
    );
    const explained = await store.services.explanations.explain(acme.id, row?.uid ?? '', hub.name);
    expect(explained.decision).toMatchObject({ revision: 5, reasons: [{ code: 'COHORT' }] });
    const leap = async (days: number) => {
      await shiftClock(store.databaseUrls.owner, days * DAY);
      const { clock } = store.resources.db;
      await expect.poll(() => Math.round(clock.aheadMs / DAY), { timeout: 60_000 }).toBe(days);
    };
    try {
      await leap(89);
      await expect.poll(() => revisionFor(key), { timeout: 60_000 }).toBe(5);
      await leap(91);
      await expect.poll(() => revisionFor(key), { timeout: 60_000 }).toBe(6);
    } finally {
      await leap(0);
    }
  });
});

describe('refresh control', () => {
  const validation = async (revision: number, more: Record<string, string> = {}) => {
    const headers = {
      'authority-id': acme.id,
      series: '16',
      'snap-id': gate.id,
      'approved-snap-id': hub.id,
      'approved-snap-revision': String(revision),
      timestamp: timestamp(new Date()),
      ...more,
    };
    const assertion = await store.sign({ type: 'validation', headers }, acme.signer);
    await store.resources.db.asSystem((tx) => keepAssertion(tx, assertion, hub.id));
    await store.compile(acme);
  };
  const fetched = (revision: number) =>
    ask(`${store.url}/v2/assertions/validation/16/${gate.id}/${hub.id}/${revision}?max-format=0`, {
      headers: { accept: 'application/x.ubuntu.assertion' },
    });
  const offered = async (gates: readonly TestSnap[]) => {
    const { results } = await refresh(store.url, {
      context: [hub, ...gates].map(({ id }) => contextOf({ id, revision: 1 })),
      actions: [{ action: 'refresh', 'instance-key': hub.id, 'snap-id': hub.id }],
      headers: SCHEDULED,
    });
    return [results[0]?.result, results[0]?.snap?.revision];
  };

  it('D57 a missing validation is a clean 404 and keeps the revision back, a revoked one as well', async () => {
    const headers = {
      'authority-id': store.operatorAccountId,
      series: '16',
      'snap-id': gate.id,
      'snap-name': gate.name,
      'publisher-id': acme.id,
      'refresh-control': [hub.id],
      revision: '1',
      timestamp: timestamp(new Date()),
    };
    const declaration = await store.signAsStore({ type: 'snap-declaration', headers });
    await store.resources.db.asSystem((tx) => keepAssertion(tx, declaration, gate.id));
    await store.revision(hub, 7);
    await store.release(hub, 7);
    await store.compile(acme);

    const missing = await fetched(7);
    // The type must be exactly this, or snapd takes it for a failure and not for an absence (device-api.md 2.2).
    expect([missing.status, missing.headers.get('content-type')]).toEqual([
      404,
      'application/json',
    ]);
    expect(missing.json()).toMatchObject({ 'error-list': [{ code: 'not-found' }] });
    expect(await offered([gate])).toEqual(['refresh', 1]);
    expect(await offered([])).toEqual(['refresh', 7]);

    await validation(7);
    const there = await fetched(7);
    expect(there.status).toBe(200);
    expect(header(decodeAssertion(Buffer.from(there.text)), 'approved-snap-revision')).toBe('7');
    expect(await offered([gate])).toEqual(['refresh', 7]);

    await validation(7, { revision: '1', revoked: 'true' });
    const revoked = decodeAssertion(Buffer.from((await fetched(7)).text));
    expect([revoked.revision, header(revoked, 'revoked')]).toEqual([1, 'true']);
    expect(await offered([gate])).toEqual(['refresh', 1]);
  });
});
