import { createHash, randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EmergencyStop, Fleet, FleetMember, Device, Hold, shiftClock } from '#libs/database';
import type { Metrics } from '#libs/runtime';
import type { ScriptedDevice } from '../../tools/clients/device.js';
import { ask } from '../../tools/clients/http.js';
import { readAsSnapd, type SnapdReading } from '../../tools/clients/snapd-reading.js';
import { METRICS } from '../../apps/store-api/src/resources.js';
import { DeviceStore, type TestBrand, type TestSnap } from './support/device-store.js';
import {
  FIELDS,
  SCHEDULED,
  contextOf,
  refresh,
  sessionHeader,
  type Installed,
  type RefreshCall,
  type WireAnswer,
} from './support/refreshing.js';
import { makeDevice } from './support/test-device.js';

let store: DeviceStore;
let acme: TestBrand;
let device: ScriptedDevice;
let session: Record<string, string>;
/** Three revisions each; 2 is on stable, 3 on edge. */
const snaps: TestSnap[] = [];
const [first, second, third] = [0, 1, 2].map((no) => () => snaps[no] as TestSnap) as [
  () => TestSnap,
  () => TestSnap,
  () => TestSnap,
];

beforeAll(async () => {
  store = await DeviceStore.start();
  acme = await store.brand('acme', { allowPublic: true });
  for (let no = 1; no <= 50; no += 1) {
    const snap = await store.snap(acme, `snap-${no}`);
    snaps.push(snap);
    for (const revision of no <= 3 ? [1, 2, 3] : [2]) await store.revision(snap, revision);
    await store.release(snap, 2);
    if (no <= 3) await store.release(snap, 3, 'latest/edge');
  }
  await store.compile(acme);
  device = await makeDevice(store, acme);
  await device.openSession();
  session = sessionHeader(device.session);
});
afterAll(() => store.stop());

async function newcomer(): Promise<{
  scripted: ScriptedDevice;
  headers: Record<string, string>;
  uid: string;
}> {
  const scripted = await makeDevice(store, acme);
  await scripted.openSession();
  const { uid } = await store.resources.db.asSystem((tx) =>
    tx.findOneByOrFail(Device, { serial: scripted.serialNumber }),
  );
  return { scripted, headers: sessionHeader(scripted.session), uid };
}

/** The refresh of all that is installed, as snapd asks and as snapd reads. */
async function refreshAll(
  installed: readonly Installed[],
  more: Pick<RefreshCall, 'headers' | 'fields'> = {},
): Promise<SnapdReading & { answer: WireAnswer }> {
  const call = {
    context: installed.map(contextOf),
    actions: installed.map(({ id, key = id }) => ({
      action: 'refresh',
      'instance-key': key,
      'snap-id': id,
    })),
    ...more,
  };
  const answer = await refresh(store.url, call);
  return { ...readAsSnapd(call, answer), answer };
}

const parallelKey = (id: string, name: string): string =>
  `${id}:${createHash('sha256').update(`${id}${name}`).digest('base64url')}`;

describe('nothing new', () => {
  it.each([1, 2, 50])('U1 is read as "no updates" for %i snaps, in few bytes', async (count) => {
    const installed = snaps.slice(0, count).map(({ id }) => ({ id, revision: 2 }));
    for (const headers of [session, { ...session, ...SCHEDULED }]) {
      const { failure, updates, errors, current, answer } = await refreshAll(installed, {
        headers,
      });
      expect({ failure, updates, errors }).toEqual({ failure: null, updates: {}, errors: {} });
      expect(current).toEqual(installed.map(({ id }) => id));
      for (const result of answer.results) {
        expect(Object.keys(result.snap ?? {}).sort()).toEqual(['name', 'revision', 'snap-id']);
        expect(JSON.stringify(result).length).toBeLessThan(260);
      }
    }
  });

  it('U1 is read as "no updates" with components, and with parallel instances', async () => {
    const withComponents = await refreshAll(
      snaps.slice(0, 2).map(({ id }) => ({ id, revision: 2 })),
      { headers: session, fields: [...FIELDS, 'resources'] },
    );
    expect(withComponents).toMatchObject({ failure: null, updates: {}, errors: {} });
    expect(withComponents.current).toHaveLength(2);
    // What the installed components are compared with.
    for (const { snap } of withComponents.answer.results) expect(snap?.['resources']).toEqual([]);
    const { id } = first();
    const [a, b] = [parallelKey(id, 'foo_a'), parallelKey(id, 'foo_b')];
    const instances = [id, a, b].map((key) => ({ id, key, revision: 2 }));
    const parallel = await refreshAll(instances, { headers: { ...session, ...SCHEDULED } });
    expect(parallel).toMatchObject({ failure: null, updates: {}, errors: {}, current: [id, a, b] });
    // Each by its own revision.
    const behind = instances.map((one) => (one.key === a ? { ...one, revision: 1 } : one));
    // Of a device that was not seen ahead before: what goes back unasked has been reverted, and is left alone (U74).
    const { headers } = await newcomer();
    const mixed = await refreshAll(behind, { headers: { ...headers, ...SCHEDULED } });
    expect(mixed).toMatchObject({ failure: null, updates: { [a]: 2 }, current: [id, b] });
  });
});

describe('one result for one action', () => {
  const ghost = 'x'.repeat(32);
  const instance = fc.record({
    snap: fc.constantFrom(0, 1, 2, 3, -1),
    revision: fc.constantFrom(1, 2, 3, 77),
    channel: fc.constantFrom('latest/stable', 'latest/edge', 'stable', 'no/such/thing', ''),
    parallels: fc.nat(3),
  });
  /** A context with parallel instances, and actions on some of it and on what is not there. */
  const arbitraryCall = fc
    .record({
      installed: fc.array(instance, { maxLength: 6 }),
      refreshed: fc.infiniteStream(fc.boolean()),
      strangers: fc.nat(2),
      news: fc.array(
        fc.record({
          action: fc.constantFrom('install', 'download'),
          name: fc.constantFrom('snap-1', 'snap-2', 'no-such-snap'),
          revision: fc.constantFrom(undefined, 2, 99),
          channel: fc.constantFrom(undefined, 'edge', 'latest/stable', 'x/y/z/w'),
        }),
        { maxLength: 3 },
      ),
      groups: fc.nat(2),
      isScheduled: fc.boolean(),
      hasSession: fc.boolean(),
      fields: fc.constantFrom(FIELDS, ['revision'], ['resources']),
    })
    .map(({ installed, refreshed, strangers, news, groups, ...manner }) => {
      const entries = installed.flatMap(({ snap, parallels, ...rest }, no) => {
        const id = snap < 0 ? ghost : (snaps[snap]?.id ?? ghost);
        const keys = [...Array(parallels + 1).keys()].map((n) =>
          n === 0 && !installed.slice(0, no).some((one) => one.snap === snap)
            ? id
            : parallelKey(id, `${no}_${n}`),
        );
        return keys.map((key) => contextOf({ id, key, ...rest }));
      });
      const refreshes = entries
        .filter(() => refreshed.next().value)
        .map((one) => ({
          action: 'refresh',
          'instance-key': one['instance-key'],
          'snap-id': one['snap-id'],
        }));
      const unknown = Array.from({ length: strangers }, (_, n) => ({
        action: 'refresh',
        'instance-key': parallelKey(first().id, `stranger_${n}`),
        'snap-id': first().id,
      }));
      const made = news.map((one, n) => ({
        ...one,
        'instance-key': `${one.action}-${n + 1}`,
        epoch: null,
      }));
      const fetched = Array.from({ length: groups }, (_, n) => ({
        action: 'fetch-assertions',
        key: `group-${n}`,
        assertions: [{ type: 'account', 'primary-key': [n === 0 ? acme.id : ghost] }],
      }));
      return {
        ...manner,
        context: entries,
        actions: [...made, ...refreshes, ...fetched, ...unknown],
      };
    });
  type Random = typeof arbitraryCall extends fc.Arbitrary<infer T> ? T : never;

  /** Sends it, and holds the answer against U2, U3 and the reading of snapd. */
  async function judge(
    url: string,
    headers: Record<string, string>,
    random: Random,
  ): Promise<WireAnswer> {
    const { context, actions, fields, isScheduled, hasSession } = random;
    const answer = await refresh(url, {
      context,
      actions,
      fields,
      headers: { ...(hasSession && headers), ...(isScheduled && SCHEDULED) },
    });
    const keyOf = (one: { 'instance-key'?: string; key?: string }) =>
      one['instance-key'] ?? one.key;
    expect(answer.results.map(keyOf).sort()).toEqual(actions.map(keyOf).sort());
    expect(readAsSnapd({ context, actions }, answer).failure).toBeNull();
    return answer;
  }

  it('U2 U3 whatever is installed and asked, and no key that was not asked for', async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryCall, async (random) => {
        await judge(store.url, session, random);
      }),
      { numRuns: 120 },
    );
  });

  it('U2 U3 also while the store sheds, and while it has lost its database', async () => {
    // Below any delay: whoever polls often is an overload.
    const hurried = await DeviceStore.start({ shedDelayMs: -1 });
    try {
      const brand = await hurried.brand('acme', { allowPublic: true });
      for (const { name, id } of snaps.slice(0, 2)) {
        const snap = await hurried.snap(brand, name, { id });
        for (const revision of [1, 2]) await hurried.revision(snap, revision);
        await hurried.release(snap, 2);
      }
      await hurried.compile(brand);
      const own = await makeDevice(hurried, brand);
      await own.openSession();
      const headers = sessionHeader(own.session);
      const behind = contextOf({ id: first().id, revision: 1 });
      const poll: Random = {
        context: [behind],
        actions: [{ action: 'refresh', 'instance-key': first().id, 'snap-id': first().id }],
        fields: FIELDS,
        isScheduled: true,
        hasSession: true,
      };
      const isShed = async () =>
        (await judge(hurried.url, headers, poll)).results[0]?.snap?.revision === 1;
      for (const end = Date.now() + 60_000; !(await isShed()) || (await shareOf(hurried)) < 1;)
        if (Date.now() > end) throw new Error('cannot wait any longer for the shedding');
      await fc.assert(
        fc.asyncProperty(arbitraryCall, async (random) => {
          const { results } = await judge(hurried.url, headers, random);
          // New installs are never shed.
          const installed = results.find(
            ({ result, name }) => result === 'install' && name === 'snap-1',
          );
          if (installed?.snap) expect([2, 99]).toContain(installed.snap.revision);
          for (const { result, snap, 'instance-key': key } of results) {
            const before = random.context.find((one) => one['instance-key'] === key)?.revision;
            if (result === 'refresh' && before !== undefined) expect(snap?.revision).toBe(before);
          }
        }),
        { numRuns: 40 },
      );
      await hurried.cutDatabase();
      await fc.assert(
        fc.asyncProperty(arbitraryCall, async (random) => {
          await judge(hurried.url, headers, random);
        }),
        { numRuns: 20 },
      );
      await hurried.restoreDatabase();
    } finally {
      await hurried.stop();
    }
  });

  async function shareOf(one: DeviceStore): Promise<number> {
    const metrics = one.app.get<Metrics>(METRICS, { strict: false });
    const gauge = await metrics.registry.getSingleMetric('brandstore_refresh_shed_share')?.get();
    return gauge?.values[0]?.value ?? 0;
  }
});

/** Holds a snap for an hour. */
async function hold({ id: snapId }: TestSnap, reason: string): Promise<Date> {
  const until = new Date(Date.now() + 3_600_000);
  const row = {
    brandId: acme.id,
    scope: 'brand',
    snapId,
    from: new Date(0),
    until,
    reason,
  } as const;
  await store.resources.db.asBrand(acme.id, (tx) =>
    tx.insert(Hold, { ...row, personId: randomUUID() }),
  );
  await store.compile(acme);
  return until;
}

describe('a hold', () => {
  it('U5 is told to who asks for that one snap, and to nobody else', async () => {
    const [held, free] = [second(), third()];
    const until = await hold(held, 'year-end freeze');
    const { headers } = await newcomer();
    const both = [held, free].map(({ id }) => ({ id, revision: 1 }));
    const one = both.slice(0, 1);
    const person = await refreshAll(one, { headers });
    expect(person).toMatchObject({ failure: null, updates: {}, current: [] });
    const message = person.errors[held.id] ?? '';
    expect(message).toContain('year-end freeze');
    expect(message).toContain(until.toISOString().slice(0, 16));
    // Two at once: the held one does not fail the other, and is no failure itself.
    const two = await refreshAll(both, { headers });
    expect(two).toMatchObject({
      failure: null,
      errors: {},
      updates: { [free.id]: 2 },
      current: [held.id],
    });
    const automatic = await refreshAll(one, { headers: { ...headers, ...SCHEDULED } });
    expect(automatic).toMatchObject({ failure: null, errors: {}, updates: {}, current: [held.id] });
  });
});

describe('assertion fetches', () => {
  /** Every row of every table of the store, as text. */
  async function allRows(): Promise<Map<string, string[]>> {
    return store.resources.db.asSystem(async (tx) => {
      const tables = await tx.query<{ name: string }[]>(
        `SELECT c.relname AS name FROM pg_class c WHERE c.relnamespace = 'store'::regnamespace AND c.relkind IN ('r', 'p')
           AND has_table_privilege(c.oid, 'SELECT') ORDER BY 1`,
      );
      const rows = new Map<string, string[]>();
      for (const { name } of tables) {
        const found = await tx.query<{ row: string }[]>(
          `SELECT t::text AS row FROM store."${name}" t ORDER BY 1`,
        );
        rows.set(
          name,
          found.map(({ row }) => row),
        );
      }
      return rows;
    });
  }

  it('U7 with an empty context change nothing but last-seen', async () => {
    const { headers, uid } = await newcomer();
    const installed = [{ id: first().id, revision: 2 }];
    await refreshAll(installed, { headers: { ...headers, ...SCHEDULED } });
    await store.services.facts.flush();
    const fetch = async () => {
      const group = {
        action: 'fetch-assertions',
        key: 'g',
        assertions: [{ type: 'snap-declaration', 'primary-key': ['16', first().id] }],
      };
      const { results } = await refresh(store.url, {
        context: [],
        actions: [group],
        headers: { ...headers, ...SCHEDULED },
      });
      expect(results).toMatchObject([{ result: 'fetch-assertions', key: 'g' }]);
      await store.services.facts.flush();
    };
    const facts = () =>
      store.resources.db.asSystem((tx) =>
        tx.query<{ seen: Date; rest: string }[]>(
          `SELECT seen_at AS seen, (to_jsonb(f) - 'seen_at' - 'seen_gaps')::text AS rest FROM store.device_facts f WHERE device_uid = $1`,
          [uid],
        ),
      );
    // What the polls before are still to leave, its own first one among them, is no doing of what follows.
    await store.services.observations.flush();
    await store.services.decisionLog.flush();
    const before = await allRows();
    expect([...before.keys()]).toEqual(
      expect.arrayContaining(['device_facts', 'devices', 'outbox', 'audit_log']),
    );
    const [known] = await facts();
    await fetch();
    expect(await allRows()).toEqual(before);
    // In the next slot of six hours (update-control.md 3.2).
    await shiftClock(store.databaseUrls.owner, 7 * 3_600_000);
    try {
      await expect
        .poll(() => store.resources.db.clock.aheadMs, { timeout: 30_000 })
        .toBeGreaterThan(3_600_000);
      await fetch();
      const after = await allRows();
      for (const [table, rows] of before)
        if (table !== 'device_facts') expect(after.get(table), table).toEqual(rows);
      const [seen] = await facts();
      expect(seen?.rest).toBe(known?.rest);
      expect(Number(seen?.seen) - Number(known?.seen)).toBeGreaterThan(6.9 * 3_600_000);
      const others = (all: Map<string, string[]>) =>
        all.get('device_facts')?.filter((row) => !row.includes(uid));
      expect(others(after)).toEqual(others(before));
    } finally {
      await shiftClock(store.databaseUrls.owner, 0);
      await expect
        .poll(() => store.resources.db.clock.aheadMs, { timeout: 30_000 })
        .toBeLessThan(60_000);
    }
  });

  it('U7 make no automatic repeat of what a person asks next', async () => {
    const { headers } = await newcomer();
    await refresh(store.url, { context: [], actions: [], headers: { ...headers, ...SCHEDULED } });
    await hold(second(), 'not now');
    const person = await refreshAll([{ id: second().id, revision: 1 }], { headers });
    expect(Object.keys(person.errors)).toEqual([second().id]);
  });
});

describe('old and new clients', () => {
  const headersOf = (version: string) => ({
    'user-agent': `snapd/${version} (series 16) ubuntu-core/18 (amd64) linux/4.15.0`,
  });
  const post = async (body: unknown, headers: Record<string, string>) => {
    const answer = await ask(`${store.url}/v2/snaps/refresh`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'snap-device-architecture': 'amd64',
        ...headers,
      },
      body: JSON.stringify(body),
    });
    expect(answer.status).toBe(200);
    return answer
      .json<WireAnswer>()
      .results.map(({ result, name, snap }) => [result, name, snap?.revision]);
  };

  it('U8 a poll with the least that old snapd sends, and one with more than is known, are answered alike', async () => {
    // Of a device that was never seen ahead: what goes back unasked has been reverted (U74).
    const own = (await newcomer()).headers;
    const { id } = first();
    const bare = { 'snap-id': id, 'instance-key': id, revision: 1, 'tracking-channel': 'stable' };
    const wish = { action: 'install', 'instance-key': 'install-1', name: third().name };
    const oldest = {
      context: [bare],
      actions: [{ action: 'refresh', 'instance-key': id, 'snap-id': id }, wish],
      fields: ['snap-id', 'revision'],
    };
    const [asOld] = [await post(oldest, { ...own, ...headersOf('2.42.1') })];
    expect(asOld).toEqual([
      ['refresh', first().name, 2],
      ['install', third().name, 2],
    ]);
    // Not even fields, and null where newer ones leave out.
    const nulls = {
      'refreshed-date': null,
      'cohort-key': null,
      'validation-sets': null,
      held: null,
      'ignore-validation': null,
    };
    const nullish = {
      context: [{ ...bare, ...nulls, epoch: { read: [0], write: [0] } }],
      actions: [
        {
          ...oldest.actions[0],
          channel: null,
          revision: null,
          'cohort-key': null,
          'validation-sets': null,
        },
        { ...wish, epoch: null, channel: null, 'validation-sets': null },
      ],
    };
    expect(await post(nullish, { ...own, ...headersOf('2.45') })).toEqual(asOld);
    const future = {
      context: [
        {
          ...bare,
          epoch: { read: [0], write: [0] },
          held: { by: ['system'], since: 1 },
          mood: ['good'],
          components: [{ name: 'c', revision: 3 }],
          'validation-sets': [['16', acme.id, 'set', '1']],
        },
      ],
      actions: [
        {
          ...oldest.actions[0],
          colour: 'blue',
          'validation-sets': [['16', acme.id, 'set', '1']],
          resources: [1],
        },
        { ...wish, epoch: null, mood: { good: true } },
      ],
      fields: [...FIELDS, 'resources', 'colour'],
      'assertion-max-formats': { 'no-such-type': 4 },
      weather: { sunny: true },
    };
    expect(await post(future, { ...own, ...headersOf('3.99+git7') })).toEqual(asOld);
  });
});

describe('stops', () => {
  const stop = async (level: 2 | 3, revision: number, scope: Partial<EmergencyStop> = {}) => {
    await store.resources.db.asBrand(acme.id, (tx) =>
      tx.insert(EmergencyStop, {
        brandId: acme.id,
        scope: 'revision',
        snapId: first().id,
        revision,
        level,
        reason: 'it bricks',
        personId: randomUUID(),
        ...scope,
      }),
    );
    await store.compile(acme);
  };
  const lift = async () => {
    await store.resources.db.asBrand(acme.id, (tx) =>
      tx.query(`UPDATE store.emergency_stops SET lifted_at = app.now() WHERE brand_id = $1`, [
        acme.id,
      ]),
    );
    await store.compile(acme);
  };
  /** The device has the first snap in revision 1, was offered 2, and has taken nothing of it yet. */
  const offered = async () => {
    const { scripted, uid } = await newcomer();
    const { id, name } = first();
    scripted.installed.set(id, { snapId: id, name, revision: 1, channel: 'latest/stable' });
    const offer = await scripted.poll(name);
    expect(offer.snap?.revision).toBe(2);
    return { scripted, offer, uid, url: offer.snap?.download?.url ?? '' };
  };
  const revisionNow = (scripted: ScriptedDevice) => scripted.installedAs(first().name).revision;

  it('U92 level 2: a running download fails at the redirect, the device is unharmed and polls on', async () => {
    const { scripted, offer, url } = await offered();
    const headers = { 'x-device-authorization': `Macaroon root="${scripted.session}"` };
    const link = await ask(url, { headers });
    expect(link.status).toBe(302);
    // Half of it arrives before the stop.
    const part = await fetch(link.headers.get('location') ?? '', {
      headers: { range: 'bytes=0-999' },
    });
    expect([part.status, (await part.arrayBuffer()).byteLength]).toEqual([206, 1000]);
    await stop(2, 2);
    const resumed = await ask(url, { headers: { ...headers, range: 'bytes=1000-' } });
    // Below 500, so that snapd gives up at once (F20).
    expect([resumed.status, resumed.headers.get('location')]).toEqual([403, null]);
    await expect(scripted.fetchAndInstall(offer)).rejects.toThrow('status 403');
    expect(revisionNow(scripted)).toBe(1);
    expect(await scripted.poll(first().name)).toMatchObject({
      result: 'refresh',
      snap: { revision: 1 },
    });
    await lift();
    await scripted.fetchAndInstall(await scripted.poll(first().name));
    expect(revisionNow(scripted)).toBe(2);
  });

  it('U92 level 3: the change fails at validation, the old revision stays active, the next poll is normal', async () => {
    const { scripted, offer, url, uid } = await offered();
    const outside = await newcomer();
    const bytes = await scripted.download(url);
    const digest = createHash('sha3-384').update(bytes).digest('base64url');
    // For a fleet with this one device.
    const fleetId = await store.resources.db.asBrand(acme.id, async (tx) => {
      const fleet = await tx.save(
        tx.create(Fleet, { brandId: acme.id, name: 'bricks', priority: 50, predicate: null }),
      );
      await tx.insert(FleetMember, { brandId: acme.id, fleetId: fleet.id, deviceUid: uid });
      return fleet.id;
    });
    await stop(3, 0, { scope: 'fleet', fleetId, snapId: null, revision: null });
    expect((await scripted.assertion(`snap-revision/${digest}`)).status).toBe(404);
    expect((await outside.scripted.assertion(`snap-revision/${digest}`)).status).toBe(200);
    expect((await scripted.assertion(`snap-declaration/16/${first().id}`)).status).toBe(200);
    // As after the download: the bytes are there, the assertion is fetched anew before anything changes (F12).
    scripted.download = () => Promise.resolve(bytes);
    await expect(scripted.fetchAndInstall(offer)).rejects.toThrow(/snap-revision.*404/);
    expect(revisionNow(scripted)).toBe(1);
    expect(await scripted.poll(first().name)).toMatchObject({
      result: 'refresh',
      snap: { revision: 1 },
    });
    await lift();
    await scripted.fetchAndInstall(await scripted.poll(first().name));
    expect(revisionNow(scripted)).toBe(2);
  });

  it('U92 level 3 for a revision withholds only the assertion of that revision', async () => {
    const { scripted } = await offered();
    const digestOf = async (channel: string) => {
      const action = {
        action: 'download',
        'instance-key': 'download-1',
        name: first().name,
        channel,
      };
      const { results } = await refresh(store.url, { actions: [{ ...action, epoch: null }] });
      const hex = results[0]?.snap?.download['sha3-384'] ?? '';
      return Buffer.from(hex, 'hex').toString('base64url');
    };
    const [good, bad] = [await digestOf('latest/edge'), await digestOf('latest/stable')];
    await stop(3, 2);
    const status = async (digest: string) =>
      (await scripted.assertion(`snap-revision/${digest}`)).status;
    expect([await status(good), await status(bad)]).toEqual([200, 404]);
    await lift();
    expect(await status(bad)).toBe(200);
  });
});
