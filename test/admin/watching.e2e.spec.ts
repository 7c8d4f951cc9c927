import { createHash, randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { BrandEvent, DeviceRolloutState, Hold, Membership, shiftClock } from '#libs/database';
import { NoticeService } from '#libs/operations';
import { GraphQLClient } from '../../tools/clients/graphql.js';
import { Subscription } from '../../tools/clients/subscription.js';
import { Enum, Person, literal } from './support/admin-store.js';
import { SteeredStore } from './support/steered-store.js';

/** Days of a fleet pass in one test, on a machine that may be busy. */
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

interface Told {
  readonly events: { readonly seq: number; readonly kind: string; readonly subject: string };
}
interface Progress {
  readonly rolloutProgress: {
    readonly state: string;
    readonly progress: readonly { readonly updated: number }[];
  };
}
const LIMIT = { timeout: 60_000, interval: 50 };

let store: SteeredStore;
const open: Subscription<unknown>[] = [];

beforeAll(async () => {
  store = await SteeredStore.start();
});
afterEach(() => {
  for (const one of open.splice(0)) one.stop();
});
afterAll(() => store?.stop());

async function follow<T>(field: string, bearer = store.planner.token): Promise<Subscription<T>> {
  const query = `subscription { ${field} }`;
  const started = await Subscription.start<T>(`${store.url}/graphql`, bearer, query);
  open.push(started);
  return started;
}
const events = (after?: number): string =>
  `events(brand: "${store.brand.id}"${after === undefined ? '' : `, after: ${after}`}) { seq kind subject }`;
const progress = (id: string): string =>
  `rolloutProgress(brand: "${store.brand.id}", id: "${id}") { state progress { updated } }`;

/** A token of the planner's, and somebody who uses it. */
async function machine(more: string): Promise<Person & { readonly tokenId: string }> {
  const made = await store.planner.act(
    `createApiToken(brand: "${store.brand.id}", input: {description: "ci", expiresInDays: 1, ${more}})`,
    '... on ApiToken { id secret }',
  );
  const secret = String(made['secret']);
  const client = new GraphQLClient(`${store.url}/graphql`).as(secret);
  const person = new Person(client, secret, store.planner.personId, '', '');
  return Object.assign(person, { tokenId: made.id ?? '' });
}

describe('subscriptions', () => {
  it('tell what the brand is told of as it happens, from a number on without a gap', async () => {
    const live = await follow<Told>(events());
    const snap = await store.released(`followed-${randomUUID().slice(0, 8)}`, [1]);
    await store.wire.revision(snap, 2, {});
    await store.settle();
    const fleetId = await store.fleet('followed', 610);
    const rollout = await store.rollout({ fleetId, snap: snap.name, revision: 2 });
    const ofRollout = ({ seen }: Subscription<Told>): string[] =>
      seen
        .filter(({ events: one }) => one.subject === `rollout:${rollout.id}`)
        .map((one) => one.events.kind);
    await vi.waitFor(() => expect(ofRollout(live)).toContain('wave-opened'), LIMIT);
    expect(ofRollout(live).slice(0, 2)).toEqual(['approval-requested', 'approval-decided']);

    const again = await follow<Told>(events(0));
    const last = live.seen.at(-1)?.events.seq ?? 0;
    await vi.waitFor(
      () => expect(again.seen.at(-1)?.events.seq).toBeGreaterThanOrEqual(last),
      LIMIT,
    );
    const numbers = again.seen.map(({ events: one }) => one.seq);
    expect(numbers).toEqual(numbers.map((_, index) => index + 1));
    await store.on(store.planner, 'pauseRollout', rollout, 'reason: "look"');
    await vi.waitFor(() => {
      for (const one of [live, again]) expect(one.seen.at(-1)?.events.seq).toBeGreaterThan(last);
    }, LIMIT);
  });

  it('show a rollout as it goes on to whoever may see it, and to nobody else', async () => {
    const snap = await store.released(`shown-${randomUUID().slice(0, 8)}`, [1]);
    await store.wire.revision(snap, 2, {});
    await store.settle();
    const fleetId = await store.fleet('progress', 611);
    const device = await store.device({ fleet: 'progress' });
    await store.offered(device, snap, 1);
    const other = await store.fleet('progress-too', 612);
    const rollout = await store.rollout({
      fleetId,
      snap: snap.name,
      revision: 2,
      waves: [{ percent: 100, isManual: true }],
    });
    const near = await machine(`roles: [operator], fleets: ["${fleetId}"]`);
    const far = await machine(`roles: [operator], fleets: ["${other}"]`);
    const watched = await follow<Progress>(progress(rollout.id), near.token);
    await vi.waitFor(
      () =>
        expect(watched.seen[0]?.rolloutProgress).toMatchObject({
          state: 'ACTIVE',
          progress: [{ updated: 0 }],
        }),
      LIMIT,
    );
    await store.offered(device, snap, 2);
    await store.wire.services.facts.flush();
    await store.on(store.planner, 'pauseRollout', rollout, 'reason: "look"');
    await vi.waitFor(
      () =>
        expect(watched.seen.at(-1)?.rolloutProgress).toMatchObject({
          state: 'PAUSED',
          progress: [{ updated: 1 }],
        }),
      LIMIT,
    );
    const refused = await follow<Progress>(progress(rollout.id), far.token);
    const brandwide = await follow<Told>(events(), near.token);
    const stranger = await follow<Told>(events(), 'brandstore_session_nobody');
    for (const one of [refused, brandwide, stranger])
      await vi.waitFor(() => expect(one.ended).toMatch(/^cannot/), LIMIT);
    expect([refused.seen, brandwide.seen, stranger.seen]).toEqual([[], [], []]);
  });

  it('end with the token, the session and the role', async () => {
    const { db } = store.wire.resources;
    const bot = await machine('roles: [viewer]');
    const byToken = await follow<Told>(events(), bot.token);
    const byRole = await follow<Told>(events(), store.approver.token);
    const goesOn = await follow<Told>(events());
    const fleets = [613, 614].map((priority) => store.fleet(`ends-${priority}`, priority));
    await Promise.all(fleets);
    await store.call('revokeApiToken', { id: bot.tokenId });
    const gone = { brandId: store.brand.id, personId: store.approver.personId };
    const kept = await db.asSystem((tx) => tx.findBy(Membership, gone));
    await db.asSystem((tx) => tx.delete(Membership, gone));
    await vi.waitFor(() => expect(byToken.ended).toContain('without login'), LIMIT);
    await vi.waitFor(() => expect(byRole.ended).toMatch(/^cannot/), LIMIT);
    expect(goesOn.ended).toBeUndefined();
    await db.asSystem((tx) => tx.insert(Membership, kept));
  });
});

describe('notices', () => {
  it('a hold that ends soon and devices that went back are told of once, however often somebody looks', async () => {
    const { db } = store.wire.resources;
    const notices = new NoticeService({ db });
    const told = async (kind: string): Promise<unknown[]> => {
      await Promise.all([notices.tell(), notices.tell()]);
      const rows = await db.asSystem((tx) =>
        tx.findBy(BrandEvent, { brandId: store.brand.id, kind }),
      );
      return rows.map(({ detail }) => detail);
    };
    const fleetId = await store.fleet('noticed', 615);
    const until = (hours: number): string => new Date(Date.now() + hours * 3_600_000).toISOString();
    const made = await store.act(
      'hold',
      { fleetId, reason: 'year-end', until: until(30) },
      '... on Hold { id }',
    );
    await store.act('hold', { fleetId, reason: 'far away', until: until(300) });
    expect(await told('hold-expiring')).toEqual([]);
    const hold = { id: made.id ?? '' };
    await db.asSystem((tx) =>
      tx.update(Hold, hold, { until: new Date(until(5)), createdAt: new Date(until(-25)) }),
    );
    expect(await told('hold-expiring')).toMatchObject([{ scope: 'fleet', reason: 'year-end' }]);

    const snap = await store.released(`back-${randomUUID().slice(0, 8)}`, [1]);
    await store.wire.revision(snap, 2, {});
    await store.settle();
    const rollout = await store.rollout({ fleetId, title: 'bad', snap: snap.name, revision: 2 });
    const ofDevice = async (): Promise<void> => {
      const { uid: deviceUid } = await store.device({ fleet: 'noticed' });
      await db.asSystem((tx) =>
        tx.insert(DeviceRolloutState, {
          ...{ rolloutId: rollout.id, deviceUid, instanceKey: snap.id, brandId: store.brand.id },
          ...{ snapId: snap.id, revision: 2, step: 'REVERTED', state: {} },
        }),
      );
    };
    await ofDevice();
    await ofDevice();
    expect(await told('device-reverted')).toEqual([{ title: 'bad', devices: 2 }]);
    await ofDevice();
    expect(await told('device-reverted')).toHaveLength(1);
  });
});

describe('tokens', () => {
  it('U101 a token for fleet X does not pause fleet Y, list its devices or learn of them; ended or replaced it fails at once, and only its hash is kept', async () => {
    const snap = await store.released(`scoped-${randomUUID().slice(0, 8)}`, [1]);
    await store.wire.revision(snap, 2, {});
    await store.settle();
    const fleets = { x: await store.fleet('scope-x', 620), y: await store.fleet('scope-y', 621) };
    const mine = await store.device({ fleet: 'scope-x' });
    const theirs = await store.device({ fleet: 'scope-y' });
    for (const device of [mine, theirs]) await store.offered(device, snap, 1);
    await store.wire.services.facts.flush();
    const waves = [{ percent: 100, isManual: true }];
    const order = { snap: snap.name, revision: 2, waves };
    const x = await store.rollout({ ...order, fleetId: fleets.x });
    const y = await store.rollout({ ...order, fleetId: fleets.y });
    const bot = await machine(`roles: [operator, releaser], fleets: ["${fleets.x}"]`);

    const pause = (
      id: string,
    ): Promise<{ readonly __typename: string; readonly message?: string }> =>
      store.on(bot, 'pauseRollout', { id }, 'reason: "by the machine"');
    expect(await pause(x.id)).toMatchObject({ __typename: 'Rollout', state: 'PAUSED' });
    const other = await pause(y.id);
    expect(other.__typename).toBe('Forbidden');
    expect(await store.on(store.planner, 'resumeRollout', y)).toMatchObject({
      __typename: 'Conflict',
    });
    // What is not there is answered in the same words.
    expect((await pause(randomUUID())).message).toBe(other.message);

    const {
      devices,
      rollouts,
      fleets: seen,
    } = await bot.ask<{
      devices: { edges: { node: { uid: string } }[] };
      rollouts: { edges: { node: { id: string } }[] };
      fleets: { id: string }[];
    }>(
      `devices(brand: "${store.brand.id}") { edges { node { uid } } }
       rollouts(brand: "${store.brand.id}") { edges { node { id } } } fleets(brand: "${store.brand.id}") { id }`,
    );
    expect(devices.edges.map(({ node }) => node.uid)).toEqual([mine.uid]);
    expect(rollouts.edges.map(({ node }) => node.id)).toEqual([x.id]);
    expect(seen.map(({ id }) => id)).toEqual([fleets.x]);
    const asked = async (field: string): Promise<string> =>
      bot.ask(field).then(
        (answer) => JSON.stringify(answer),
        (error: Error) => error.message,
      );
    const nobody = randomUUID();
    const explained = (uid: string): Promise<string> =>
      asked(
        `explainDevice(brand: "${store.brand.id}", device: "${uid}", snap: "${snap.name}") { outcome }`,
      );
    expect(await explained(mine.uid)).toContain('STAY');
    expect(await explained(theirs.uid)).toBe(await explained(nobody));
    const device = (uid: string): Promise<string> =>
      asked(`device(brand: "${store.brand.id}", uid: "${uid}") { uid }`);
    expect(await device(theirs.uid)).toBe(await device(nobody));
    const previewed = (fleetId: string): Promise<string> =>
      asked(
        `previewRollout(brand: "${store.brand.id}", input: ${literal({ title: 't', channel: 'latest/stable', fleetId, snap: snap.name, revision: 2 })}) { population }`,
      );
    expect(await previewed(fleets.x)).toContain('"population":1');
    expect(await previewed(fleets.y)).toBe(await previewed(randomUUID()));
    const held = await bot.act(
      `hold(brand: "${store.brand.id}", input: ${literal({ deviceUid: theirs.uid, reason: 'no' })})`,
    );
    expect(held.__typename).toBe('Forbidden');
    const stopped = await bot.act(
      `stop(brand: "${store.brand.id}", input: ${literal({ scope: new Enum('fleet'), fleetId: fleets.y, level: 1, reason: 'no' })})`,
    );
    expect(stopped.__typename).toBe('Forbidden');

    const { db } = store.wire.resources;
    const rows = await db.asSystem((tx) =>
      tx.query<{ text: string }[]>(
        'SELECT to_jsonb(t)::text AS text FROM store.tokens t WHERE id = $1',
        [bot.tokenId],
      ),
    );
    const secretPart = bot.token.split('_').slice(2).join('_');
    expect(rows[0]?.text).not.toContain(secretPart);
    expect(rows[0]?.text).toContain(createHash('sha256').update(bot.token).digest('base64url'));

    // Replaced: the new one works, the old one no more.
    const next = await machine(`roles: [operator], fleets: ["${fleets.x}"]`);
    await store.call('revokeApiToken', { id: bot.tokenId });
    expect(await asked('me { email }')).toContain('without login');
    expect(await next.ask<object>('me { email }')).toBeTypeOf('object');
    await shiftClock(store.wire.databaseUrls.owner, 25 * 3_600_000);
    try {
      await vi.waitFor(
        () => expect(db.clock.now().getTime()).toBeGreaterThan(Date.now() + 24.5 * 3_600_000),
        LIMIT,
      );
      await expect(next.ask('me { email }')).rejects.toThrow('without login');
    } finally {
      await shiftClock(store.wire.databaseUrls.owner, 0);
    }
  });
});
