import { createHash, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeAssertion } from '#libs/assertions';
import { Device, Hold } from '#libs/database';
import type { ScriptedDevice } from '../../tools/clients/device.js';
import { ask } from '../../tools/clients/http.js';
import { DeviceStore, type TestBrand, type TestSnap } from './support/device-store.js';
import {
  FIELDS,
  SCHEDULED,
  contextOf,
  install,
  poll,
  postRefresh,
  refresh,
  sessionHeader,
  type WireAnswer,
} from './support/refreshing.js';
import { makeDevice } from './support/test-device.js';

let store: DeviceStore;
let acme: TestBrand;
/** Public; 1 and 2 on stable, 3 on edge, beta closed, a branch. */
let dash: TestSnap;
/** Of its revision 2. */
let dashBytes: Buffer;
/** Default track 22. */
let tracked: TestSnap;
let guarded: TestSnap;
let epochal: TestSnap;
let device: ScriptedDevice;
let session: Record<string, string>;

beforeAll(async () => {
  store = await DeviceStore.start();
  acme = await store.brand('acme', { allowPublic: true });
  dash = await store.snap(acme, 'acme-dashboard');
  for (const revision of [1, 2, 3]) {
    const bytes = await store.revision(dash, revision, {
      file: `acme-dashboard_${revision}.snap`,
      snapYaml: `name: acme-dashboard\nversion: ${revision}.0\n# the file's own text\n`,
    });
    if (revision === 2) dashBytes = bytes;
  }
  await store.revision(dash, 4);
  await store.release(dash, 1);
  await store.release(dash, 2);
  await store.release(dash, 3, 'latest/edge');
  await store.release(dash, 2, 'latest/beta');
  await store.release(dash, null, 'latest/beta', []);
  await store.release(dash, 4, 'latest/edge/fix-1');
  tracked = await store.snap(acme, 'tracked', { defaultTrack: '22', tracks: ['latest', '22'] });
  for (const revision of [1, 2, 3, 4, 5]) await store.revision(tracked, revision);
  await store.release(tracked, 1, 'latest/stable');
  await store.release(tracked, 2, '22/stable');
  await store.release(tracked, 3, '22/edge');
  await store.release(tracked, 4, '22/edge/branch');
  await store.release(tracked, 5, 'latest/edge');
  guarded = await store.snap(acme, 'acme-control-plane', { isProtected: true });
  await store.revision(guarded, 1);
  await store.release(guarded, 1);
  epochal = await store.snap(acme, 'epochal');
  await store.revision(epochal, 1);
  await store.revision(epochal, 2, { epoch: { read: [0, 1], write: [1] } });
  await store.revision(epochal, 3, { epoch: { read: [1], write: [1] } });
  for (const revision of [1, 2, 3]) await store.release(epochal, revision);
  await store.compile(acme);
  device = await makeDevice(store, acme);
  await device.openSession();
  session = sessionHeader(device.session);
});
afterAll(() => store.stop());

describe('answers', () => {
  it('D13 success is 200, never 201', async () => {
    const action = { action: 'install', 'instance-key': 'install-1', name: dash.name, epoch: null };
    const answer = await postRefresh(store.url, { actions: [action] });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('application/json');
    expect(Number(answer.headers.get('snap-store-version'))).toBeGreaterThanOrEqual(55);
  });

  it('serves a device from session to checked bytes', async () => {
    const result = await device.install(guarded.name);
    const { checked } = await device.fetchAndInstall(result);
    expect(checked).toContain(`snap-declaration/16/${guarded.id}`);
    expect(await device.poll(guarded.name)).toMatchObject({
      result: 'refresh',
      snap: { revision: 1 },
    });
  });

  it('D26 D40 install, download and update have all that snapd needs', async () => {
    const call = {
      context: [contextOf({ id: dash.id, revision: 1 })],
      actions: [
        { action: 'install', 'instance-key': 'install-1', name: dash.name, epoch: null },
        { action: 'download', 'instance-key': 'download-1', name: dash.name, epoch: null },
        { action: 'refresh', 'instance-key': dash.id, 'snap-id': dash.id },
      ],
    };
    // What snapd needs comes whatever is asked for, the rest when it is.
    for (const fields of [FIELDS, ['publisher', 'prices']]) {
      const { results } = await refresh(store.url, { ...call, fields });
      expect(results.map(({ result }) => result)).toEqual(['install', 'download', 'refresh']);
      for (const { snap } of results) {
        expect(snap).toMatchObject({
          name: dash.name,
          'snap-id': dash.id,
          revision: 2,
          type: 'app',
          architectures: ['all'],
          publisher: { id: acme.id, username: 'acme' },
        });
        expect(snap?.['prices']).toEqual({});
        expect(snap?.download).toMatchObject({
          url: `${store.url}/api/v1/snaps/download/${dash.id}_2.snap`,
          size: dashBytes.length,
          'sha3-384': createHash('sha3-384').update(dashBytes).digest('hex'),
        });
      }
    }
  });

  it('D28 the type is one of the six words', async () => {
    for (const type of ['app', 'gadget', 'kernel', 'base', 'os', 'snapd'] as const) {
      const snap = await store.snap(acme, `one-${type}`, { type });
      await store.revision(snap, 1, { type });
      await store.release(snap, 1);
      await store.compile(acme);
      expect((await install(store.url, { name: snap.name })).snap?.['type']).toBe(type);
    }
  });

  it('D29 the hash is that of the snap-revision assertion', async () => {
    const { snap } = await install(store.url, { name: dash.name });
    expect(snap?.download['sha3-384']).toMatch(/^[0-9a-f]{96}$/);
    const digest = Buffer.from(snap?.download['sha3-384'] ?? '', 'hex').toString('base64url');
    const answer = await ask(`${store.url}/v2/assertions/snap-revision/${digest}?max-format=0`);
    expect(decodeAssertion(Buffer.from(answer.text)).headers).toMatchObject({
      'snap-sha3-384': digest,
      'snap-id': dash.id,
      'snap-revision': '2',
    });
  });

  it('D30 the text of snap.yaml and the resources come to those who ask for them', async () => {
    const action = { action: 'install', 'instance-key': 'install-1', name: dash.name, epoch: null };
    const asked = async (fields: string[]) =>
      (await refresh(store.url, { actions: [action], fields })).results[0]?.snap;
    expect(await asked(['snap-yaml', 'resources'])).toMatchObject({
      'snap-yaml': "name: acme-dashboard\nversion: 2.0\n# the file's own text\n",
      resources: [],
    });
    const unasked = await asked(['revision']);
    expect(unasked).not.toHaveProperty('snap-yaml');
    expect(unasked).not.toHaveProperty('resources');
  });

  it('D32 D33 D39 epochs, sticky flags and unknown fields do no harm', async () => {
    const made = await ask(`${store.url}/v2/cohorts`, {
      method: 'POST',
      body: Buffer.from(JSON.stringify({ snaps: [dash.name, tracked.name] })),
    });
    const { 'cohort-keys': keys } = made.json<{ 'cohort-keys': Record<string, string> }>();
    const context = {
      ...contextOf({ id: dash.id, revision: 2 }),
      'refreshed-date': '2026-05-04T08:15:00Z',
      'ignore-validation': true,
      'cohort-key': keys[dash.name],
      'validation-sets': [['16', acme.id, 'set', '3']],
      held: { by: ['system'] },
    };
    const { results } = await refresh(store.url, {
      context: [context],
      actions: [
        {
          action: 'refresh',
          'instance-key': dash.id,
          'snap-id': dash.id,
          'ignore-validation': false,
          'validation-sets': [['16', acme.id, 'set', '3']],
          'cohort-key': keys[dash.name],
          'refreshed-date': '2026-05-04T08:15:00Z',
          held: { by: ['system'] },
        },
        {
          action: 'install',
          'instance-key': 'install-1',
          name: tracked.name,
          epoch: null,
          'cohort-key': keys[tracked.name],
        },
        { action: 'download', 'instance-key': 'download-1', name: tracked.name, epoch: null },
      ],
      fields: ['revision', 'no-such-field'],
    });
    expect(results.map(({ result }) => result)).toEqual(['refresh', 'install', 'download']);
    expect(results[1]?.snap).not.toHaveProperty('snap-yaml');
    expect(results[1]?.snap?.download.size).toBeGreaterThan(0);
  });

  it('D20 D22 one failing action leaves the others intact, and context alone gives no result', async () => {
    const { results } = await refresh(store.url, {
      context: [
        contextOf({ id: dash.id, revision: 1 }),
        contextOf({ id: tracked.id, revision: 1 }),
      ],
      actions: [
        { action: 'install', 'instance-key': 'install-1', name: 'no-such-snap', epoch: null },
        { action: 'refresh', 'instance-key': dash.id, 'snap-id': dash.id },
      ],
    });
    expect(results).toHaveLength(2);
    expect(results[0]).toMatchObject({ result: 'error', 'instance-key': 'install-1' });
    expect(results[1]).toMatchObject({
      result: 'refresh',
      'instance-key': dash.id,
      snap: { revision: 2 },
    });
  });

  it('D21 instance keys come back byte for byte', async () => {
    const key = `${dash.id}:d0bY5sJ-_kXl8vCeaQ9rU1mTz2wGfHn3oVxSiL4pA7E`;
    const { results } = await refresh(store.url, {
      context: [
        contextOf({ id: dash.id, revision: 1 }),
        contextOf({ id: dash.id, revision: 2, key }),
      ],
      actions: [key, dash.id].map((instance) => ({
        action: 'refresh',
        'instance-key': instance,
        'snap-id': dash.id,
      })),
    });
    const seen = results.map((one) => [one['instance-key'], one.snap?.revision]);
    expect(seen).toEqual([
      [key, 2],
      [dash.id, 2],
    ]);
    expect(Object.keys(results[0]?.snap ?? {})).toEqual(['snap-id', 'name', 'revision']);
    // Errors and installs too.
    for (const name of [dash.name, 'no-such-snap']) {
      const made = await install(store.url, { name, 'instance-key': key });
      expect(made['instance-key']).toBe(key);
    }
  });

  it('D11 the same POST twice has no second effect', async () => {
    const call = {
      context: [contextOf({ id: dash.id, revision: 1 })],
      actions: [
        { action: 'refresh', 'instance-key': dash.id, 'snap-id': dash.id },
        { action: 'install', 'instance-key': 'install-1', name: guarded.name, epoch: null },
      ],
    };
    for (const more of [{}, SCHEDULED]) {
      const headers = { ...session, ...more };
      const first = await refresh(store.url, { ...call, headers });
      expect(await refresh(store.url, { ...call, headers })).toEqual(first);
    }
    // The session of the first POST stays good when the second comes too late for its nonce.
    const again = await makeDevice(store, acme);
    const nonce = await again.nonce();
    const [opened, refused] = [
      await again.requestSession({ nonce }),
      await again.requestSession({ nonce }),
    ];
    expect([opened.status, refused.status]).toEqual([200, 400]);
    const headers = sessionHeader(opened.json<{ macaroon: string }>().macaroon);
    expect((await install(store.url, { name: guarded.name }, headers)).result).toBe('install');
    const known = await store.resources.db.asSystem((tx) =>
      tx.countBy(Device, { serial: again.serialNumber }),
    );
    expect(known).toBe(1);
  });

  it('D38 no deltas are offered, neither without a known format nor for any other revision', async () => {
    const formats = ['snap-1-1-xdelta3,xdelta3', 'no-such-format', '', null];
    for (const format of formats) {
      for (const revision of [1, 2]) {
        const headers = format === null ? {} : { 'snap-accept-delta-format': format };
        const { snap } = await poll(store.url, { id: dash.id, revision }, headers, {
          channel: 'latest/edge',
        });
        expect(snap?.revision).toBe(3);
        expect(snap?.download.deltas).toEqual([]);
      }
    }
  });
});

describe('channels', () => {
  it('D14 without a channel it is stable of the default track', async () => {
    expect(await install(store.url, { name: dash.name })).toMatchObject({
      'effective-channel': 'latest/stable',
      snap: { revision: 2 },
    });
    expect(await install(store.url, { name: tracked.name })).toMatchObject({
      'effective-channel': '22/stable',
      snap: { revision: 2 },
    });
  });

  it('D15 stable of a snap with a default track redirects to it', async () => {
    const result = await install(store.url, { name: tracked.name, channel: 'stable' });
    expect(result).toMatchObject({ 'redirect-channel': '22/stable', snap: { revision: 2 } });
    const spelled = await install(store.url, { name: tracked.name, channel: 'latest/stable' });
    expect(spelled).toMatchObject({ 'redirect-channel': null, snap: { revision: 1 } });
  });

  it.each([
    ['edge', 3, '22/edge'],
    ['latest/edge', 5, 'latest/edge'],
    ['22', 2, '22/stable'],
    ['22/edge', 3, '22/edge'],
    ['22/edge/branch', 4, '22/edge/branch'],
    ['edge/branch', 4, '22/edge/branch'],
  ])('D16 the channel form %s resolves', async (channel, revision, effective) => {
    const result = await install(store.url, { name: tracked.name, channel });
    expect(result).toMatchObject({ snap: { revision }, 'effective-channel': effective });
  });

  it('D17 a closed risk falls back, an unknown track is not found', async () => {
    const closed = await install(store.url, { name: dash.name, channel: 'beta' });
    expect(closed).toMatchObject({ snap: { revision: 2 }, 'effective-channel': 'latest/stable' });
    const stepped = await store.snap(acme, 'stepped');
    for (const revision of [1, 2]) await store.revision(stepped, revision);
    await store.release(stepped, 1, 'latest/stable');
    await store.release(stepped, 2, 'latest/candidate');
    await store.compile(acme);
    // The next safer one that is open, not the safest.
    expect(await install(store.url, { name: 'stepped', channel: 'edge' })).toMatchObject({
      snap: { revision: 2 },
      'effective-channel': 'latest/candidate',
    });
    const { error } = await install(store.url, { name: dash.name, channel: 'nosuchtrack/edge' });
    expect(error?.code).toBe('revision-not-found');
    expect(error?.extra?.releases).toContainEqual({
      architecture: 'amd64',
      channel: 'latest/edge',
    });
  });

  it('D18 releases name concrete architectures and readable channels', async () => {
    const { error } = await install(store.url, { name: dash.name, channel: 'nosuchtrack' });
    const releases = error?.extra?.releases ?? [];
    const channels = new Set(releases.map(({ channel }) => channel));
    expect([...channels]).toEqual(['latest/edge', 'latest/edge/fix-1', 'latest/stable']);
    for (const { architecture, channel } of releases) {
      expect(architecture).toMatch(/^(amd64|arm64|armhf|i386|ppc64el|riscv64|s390x)$/);
      expect(channel).toMatch(/^[^/]+\/(stable|candidate|beta|edge)(\/[^/]+)?$/);
    }
  });

  it('D24 a revision that is asked for is given, or is not found', async () => {
    expect(await install(store.url, { name: dash.name, revision: 1 })).toMatchObject({
      snap: { revision: 1 },
    });
    const missing = await install(store.url, { name: dash.name, revision: 999999 });
    expect(missing).toMatchObject({
      result: 'error',
      name: dash.name,
      error: { code: 'revision-not-found' },
    });
    const secret = await install(store.url, { name: guarded.name, revision: 1 });
    expect(secret.error?.code).toBe('name-not-found');
    expect(await install(store.url, { name: guarded.name, revision: 1 }, session)).toMatchObject({
      snap: { revision: 1 },
    });
    const back = await poll(store.url, { id: dash.id, revision: 2 }, {}, { revision: 1 });
    expect([back.result, back.snap?.revision]).toEqual(['refresh', 1]);
    // To name a revision is no way around: one for other processors, one that was withdrawn.
    const mixed = await store.snap(acme, 'mixed');
    await store.revision(mixed, 1);
    await store.revision(mixed, 2, { architectures: ['armhf'] });
    await store.revision(mixed, 3, { yankedAt: new Date() });
    for (const revision of [1, 2, 3]) await store.release(mixed, revision);
    await store.compile(acme);
    const named = async (revision: number) => {
      const { snap, error } = await install(store.url, { name: 'mixed', revision });
      return snap?.revision ?? error?.code;
    };
    expect([await named(1), await named(2), await named(3)]).toEqual([
      1,
      'revision-not-found',
      'revision-not-found',
    ]);
  });

  it('D27 a snap for another architecture is not offered', async () => {
    const armOnly = await store.snap(acme, 'arm-only');
    await store.revision(armOnly, 1, { architectures: ['armhf'] });
    await store.release(armOnly, 1, 'latest/stable', ['armhf']);
    await store.compile(acme);
    const { error } = await install(store.url, { name: 'arm-only' });
    expect(error?.extra?.releases).toEqual([{ architecture: 'armhf', channel: 'latest/stable' }]);
    const arm = await install(
      store.url,
      { name: 'arm-only' },
      { 'snap-device-architecture': 'armhf' },
    );
    expect(arm.snap).toMatchObject({ revision: 1, architectures: ['armhf'] });
    // What the header says stands above what the model of a session says.
    const headers = { ...session, 'snap-device-architecture': 'armhf' };
    expect((await install(store.url, { name: 'arm-only' }, headers)).snap?.revision).toBe(1);
    // Released for all, and yet not for this one.
    const half = await store.snap(acme, 'half');
    await store.revision(half, 1);
    await store.revision(half, 2, { architectures: ['armhf', 'arm64'] });
    for (const revision of [1, 2]) await store.release(half, revision);
    await store.compile(acme);
    for (const [architecture, revision] of [
      ['amd64', 1],
      ['armhf', 2],
    ] as const) {
      const found = await install(
        store.url,
        { name: 'half' },
        { 'snap-device-architecture': architecture },
      );
      expect(found.snap?.revision).toBe(revision);
    }
  });

  it('D31 epochs are led through the revision that reads both', async () => {
    const zero = { read: [0], write: [0] };
    const first = await poll(store.url, { id: epochal.id, revision: 1, epoch: zero });
    expect(first.snap).toMatchObject({ revision: 2, epoch: { read: [0, 1], write: [1] } });
    const second = await poll(store.url, {
      id: epochal.id,
      revision: 2,
      epoch: first.snap?.['epoch'],
    });
    expect(second.snap?.revision).toBe(3);
    // What the data is written in counts, not what could be read; and who names the revision gets it no sooner.
    const ahead = { read: [0, 1], write: [0] };
    const third = await poll(store.url, { id: epochal.id, revision: 1, epoch: ahead });
    expect(third.snap?.revision).toBe(2);
    const installed = { id: epochal.id, revision: 1, epoch: zero };
    const named = await poll(store.url, installed, {}, { revision: 3 });
    expect(named.error?.code).toBe('revision-not-found');
  });
});

describe('what is not there', () => {
  it('D19 unknown names and ids are told apart by what was asked', async () => {
    const named = await install(store.url, { name: 'no-such-snap' });
    expect(named).toMatchObject({
      result: 'error',
      'instance-key': 'install-1',
      name: 'no-such-snap',
      error: { code: 'name-not-found' },
    });
    const ghost = 'ghostidididididididididididididi';
    const byId = await poll(store.url, { id: ghost, revision: 1 });
    expect(byId).toMatchObject({
      result: 'error',
      'instance-key': ghost,
      error: { code: 'id-not-found' },
    });
  });

  it('D47 a snap that is not visible looks exactly like an unknown one', async () => {
    const other = await store.brand('other', { allowPublic: true });
    const hidden = await store.snap(acme, 'acme-hidden', { isPrivate: true });
    await store.revision(hidden, 1);
    await store.release(hidden, 1);
    // A store that takes no public snaps.
    const narrow = await store.brand('narrow');
    await store.compile(acme, other, narrow);
    const stranger = await makeDevice(store, other);
    await stranger.openSession();
    const headers = sessionHeader(stranger.session);
    const outside = [{}, { 'snap-device-store': acme.storeId }, headers];
    const unseenBy: readonly (readonly [TestSnap, Record<string, string>])[] = [
      ...outside.map((who) => [guarded, who] as const),
      ...outside.map((who) => [hidden, who] as const),
      [dash, { 'snap-device-store': narrow.storeId }],
    ];
    for (const [snap, who] of unseenBy) {
      const unseen = await install(store.url, { name: snap.name }, who);
      const unknown = await install(store.url, { name: 'no-such-snap' }, who);
      const text = JSON.stringify(unseen).replaceAll(snap.name, 'no-such-snap');
      expect(text).toBe(JSON.stringify(unknown));
      const ghost = 'x'.repeat(snap.id.length);
      const byId = await poll(store.url, { id: snap.id, revision: 1 }, who);
      expect(byId.error?.code).toBe('id-not-found');
      expect(JSON.stringify(byId).replaceAll(snap.id, ghost)).toBe(
        JSON.stringify(await poll(store.url, { id: ghost, revision: 1 }, who)),
      );
    }
    expect(await install(store.url, { name: dash.name }, headers)).toMatchObject({
      result: 'install',
    });
  });

  it('a store that is not here shows nothing, and a store without public snaps only its own', async () => {
    const closed = await store.brand('closed');
    const theirs = await store.snap(closed, 'closed-app');
    await store.revision(theirs, 1);
    await store.release(theirs, 1);
    await store.compile(closed);
    const seen = (name: string, storeId: string) =>
      install(store.url, { name }, { 'snap-device-store': storeId }).then(({ result }) => result);
    expect(await seen('closed-app', closed.storeId)).toBe('install');
    expect(await seen(dash.name, closed.storeId)).toBe('error');
    expect(await seen(dash.name, 'nosuchstore')).toBe('error');
  });
});

describe('staying', () => {
  it('D23 nothing new is the installed revision again', async () => {
    const result = await poll(store.url, { id: dash.id, revision: 2 });
    expect(result).toEqual({
      result: 'refresh',
      'instance-key': dash.id,
      'snap-id': dash.id,
      name: dash.name,
      snap: { 'snap-id': dash.id, name: dash.name, revision: 2 },
    });
  });

  it('describes the installed revision where its resources are wanted', async () => {
    const fields = ['revision', 'resources'];
    const result = await poll(store.url, { id: dash.id, revision: 2 }, {}, { revision: 2 }, fields);
    expect(result.snap).toMatchObject({ revision: 2, resources: [], type: 'app' });
  });

  it('never goes back', async () => {
    expect((await poll(store.url, { id: dash.id, revision: 3 })).snap?.revision).toBe(3);
  });

  it('D36 a scheduled refresh that is held back gets the installed revision, a person is told why', async () => {
    const installed = { id: guarded.id, revision: 1 };
    await store.revision(guarded, 2);
    await store.release(guarded, 2);
    const hold = {
      brandId: acme.id,
      scope: 'brand',
      snapId: guarded.id,
      from: new Date(0),
      until: new Date(Date.now() + 3_600_000),
      reason: 'year-end freeze',
      personId: randomUUID(),
    } as const;
    await store.resources.db.asBrand(acme.id, (tx) => tx.insert(Hold, hold));
    await store.compile(acme);
    // Not the device that polled above: its next call might be snapd's own repeat. And who goes back by itself is held for that.
    const opened = async (): Promise<Record<string, string>> => {
      const fresh = await makeDevice(store, acme);
      await fresh.openSession();
      return sessionHeader(fresh.session);
    };
    const [session, other] = [await opened(), await opened()];
    const person = await poll(store.url, installed, session);
    expect(person.error).toMatchObject({ code: 'update-withheld' });
    expect(person.error?.message).toContain('year-end freeze');
    const scheduled = await poll(store.url, installed, { ...session, ...SCHEDULED });
    expect(scheduled).toMatchObject({ result: 'refresh', snap: { revision: 1 } });
    // F11: what follows a scheduled poll at once is snapd's own repeat.
    expect((await poll(store.url, installed, session)).snap?.revision).toBe(1);
    expect(
      (await install(store.url, { name: guarded.name, revision: 2 }, session)).snap?.revision,
    ).toBe(2);
    const newest = await poll(store.url, { ...installed, revision: 2 }, other);
    expect([newest.result, newest.snap?.revision]).toEqual(['refresh', 2]);
  });
});

describe('bad input', () => {
  const post = (
    body: string,
    headers: Record<string, string> = { 'content-type': 'application/json' },
  ) => ask(`${store.url}/v2/snaps/refresh`, { method: 'POST', headers, body });
  const codes = (answer: { json: <T>() => T }) =>
    answer.json<WireAnswer>()['error-list'].map(({ code }) => code);

  it('D9 500 snaps with 500 actions are answered in time', async () => {
    // Every second one is known here, as one of many instances.
    const snaps = Array.from({ length: 500 }, (_, n) =>
      n % 2 === 0
        ? { id: dash.id, key: `${dash.id}:${n}` }
        : { id: `snapidsnapidsnapidsnapidsnap${1000 + n}` },
    );
    const call = {
      context: snaps.map((snap) => ({
        ...contextOf({ ...snap, revision: 1 }),
        'refreshed-date': '2026-05-04T08:15:00.123456789Z',
      })),
      actions: snaps.map(({ id, key = id }) => ({
        action: 'refresh',
        'instance-key': key,
        'snap-id': id,
        channel: 'latest/stable',
        'ignore-validation': false,
        'cohort-key': '',
      })),
    };
    expect(JSON.stringify(call).length).toBeGreaterThan(200_000);
    const started = Date.now();
    const { results } = await refresh(store.url, { ...call, headers: session });
    expect(Date.now() - started).toBeLessThan(10_000);
    expect(results.map((one) => one.snap?.revision ?? one.error?.code)).toEqual(
      snaps.map(({ id }) => (id === dash.id ? 2 : 'id-not-found')),
    );
  });

  it('wrong types in 200 kB are refused in words, and the store stays up', async () => {
    const wrong = { 'snap-id': 7, 'instance-key': null, revision: '41', epoch: 'x', held: [] };
    const body = JSON.stringify({
      context: Array(3000).fill(wrong),
      actions: 'all of them',
      fields: 3,
    });
    expect(body.length).toBeGreaterThan(200_000);
    const answer = await post(body);
    expect(answer.status).toBe(400);
    expect(answer.headers.get('content-type')).toBe('application/json');
    expect(codes(answer).every((code) => code === 'invalid-request')).toBe(true);
    expect(answer.text).toContain('context[0].snap-id');
    expect((await install(store.url, { name: dash.name })).result).toBe('install');
  });

  it.each([
    ['no JSON', '{"context":[', 400],
    ['no object', '[]', 400],
    ['nothing', '', 400],
    ['an action without a name', '{"actions":[{"action":"install","instance-key":"i"}]}', 400],
    ['an unknown action', '{"actions":[{"action":"refresh-all"}]}', 400],
    ['a poisoned prototype', '{"__proto__":{"x":1},"actions":[]}', 400],
  ])('%s is refused in the shape that devices read', async (_, body, status) => {
    const answer = await post(body);
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toBe('application/json');
    expect(codes(answer)).not.toHaveLength(0);
  });

  it('media types, sizes, methods and paths that are not served are refused in the same shape', async () => {
    const wrongType = await post('x', { 'content-type': 'text/csv' });
    expect([wrongType.status, codes(wrongType)]).toEqual([415, ['unsupported-media-type']]);
    const tooLarge = await post(`{"context":[${'1,'.repeat(2_200_000)}1]}`);
    expect([tooLarge.status, codes(tooLarge)]).toEqual([413, ['too-large']]);
    for (const [method, path] of [
      ['GET', '/v2/snaps/refresh'],
      ['POST', '/v2/no-such-call'],
      ['DELETE', '/api/v1/snaps/nothing'],
    ]) {
      const answer = await ask(`${store.url}${path}`, { method: method ?? '' });
      expect([answer.status, codes(answer)]).toEqual([404, ['not-found']]);
      expect(answer.headers.get('content-type')).toBe('application/json');
    }
  });

  it('D8 unknown headers, parameters and members are ignored', async () => {
    const answer = await ask(`${store.url}/v2/snaps/refresh?debug=1`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-no-such-header': 'yes' },
      body: JSON.stringify({
        context: [{ ...contextOf({ id: tracked.id, revision: 1 }), colour: 'blue' }],
        actions: [
          {
            action: 'install',
            'instance-key': 'install-1',
            name: dash.name,
            epoch: null,
            mood: 'good',
          },
        ],
        fields: ['revision'],
        weather: { sunny: true },
      }),
    });
    expect(answer.json<WireAnswer>().results[0]).toMatchObject({
      result: 'install',
      snap: { revision: 2 },
    });
    const path = `/v2/assertions/account/${acme.id}?max-format=0&debug=1`;
    expect((await ask(store.url + path, { headers: { 'x-no-such-header': 'yes' } })).status).toBe(
      200,
    );
  });
});
