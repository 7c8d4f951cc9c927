import { readFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { decodeAssertion, header } from '#libs/assertions';
import { shiftClock } from '#libs/database';
import type { ScriptedDevice } from '../../tools/clients/device.js';
import { ask } from '../../tools/clients/http.js';
import { levelHeaders } from '../device/support/real-headers.js';
import { install, poll, SCHEDULED, sessionHeader } from '../device/support/refreshing.js';
import { AdminStore, SNAPS, literal, type Person } from './support/admin-store.js';
import { passerBy, StoreWorld, type Tenant } from './support/store-world.js';

const HOUR = 3_600_000;
/** Each waits for compilations of a worker, on a machine that may be busy. */
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

/** Stands where a vault would, to see what arrives there; the vault itself is tried in its own tests. */
const seen: { path: string | undefined; headers: IncomingHttpHeaders }[] = [];
const vault = createServer((request, response) => {
  seen.push({ path: request.url, headers: request.headers });
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end('{"request-id":"REQ-1"}');
});
let vaultUrl: string;
let store: AdminStore;
let world: StoreWorld;
let operator: Tenant;
let acme: Tenant;
let globex: Tenant;
/** Its devices name no store; so ACME's policy is made anew for no other reason than what ACME takes. */
let initech: Tenant;
/** ACME's second store. */
let second: string;
let inMain: ScriptedDevice;
let inSecond: ScriptedDevice;
let withoutStore: ScriptedDevice;
let globexDevice: ScriptedDevice;

const args = (values: Record<string, unknown>): string => literal(values).slice(1, -1);
const act = (who: Tenant, name: string, values: Record<string, unknown>, selection?: string) =>
  world.act(
    who.admin,
    `${name}(${args({ brand: who.brandId, reason: 'as agreed', ...values })})`,
    selection,
  );
const refused = (who: Tenant, name: string, values: Record<string, unknown>) =>
  who.admin.act(`${name}(${args({ brand: who.brandId, reason: 'as agreed', ...values })})`);
const grant = async (
  who: Tenant,
  snap: string,
  input: Record<string, unknown>,
): Promise<{ id: string; state: unknown }> => {
  const { id = '', state } = await act(
    who,
    'grantLicence',
    { snap, input },
    '... on Licence { id state }',
  );
  return { id, state };
};
const actionsOf = async (who: Person, brand: string): Promise<string[]> => {
  const { auditLog } = await who.ask<{ auditLog: { edges: { node: { action: string } }[] } }>(
    `auditLog(brand: "${brand}", first: 500) { edges { node { action } } }`,
  );
  return auditLog.edges.map(({ node }) => node.action);
};

beforeAll(async () => {
  await new Promise<void>((resolve) => vault.listen(0, '127.0.0.1', resolve));
  vaultUrl = `http://127.0.0.1:${(vault.address() as AddressInfo).port}`;
  store = await AdminStore.start({ env: { VAULT_URL: vaultUrl } });
  world = new StoreWorld(store);
  acme = await world.tenant(store.brand, 'acme');
  globex = await world.tenant(await store.createBrand('globex'), 'globex');
  initech = await world.tenant(await store.createBrand('initech'), 'initech');
  operator = await world.tenant(store.installation.store.operatorAccountId, 'operator');
  const made = await world.act(
    acme.admin,
    `createStore(brand: "${acme.brandId}", input: {name: "second"})`,
    '... on Store { id }',
  );
  second = made.id ?? '';
  await Promise.all([
    (async () => {
      await world.publish(acme, 'compressed-xz', { isPrivate: true });
      await world.publish(acme, 'acme-control-plane', { store: second });
      await world.publish(acme, 'compressed-zstd');
    })(),
    (async () => {
      await world.publish(globex, 'compressed-lzo');
      await world.publish(globex, 'compressed-gzip', { isPrivate: true });
      await world.publish(globex, 'acme-dashboard');
    })(),
    (async () => {
      await world.publish(operator, 'acme-base');
      await world.publish(operator, 'with-component');
    })(),
  ]);
  inMain = await world.device(acme, 'gateway', acme.storeId);
  inSecond = await world.device(acme, 'panel', second);
  withoutStore = await world.device(initech, 'plain', null);
  globexDevice = await world.device(globex, 'robot', globex.storeId);
});
afterAll(async () => {
  await store?.stop();
  vault.close();
});

describe('several stores', () => {
  it('S3 a device sees the store that its model names and no other', async () => {
    await world.expectThere(inMain, 'compressed-zstd');
    await world.expectGone(inMain, 'acme-control-plane');
    await world.expectThere(inSecond, 'acme-control-plane');
    await world.expectGone(inSecond, 'compressed-zstd');
    expect(await world.seenBy(inMain)).toEqual(['compressed-xz', 'compressed-zstd']);
    expect(await world.seenBy(inSecond)).toEqual(['acme-control-plane']);
    expect(await world.seenBy(globexDevice)).toEqual([
      'acme-dashboard',
      'compressed-gzip',
      'compressed-lzo',
    ]);
    // What admins are told of a store is what its devices see.
    expect(await world.contentOf(acme, acme.storeId)).toEqual(await world.seenBy(inMain));
    expect(await world.contentOf(acme, second)).toEqual(await world.seenBy(inSecond));
    // Naming another store does not help a session.
    const elsewhere = await inMain.refresh([], { 'snap-device-store': second });
    expect(elsewhere.status).toBe(401);
  });

  it('public snaps exist for whoever names no store, with or without serial, and where a store allows them', async () => {
    const open = [
      'acme-base',
      'acme-control-plane',
      'acme-dashboard',
      'compressed-lzo',
      'compressed-zstd',
      'with-component',
    ];
    await world.expectThere(withoutStore, 'with-component');
    await world.expectThere(passerBy(withoutStore, null), 'with-component');
    expect(await world.seenBy(withoutStore)).toEqual(open);
    expect(await world.seenBy(passerBy(withoutStore, null))).toEqual(open);
    await world.expectGone(inSecond, 'with-component');
    const { id } = await act(
      acme,
      'updateStore',
      { store: second, input: { allowPublic: true } },
      '... on Store { id allowPublic }',
    );
    expect(id).toBe(second);
    await world.expectThere(inSecond, 'with-component');
    expect(await world.seenBy(inSecond)).toEqual(open);
    await act(acme, 'updateStore', { store: second, input: { allowPublic: false } });
    await world.expectGone(inSecond, 'with-component');
    expect(
      await refused(acme, 'updateStore', { store: second, input: { allowPublic: false } }),
    ).toMatchObject({ __typename: 'Invalid' });
  });
});

/** What `snap find`, `snap info` and the catalogue of a device show. */
function shownTo(device: ScriptedDevice) {
  const get = async <T>(path: string): Promise<{ status: number; said: T }> => {
    const store = device.options.model.headers['store'];
    const said = {
      session: device.session || null,
      store: typeof store === 'string' ? store : null,
    };
    const headers = levelHeaders(path.startsWith('/v2/') ? 2 : 1, said);
    const answer = await ask(`${world.url}${path}`, { headers });
    return { status: answer.status, said: answer.json<T>() };
  };
  interface Found {
    readonly name: string;
    readonly snap: { readonly summary: string; readonly media: { type: string; url: string }[] };
  }
  return {
    find: async (query: string): Promise<Found[]> =>
      (await get<{ results: Found[] }>(`/v2/snaps/find?${query}`)).said.results,
    info: (name: string) =>
      get<{ snap?: Record<string, unknown>; 'channel-map'?: { revision: number }[] }>(
        `/v2/snaps/info/${name}?architecture=amd64`,
      ),
    commands: async (): Promise<string[]> => {
      interface Names {
        readonly _embedded: Record<string, { package_name: string; apps: string[] }[]>;
      }
      const { said } = await get<Names>('/api/v1/snaps/names');
      const listed = said._embedded['clickindex:package'] ?? [];
      return listed.flatMap(({ package_name: name, apps }) => apps.map((app) => `${name}/${app}`));
    },
    sections: async (): Promise<string[]> => {
      interface Sections {
        readonly _embedded: Record<string, { name: string }[]>;
      }
      const { said } = await get<Sections>('/api/v1/snaps/sections');
      return (said._embedded['clickindex:sections'] ?? []).map(({ name }) => name);
    },
  };
}
const namesOf = (found: readonly { name: string }[]): string[] => found.map(({ name }) => name);

describe('looking around', () => {
  it('S16 a free snap of the public store is found, shown and installed by any device, also without a serial', async () => {
    const callers = [
      withoutStore,
      passerBy(withoutStore, null),
      passerBy(withoutStore, operator.storeId),
    ];
    for (const caller of callers) {
      await world.expectThere(caller, 'with-component');
      const shown = shownTo(caller);
      expect(namesOf(await shown.find('q=component'))).toEqual(['with-component']);
      expect(namesOf(await shown.find('name=with-comp'))).toEqual(['with-component']);
      const { status, said } = await shown.info('with-component');
      expect([status, said['channel-map']?.[0]?.revision]).toEqual([200, 1]);
      expect(said.snap).toMatchObject({ summary: 'with-component of ACME', prices: {} });
      const { checked } = await caller.fetchAndInstall(await caller.install('with-component'));
      expect(checked).toContainEqual(expect.stringMatching(/^snap-revision\//));
    }
  });

  it('S33 a user of a device finds, inspects and installs snaps of the store that the model names, and of no other', async () => {
    const shown = shownTo(inMain);
    expect(namesOf(await shown.find('q=compressed'))).toEqual(['compressed-xz', 'compressed-zstd']);
    expect(namesOf(await shown.find('q=acme&private=true'))).toEqual(['compressed-xz']);
    expect(namesOf(await shown.find('category=featured'))).toEqual([
      'compressed-xz',
      'compressed-zstd',
    ]);
    expect(await shown.commands()).toEqual([
      'compressed-xz/compressed-xz',
      'compressed-zstd/compressed-zstd',
    ]);
    for (const name of ['compressed-xz', 'compressed-zstd']) {
      const { status, said } = await shown.info(name);
      expect([status, said.snap?.['summary']]).toEqual([200, `${name} of ACME`]);
      const { bytes } = await inMain.fetchAndInstall(await inMain.install(name));
      expect(bytes.equals(readFileSync(join(SNAPS, `${name}_1.snap`)))).toBe(true);
    }
    // Another store of the same brand, and another brand's.
    for (const other of ['acme-control-plane', 'compressed-lzo']) {
      expect(namesOf(await shown.find(`name=${other}`))).toEqual([]);
      expect((await shown.info(other)).status).toBe(404);
    }
    expect(namesOf(await shownTo(inSecond).find('q=acme'))).toEqual(['acme-control-plane']);
  });

  it('a brand chooses what its store features, and into which categories it puts the rest', async () => {
    const put = (snap: string, categories: readonly string[]) =>
      acme.admin.act(`setSnapCategories(${args({ brand: acme.brandId, snap, categories })})`);
    expect((await put('compressed-zstd', ['featured', 'tools'])).__typename).toBe('Snap');
    expect((await put('compressed-xz', ['tools'])).__typename).toBe('Snap');
    const shown = shownTo(inMain);
    expect(await shown.sections()).toEqual(['featured', 'tools']);
    expect(namesOf(await shown.find('category=featured'))).toEqual(['compressed-zstd']);
    expect(namesOf(await shown.find('category=tools'))).toEqual([
      'compressed-xz',
      'compressed-zstd',
    ]);
    for (const wrong of [['Tools'], ['a b'], ['x'.repeat(41)], Array.from('abcdefghijk')])
      expect((await put('compressed-xz', wrong)).__typename).toBe('Invalid');
    expect(await put('no-such-snap', [])).toMatchObject({ __typename: 'NotFound' });
    expect(await actionsOf(acme.admin, acme.brandId)).toContain('set-categories');
  });

  it('D66 the icon of an uploaded snap is shown, and served as it stands in the file', async () => {
    const [found] = await shownTo(globexDevice).find('name=acme-dashboard');
    const [icon] = found?.snap.media ?? [];
    expect(icon?.type).toBe('icon');
    const headers = { 'user-agent': 'Go-http-client/1.1', 'accept-encoding': 'gzip' };
    const answer = await fetch(icon?.url ?? '', { headers });
    expect([answer.status, answer.headers.get('content-encoding')]).toEqual([200, null]);
    const text = await answer.text();
    // As test/snaps/make.py put it there.
    expect(text).toMatch(/^<svg xmlns="[^"]+" width="64" height="64">.*<\/svg>$/);
    expect(answer.headers.get('content-length')).toBe(String(text.length));
    expect((await shownTo(inMain).find('name=compressed-xz'))[0]?.snap.media).toEqual([]);
  });
});

describe('inclusions', () => {
  const inclusions = async (store = second): Promise<{ id: string; snapName: string | null }[]> =>
    (
      await acme.admin.ask<{ inclusions: { id: string; snapName: string | null }[] }>(
        `inclusions(brand: "${acme.brandId}", store: "${store}") { id snapName includedStoreName }`,
      )
    ).inclusions;
  const include = (snaps: readonly string[], store = second) =>
    act(acme, 'includeSnaps', { store, snaps });
  const exclude = async (store = second): Promise<void> => {
    for (const { id } of await inclusions(store)) await act(acme, 'removeInclusion', { store, id });
  };

  it('S4 chosen snaps of another store or of the public one, or all of one; what is not included does not exist', async () => {
    await include(['compressed-zstd', 'with-component']);
    await world.expectThere(inSecond, 'compressed-zstd');
    await world.expectThere(inSecond, 'with-component');
    await world.expectGone(inSecond, 'acme-base');
    await world.expectGone(inSecond, 'compressed-lzo');

    await include(['acme-base'], acme.storeId);
    await act(acme, 'includeStore', { store: second, from: globex.storeId });
    await world.expectThere(inMain, 'acme-base');
    await world.expectThere(inSecond, 'compressed-lzo');
    // All that is public there, and nothing else: neither what is private, nor what another store of the brand takes.
    await world.expectGone(inSecond, 'compressed-gzip');
    await world.expectGone(inSecond, 'acme-base');
    await exclude(acme.storeId);
    await world.expectGone(inMain, 'acme-base');
    await act(acme, 'includeStore', { store: second, from: 'public' });
    await act(acme, 'includeStore', { store: second, from: 'public' });
    await world.expectThere(inSecond, 'acme-base');
    expect((await inclusions()).map(({ snapName }) => snapName).sort()).toEqual(
      ['compressed-zstd', 'with-component', null, null].sort(),
    );

    // The other store of the brand has nothing of it.
    expect(await world.seenBy(inMain)).toEqual(['compressed-xz', 'compressed-zstd']);
    await exclude();
    await world.expectGone(inSecond, 'compressed-zstd');
    await world.expectGone(inSecond, 'compressed-lzo');
    await world.expectGone(inSecond, 'acme-base');
    expect(await world.seenBy(inSecond)).toEqual(['acme-control-plane']);
  });

  it('nobody includes what is not public, nor learns that it is there', async () => {
    const hidden = await refused(acme, 'includeSnaps', {
      store: second,
      snaps: ['compressed-gzip'],
    });
    const never = await refused(acme, 'includeSnaps', { store: second, snaps: ['no-such-snap'] });
    expect(hidden.__typename).toBe('NotFound');
    expect(hidden.message?.replace('compressed-gzip', 'no-such-snap')).toBe(never.message);
    const own = await refused(acme, 'includeSnaps', { store: second, snaps: ['compressed-xz'] });
    expect([own.__typename, own.message]).toEqual([
      'Invalid',
      expect.stringContaining('needs a licence'),
    ]);
    for (const [name, values] of [
      ['includeSnaps', { store: globex.storeId, snaps: ['compressed-zstd'] }],
      ['includeStore', { store: globex.storeId, from: second }],
      ['includeStore', { store: second, from: 'nowhere' }],
      ['removeInclusion', { store: second, id: 'x' }],
      ['updateStore', { store: globex.storeId, input: { allowPublic: true } }],
    ] as const)
      expect((await refused(acme, name, values)).__typename, name).toBe('NotFound');
    const itself = await refused(acme, 'includeStore', { store: second, from: second });
    expect(itself.__typename).toBe('Invalid');
    const dumb = await refused(acme, 'includeStore', {
      store: second,
      from: 'public',
      reason: ' ',
    });
    expect(dumb.__typename).toBe('Invalid');
  });

  it('S5 essential snaps: bases of the public store and nothing else of it, and an image of own and foreign snaps with all its assertions', async () => {
    await world.expectGone(inSecond, 'acme-base');
    await include(['with-component'], acme.storeId);
    await act(acme, 'updateStore', { store: second, input: { essentialSnaps: true } });
    await world.expectThere(inSecond, 'acme-base');
    // Another store of the brand takes it; to this one it is not essential.
    await world.expectThere(inMain, 'with-component');
    await world.expectGone(inSecond, 'with-component');
    await exclude(acme.storeId);
    await world.expectGone(inMain, 'with-component');
    // An image builder has no session; it names the model's store.
    const builder = passerBy(inSecond, second);
    for (const name of ['acme-base', 'acme-control-plane']) {
      const { checked } = await builder.fetchAndInstall(await builder.install(name));
      expect(checked).toContainEqual(expect.stringMatching(/^snap-revision\//));
    }
    await act(acme, 'updateStore', { store: second, input: { essentialSnaps: false } });
    await world.expectGone(inSecond, 'acme-base');
  });
});

describe('licences', () => {
  it('S17 a private snap exists only for its publisher’s accounts and the stores and models entitled to it', async () => {
    const snap = 'compressed-xz';
    const others = [
      inSecond,
      withoutStore,
      globexDevice,
      passerBy(inMain, null),
      passerBy(inMain, acme.storeId),
    ];
    await world.expectThere(inMain, snap);
    for (const other of others) await world.expectGone(other, snap);

    // Publishers: its own account has it, to any other it is no snap at all.
    const own = await acme.publisher.account();
    expect(Object.keys(own.snaps['16'] ?? {})).toContain(snap);
    const theirs = await globex.publisher.account();
    expect(Object.keys(theirs.snaps['16'] ?? {})).not.toContain(snap);
    const asked = await globex.publisher.push({ name: snap, dry_run: true });
    const never = await globex.publisher.push({ name: 'no-such-snap', dry_run: true });
    expect([asked.status, asked.text.replaceAll(snap, 'no-such-snap')]).toEqual([404, never.text]);
    const licence = { snap, input: { store: globex.storeId } };
    const stolen = await refused(globex, 'grantLicence', licence);
    expect(stolen.__typename).toBe('NotFound');

    const toStore = await grant(acme, snap, { store: second });
    expect(toStore.state).toBe('running');
    await world.expectThere(inSecond, snap);
    for (const other of others.slice(1)) await world.expectGone(other, snap);
    const toModel = await grant(acme, snap, { model: `${initech.brandId}/plain` });
    await act(initech, 'acceptLicence', { id: toModel.id });
    await world.expectThere(withoutStore, snap);
    await act(acme, 'endLicence', { id: toStore.id });
    await act(acme, 'endLicence', { id: toModel.id });
    for (const other of others) await world.expectGone(other, snap);
    await world.expectThere(inMain, snap);
  });

  it('S6 a snap of another publisher is licensed to a store or a model; without it, it does not exist there, and ending it hides it', async () => {
    const snap = 'compressed-gzip';
    await world.expectGone(inMain, snap);
    const toStore = await grant(globex, snap, { store: acme.storeId });
    const toModel = await grant(globex, snap, { model: `${acme.brandId}/panel` });
    // Not before the one who gets it agrees: what a store does not take does not exist there.
    expect([toStore.state, toModel.state]).toEqual(['offered', 'offered']);
    await store.settled();
    await world.expectGone(inMain, snap);
    expect((await refused(globex, 'acceptLicence', { id: toStore.id })).__typename).toBe(
      'NotFound',
    );
    for (const { id } of [toStore, toModel]) await act(acme, 'acceptLicence', { id });
    await world.expectThere(inMain, snap);
    await world.expectThere(inSecond, snap);
    await world.expectGone(withoutStore, snap);
    expect(await world.contentOf(acme, second)).not.toContain(snap);
    expect(await world.contentOf(acme, second, 'panel')).toContain(snap);

    const { licences } = await acme.admin.ask<{ licences: { snapName: string; state: string }[] }>(
      `licences(brand: "${acme.brandId}") { snapName state ownerId storeId model }`,
    );
    expect(licences.filter(({ snapName }) => snapName === snap)).toEqual([
      expect.objectContaining({ state: 'running', model: 'panel', ownerId: globex.brandId }),
      expect.objectContaining({ state: 'running', storeId: acme.storeId }),
    ]);
    // Either side ends it. A licence for a model is none for the brand's other models.
    await act(acme, 'endLicence', { id: toStore.id });
    await world.expectGone(inMain, snap);
    await world.expectThere(inSecond, snap);
    await act(globex, 'endLicence', { id: toModel.id });
    await world.expectGone(inSecond, snap);
    expect((await refused(globex, 'endLicence', { id: toModel.id })).__typename).toBe('Conflict');
    expect((await refused(operator, 'endLicence', { id: toStore.id })).__typename).toBe('NotFound');
    for (const side of [acme, globex])
      expect(await actionsOf(side.admin, side.brandId)).toEqual(
        expect.arrayContaining(['grant-licence', 'accept-licence', 'end-licence']),
      );
  });

  it('S34 a snap that the maker paid for is updated free of charge on the maker’s devices, and not visible to others', async () => {
    const snap = 'acme-dashboard';
    const { id } = world.wanted(snap);
    await world.expectThere(withoutStore, snap);
    const prices = [{ currency: 'EUR', amount: '4.99' }];
    const priced = await act(globex, 'setPrices', { snap, prices }, '... on Snap { prices }');
    expect(priced['prices']).toEqual({ EUR: '4.99' });
    const others = [inSecond, withoutStore, passerBy(inMain, null), passerBy(inMain, acme.storeId)];
    for (const other of [inMain, ...others]) await world.expectGone(other, snap);
    const hidden = await refused(acme, 'includeSnaps', { store: second, snaps: [snap] });
    expect(hidden.__typename).toBe('NotFound');

    const licence = await grant(globex, snap, { store: acme.storeId });
    await act(acme, 'acceptLicence', { id: licence.id });
    await world.expectThere(inMain, snap);
    const headers = sessionHeader(inMain.session);
    // No price is asked: it is paid already, and snapd would want to buy what shows one.
    expect((await install(world.url, { name: snap }, headers)).snap?.['prices']).toEqual({});
    const file = `${import.meta.dirname}/../snaps/${snap}_2.snap`;
    expect((await globex.publisher.upload(snap, file, ['stable'])).revision).toBe(2);
    const update = () => poll(world.url, { id, revision: 1 }, { ...headers, ...SCHEDULED });
    await expect
      .poll(async () => (await update()).snap?.revision, { timeout: 90_000, interval: 200 })
      .toBe(2);
    expect((await update()).snap?.['prices']).toEqual({});
    await inMain.fetchAndInstall(await inMain.install(snap));
    for (const other of others) await world.expectGone(other, snap);

    await act(globex, 'setPrices', { snap, prices: [] });
    await world.expectThere(withoutStore, snap);
    const wrong = [{ currency: 'euro', amount: '-1' }];
    expect(await refused(globex, 'setPrices', { snap, prices: wrong })).toMatchObject({
      problems: [{ path: 'prices[0].currency' }, { path: 'prices[0].amount' }],
    });
  });

  it('dates act by themselves: nothing is compiled when a licence begins or ends', async () => {
    const snap = 'compressed-gzip';
    const at = (hours: number) => new Date(Date.now() + hours * HOUR).toISOString();
    const licence = await grant(globex, snap, {
      store: acme.storeId,
      startsAt: at(1),
      endsAt: at(2),
    });
    await act(acme, 'acceptLicence', { id: licence.id });
    await store.settled();
    const versions = async (): Promise<unknown[]> =>
      (await store.owner.query<object>('SELECT * FROM store.policy_versions ORDER BY brand_id'))
        .rows;
    const before = await versions();
    await world.expectGone(inMain, snap);
    await shiftClock(store.installation.databaseUrls.owner, 1.5 * HOUR);
    await world.expectThere(inMain, snap);
    await shiftClock(store.installation.databaseUrls.owner, 2.5 * HOUR);
    await world.expectGone(inMain, snap);
    expect(await versions()).toEqual(before);
    const over = { snap, input: { store: acme.storeId, endsAt: at(1) } };
    expect((await refused(globex, 'grantLicence', over)).__typename).toBe('Invalid');
    await shiftClock(store.installation.databaseUrls.owner, 0);
  });
});

describe('store assertions', () => {
  const issue = (input: Record<string, unknown>, brand = acme) =>
    refused(brand, 'issueStoreAssertion', { store: acme.storeId, input });

  it('S8 a store assertion is issued with URL and friendly stores; a device given it as proxy store talks to us', async () => {
    const path = `store/${acme.storeId}`;
    expect((await inMain.assertion(path)).status).toBe(404);
    const view = '... on StoreAssertion { revision url friendlyStores }';
    const values = { store: acme.storeId, input: { friendlyStores: [second] } };
    expect(await act(acme, 'issueStoreAssertion', values, view)).toMatchObject({
      revision: 0,
      url: world.url,
      friendlyStores: [second],
    });
    // The administrator of a device fetches it with its chain, and says `snap set system proxy.store=…`.
    const assertion = decodeAssertion(Buffer.from((await inMain.assertion(path)).text));
    expect(assertion.headers).toMatchObject({
      store: acme.storeId,
      'operator-id': acme.brandId,
      url: world.url,
      'friendly-stores': [second],
    });
    expect((await inMain.assertion(`account/${acme.brandId}`)).status).toBe(200);
    expect((await inMain.assertion(`account-key/${assertion.signKeyId}`)).status).toBe(200);

    const proxy = header(assertion, 'url');
    const root = await ask(`${proxy}/`, { method: 'HEAD' });
    expect(root.status).toBe(200);
    expect(Number(root.headers.get('snap-store-version'))).toBeGreaterThanOrEqual(6);
    const service = `${vaultUrl}/`;
    const registered = await ask(`${proxy}/api/v1/snaps/auth/request-id`, {
      method: 'POST',
      headers: { 'x-snap-device-service-url': service, 'api-key': 'of the gadget' },
    });
    expect([registered.status, registered.text]).toEqual([200, '{"request-id":"REQ-1"}']);
    expect(seen).toMatchObject([
      {
        path: '/api/v1/snaps/auth/request-id',
        headers: { 'x-snap-device-service-url': service, 'api-key': 'of the gadget' },
      },
    ]);
    await inMain.openSession();
    const { checked } = await inMain.fetchAndInstall(await inMain.install('compressed-zstd'));
    expect(checked).toContainEqual(expect.stringMatching(/^snap-revision\//));

    // A change is a new revision.
    const moved = { store: acme.storeId, input: { url: 'https://store.acme.example/' } };
    expect(await act(acme, 'issueStoreAssertion', moved, view)).toMatchObject({
      revision: 1,
      url: 'https://store.acme.example/',
      friendlyStores: [],
    });
    expect((await inMain.assertion(path)).text).toContain('\nurl: https://store.acme.example/\n');
  });

  it('nobody speaks for another brand’s store, and none is called a friend that is not one’s own', async () => {
    expect((await issue({}, globex)).__typename).toBe('NotFound');
    expect((await issue({ friendlyStores: [globex.storeId] })).__typename).toBe('Invalid');
    expect((await issue({ friendlyStores: [acme.storeId] })).__typename).toBe('Invalid');
    expect((await issue({ url: 'ftp://acme.example' })).__typename).toBe('Invalid');
    expect((await issue({ url: 'https://acme.example/?q' })).__typename).toBe('Invalid');
    expect(
      await acme.admin.ask(`storeAssertion(brand: "${acme.brandId}", store: "${second}") { url }`),
    ).toEqual({ storeAssertion: null });
  });
});
