import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import {
  decodeAssertions,
  encodeAssertions,
  header,
  uniqueRef,
  type Assertion,
} from '#libs/assertions';
import { ScriptedDevice } from '../../tools/clients/device.js';
import { ask } from '../../tools/clients/http.js';
import { Publisher } from '../../tools/clients/publisher.js';
import { AdminStore, Enum, SNAPS, literal, type Result } from '../admin/support/admin-store.js';
import { StoreWorld, type Tenant } from '../admin/support/store-world.js';
import { CliUser, type CliRun } from '../cli/support/run-cli.js';
import { makeSigner } from '../device/support/device-store.js';
import { assertFile, newId, Vendor, type Published } from './support/vendor.js';

/** Each waits for compilations of a worker, on a machine that may be busy. */
vi.setConfig({ testTimeout: 180_000, hookTimeout: 240_000 });

let store: AdminStore;
let world: StoreWorld;
let operatorCli: CliUser;
let operator: Tenant;
let acme: Tenant;
let vendor: Vendor;
let own: Assertion[];
let base: Published;

const login = async (email: string, password: string): Promise<CliUser> => {
  const user = new CliUser();
  const args = ['login', '--url', world.url, '--email', email, '--password-stdin'];
  expect(await user.run(args, password)).toMatchObject({ status: 0 });
  return user;
};
const importAs = (who: CliUser, { file, assert }: Published, ...more: string[]): Promise<CliRun> =>
  who.run(['import', file, assert, ...more, '--json']);
/** As the command does it, without a process for each. */
const imported = async (
  { file, assert }: Published,
  channels = ['latest/stable'],
  who = operator,
): Promise<Result> => {
  const uploadId = await who.publisher.sendBlob(file);
  const input = { uploadId, assertions: readFileSync(assert, 'utf8'), channels };
  return who.admin.act(
    `importSnap(brand: "${who.brandId}", input: ${literal(input)})`,
    '... on ImportedSnap { isNew }',
  );
};
/** Everything that an import could leave behind. */
const traces = async (): Promise<unknown> => {
  const { rows } = await store.owner.query<object>(
    `SELECT (SELECT count(*) FROM store.blobs) AS blobs, (SELECT count(*) FROM store.snaps) AS snaps,
       (SELECT count(*) FROM store.snap_revisions) AS revisions, (SELECT count(*) FROM store.uploads) AS uploads,
       (SELECT count(*) FROM store.lane_events) AS releases, (SELECT count(*) FROM store.foreign_assertions) AS assertions`,
  );
  return rows[0];
};
const served = async (path: string): Promise<string> =>
  (await ask(`${world.url}/v2/assertions/${path}?max-format=7`)).text;
/** The same device with other roots built in. */
const trusting = (device: ScriptedDevice, ...trusted: Assertion[]): ScriptedDevice => {
  const other = new ScriptedDevice({ ...device.options, trusted });
  other.session = device.session;
  return other;
};

beforeAll(async () => {
  store = await AdminStore.start();
  world = new StoreWorld(store);
  vendor = await Vendor.make();
  const {
    operatorEmail,
    password = '',
    operatorAccountId,
    rootAssertions,
  } = store.installation.store;
  own = decodeAssertions(readFileSync(rootAssertions));
  acme = await world.tenant(store.brand, 'acme');
  operator = await world.tenant(operatorAccountId, 'operator');
  const boss = await login(operatorEmail, password);
  const root = ['root', 'trust', assertFile(vendor.trusted), '--reason', 'bases and snapd'];
  expect((await boss.run(root)).out).toContain('VENDOR (vendor)');
  operatorCli = await login(operator.admin.email, operator.admin.password);
  base = await vendor.publish('acme-base_1.snap', 'acme-base', 1974);
});
afterAll(() => store?.stop());

describe('relay', () => {
  let device: ScriptedDevice;

  it('an imported revision reaches devices of a store that includes it, byte for byte', async () => {
    const run = await importAs(operatorCli, base);
    expect(run.err).toBe('');
    expect(run.json()).toMatchObject({
      ...{ name: 'acme-base', revision: 1974, type: 'base', publisher: 'acme-base-makers' },
      ...{ rootId: vendor.id, channels: ['latest/stable'], isNew: true },
    });
    const wish = { brand: acme.brandId, store: acme.storeId, snaps: ['acme-base'], reason: 'base' };
    await world.act(acme.admin, `includeSnaps(${literal(wish).slice(1, -1)})`);
    device = await world.device(acme, 'gateway', acme.storeId);
    const isThere = async (): Promise<boolean> => 'snap' in (await device.install('acme-base'));
    await expect.poll(isThere, { timeout: 90_000 }).toBe(true);
    const dual = trusting(device, ...own, ...vendor.trusted);
    const offer = await dual.install('acme-base');
    expect(offer).toMatchObject({ 'effective-channel': 'latest/stable', snap: { revision: 1974 } });
    const { bytes, checked } = await dual.fetchAndInstall(offer);
    expect(bytes.equals(readFileSync(base.file))).toBe(true);
    expect(checked).toContain(`account-key/${vendor.storeSigner.publicKey.id}`);
    for (const paper of [...base.papers, ...vendor.trusted])
      expect(await served(uniqueRef(paper))).toBe(paper.bytes.toString());
  });

  it('is told to devices with the publisher that its root names, and in streams without the roots', async () => {
    const headers = { 'snap-device-series': '16', 'snap-device-store': acme.storeId };
    const shown = await ask(`${world.url}/v2/snaps/info/acme-base?fields=publisher`, { headers });
    expect(shown.json<{ snap: { publisher: unknown } }>().snap.publisher).toEqual({
      id: header(base.publisher, 'account-id'),
      ...{ username: 'acme-base-makers', 'display-name': 'ACME-BASE-MAKERS' },
      validation: 'verified',
    });
    const declared = base.declaration.primaryKey;
    const wanted = [{ type: 'snap-declaration', 'primary-key': declared }];
    const fetched = await device.refresh([
      { action: 'fetch-assertions', key: 'k', assertions: wanted },
    ]);
    const [url = ''] =
      fetched.json<{ results: { 'assertion-stream-urls': string[] }[] }>().results[0]?.[
        'assertion-stream-urls'
      ] ?? [];
    const types = decodeAssertions(Buffer.from((await ask(url)).text)).map(uniqueRef);
    expect(types.sort()).toEqual(
      [vendor.storeKey, base.publisher, base.declaration].map(uniqueRef).sort(),
    );
  });

  it('once more changes nothing, and leaves no second file', async () => {
    const before = await traces();
    expect((await importAs(operatorCli, base)).json()).toMatchObject({ isNew: false });
    expect(await traces()).toEqual(before);
  });

  it('goes under update control as any other: a protected lane takes it by a rollout only', async () => {
    const first = await vendor.publish('acme-kernel_1.snap', 'acme-kernel', 10);
    const next = await vendor.publishAs(
      'acme-kernel_2.snap',
      ...([first.publisher, first.declaration, 11] as const),
    );
    await imported(first);
    const releaser = await store.addPerson('rob@op.example', ['releaser'], operator.brandId);
    const lane = { brand: operator.brandId, snap: 'acme-kernel', channel: 'latest/stable' };
    await world.act(
      releaser,
      `setLaneProtected(${literal({ ...lane, isProtected: true }).slice(1, -1)})`,
    );
    const before = await traces();
    expect((await imported(next)).message).toMatch(/protected.*make a rollout of revision 11/);
    expect(await traces()).toEqual(before);
    expect((await imported(next, [])).message).toBeUndefined();
    expect((await operator.publisher.release('acme-kernel', 11, ['edge'])).status).toBe(200);
  });

  it('a root speaks for its own snaps only, on whatever device', async () => {
    await expect(
      trusting(device, ...own).fetchAndInstall(await device.install('acme-base')),
    ).rejects.toThrow(/cannot trust account|no account-key|circular|not/);
    await world.publish(acme, 'acme-control-plane');
    await world.expectThere(device, 'acme-control-plane');
    const offer = await device.install('acme-control-plane');
    await trusting(device, ...own).fetchAndInstall(offer);
    await expect(trusting(device, ...vendor.trusted).fetchAndInstall(offer)).rejects.toThrow(
      'cannot trust',
    );
  });

  it('nobody but the root signs for it here: no upload, no edited declaration', async () => {
    const upload = await operator.publisher.upload('acme-base', base.file).catch(String);
    expect(upload).toContain('relayed from the root');
    const reviewer = await store.addPerson('ruth@operator.example', ['reviewer'], operator.brandId);
    const edit = {
      brand: operator.brandId,
      snap: 'acme-base',
      reason: 'r',
      input: { aliases: [] },
    };
    const refused = await reviewer.act(`editSnapDeclaration(${literal(edit).slice(1, -1)})`);
    expect(refused.message).toContain(`the root of account ${vendor.id} signs it`);
  });
});

describe('what is refused leaves nothing behind', () => {
  const cases: readonly [what: string, make: () => Promise<Published>, says: RegExp][] = [
    [
      'a root that nobody configured',
      async () => (await Vendor.make()).publish('compressed-xz_1.snap', 'compressed-xz', 1),
      /is no root that this store relays/,
    ],
    [
      'other bytes than the snap-revision speaks of',
      async () => ({
        ...(await vendor.publish('compressed-xz_1.snap', 'compressed-xz', 1)),
        file: join(SNAPS, 'compressed-lzo_1.snap'),
      }),
      /are not the \d+ that the snap-revision speaks of/,
    ],
    [
      'a name inside that is not the declared one',
      () => vendor.publish('compressed-xz_1.snap', 'compressed-zz', 1),
      /calls itself 'compressed-xz'/,
    ],
    [
      'a chain with a missing link',
      async () => {
        const one = await vendor.publish('compressed-xz_1.snap', 'compressed-xz', 1);
        return { ...one, assert: assertFile(one.papers.filter(({ type }) => type !== 'account')) };
      },
      /account\/\w+ is needed and is neither in the batch nor known/,
    ],
    [
      'a tampered declaration',
      async () => {
        const one = await vendor.publish('compressed-xz_1.snap', 'compressed-xz', 1);
        const text = readFileSync(one.assert, 'utf8').replace(
          'snap-name: compressed',
          'snap-name: xompressed',
        );
        writeFileSync(one.assert, text);
        return one;
      },
      /signature/,
    ],
    [
      'a revision by somebody whom the declaration does not name',
      async () => {
        const one = await vendor.publish('compressed-xz_1.snap', 'compressed-xz', 1);
        const signer = makeSigner();
        const key = await vendor.key(header(one.publisher, 'account-id'), 'own', signer);
        const change = { 'authority-id': header(one.publisher, 'account-id') };
        const revision = await vendor.revision(one.declaration, one.file, 1, change, signer);
        return { ...one, assert: assertFile([...one.papers.slice(0, 3), key, revision]) };
      },
      /not (allowed|authorized|trusted)|may not|cannot take/,
    ],
    [
      'two snaps at once',
      async () => {
        const [a, b] = [base, await vendor.publish('compressed-xz_1.snap', 'compressed-xz', 1)];
        return { ...b, assert: assertFile([...a.papers, ...b.papers]) };
      },
      /exactly one snap-revision/,
    ],
    [
      'text that is no assertion',
      async () => {
        const one = await vendor.publish('compressed-xz_1.snap', 'compressed-xz', 1);
        writeFileSync(one.assert, 'hello');
        return one;
      },
      /cannot take this assertion/,
    ],
    [
      'the name of a snap of ours',
      async () => {
        await acme.publisher.register('acme-gadget');
        return vendor.publish('acme-gadget_1.snap', 'acme-gadget', 1);
      },
      /the name is that of another snap here/,
    ],
    [
      'the id of a snap of ours',
      async () => {
        const publisher = await vendor.account(newId(), 'thief');
        const id = await store.snapId('acme-control-plane');
        const declaration = await vendor.declaration(id, 'acme-control-plane', publisher);
        return vendor.publishAs('acme-control-plane_1.snap', publisher, declaration, 1);
      },
      /this store itself speaks for it/,
    ],
    [
      'an account of ours',
      async () => {
        const publisher = await vendor.account(acme.brandId, 'acme');
        const declaration = await vendor.declaration(newId(), 'compressed-xz', publisher);
        return vendor.publishAs('compressed-xz_1.snap', publisher, declaration, 1);
      },
      /cannot take account \w+ from the root of account \w+: this store itself speaks for it/,
    ],
    [
      'a key of ours',
      async () => {
        const one = await vendor.publish('compressed-xz_1.snap', 'compressed-xz', 1);
        const key = await vendor.key(header(one.publisher, 'account-id'), 'x', acme.signer);
        return { ...one, assert: assertFile([...one.papers, key]) };
      },
      /cannot take account-key [\w-]+ from the root/,
    ],
  ];
  it.each(cases)('%s', async (_what, make, says) => {
    const published = await make();
    // Registered names and keys are there before, the import adds nothing.
    const before = await traces();
    expect((await imported(published)).message).toMatch(says);
    expect(await traces()).toEqual(before);
  });

  it('a revision number or bytes that are taken, and a brand that does not relay the snap', async () => {
    const before = await traces();
    const again = await vendor.publishAs(
      'acme-base_1.snap',
      base.publisher,
      base.declaration,
      1975,
    );
    expect((await importAs(operatorCli, again)).err).toMatch(
      /revision 1974 is here with these bytes/,
    );
    expect((await imported(base, [], acme)).message).toContain('another brand relays it');
    const cut = await importAs(operatorCli, { ...again, file: join(SNAPS, 'bad-truncated.snap') });
    expect([cut.status, cut.err]).toEqual([1, expect.stringContaining('cannot import this file')]);
    expect(await traces()).toEqual(before);
    const missing = await operatorCli.run([
      'import',
      join(inject('stackDir'), 'none.snap'),
      base.assert,
    ]);
    expect([missing.status, missing.err]).toEqual([2, expect.stringContaining('cannot read')]);
  });
});

describe('delegation', () => {
  it('a brand under the foreign root publishes what a device takes that trusts this root alone', async () => {
    const signer = makeSigner();
    const account = await vendor.account(newId(), 'globex');
    const brandId = header(account, 'account-id');
    const key = await vendor.key(brandId, 'models', signer);
    const boss = store.operator;
    const learn = { assertions: encodeAssertions([vendor.storeKey, account, key]).toString() };
    await world.act(boss, `learnAccounts(${literal(learn).slice(1, -1)})`);
    const brand = { id: brandId, username: 'globex', displayName: 'Globex' };
    const first = { validation: new Enum('verified'), firstStore: { name: 'globex' } };
    const created = await world.act(
      boss,
      `createBrand(input: ${literal({ ...brand, ...first })})`,
      '... on Brand { stores { id } }',
    );
    const [{ id: storeId = '' } = {}] = created['stores'] as { id: string }[];
    const admin = await store.addPerson('g@globex.example', ['admin', 'publisher'], brandId);
    const publisher = new Publisher(world.url);
    await publisher.login(admin.email, admin.password);
    const globex: Tenant = { ...{ brandId, storeId, admin, publisher, signer } };

    const delegates = [{ 'account-id': brandId, provenance: ['acme-prod'] }];
    const declaration = await vendor.declaration(newId(), 'acme-agent', account, {
      'revision-authority': delegates,
    });
    const file = join(SNAPS, 'acme-agent_1.snap');
    const change = { 'authority-id': brandId, provenance: 'acme-prod' };
    const sign = (more: Record<string, string>, by = signer) =>
      vendor.revision(declaration, file, 1, { ...change, ...more }, by);
    const chain = [vendor.storeKey, account, key, declaration];
    const papersOf = async (revision: Promise<Assertion>): Promise<Published> => ({
      ...{ file, declaration, publisher: account, papers: [] },
      assert: assertFile([...chain, await revision]),
    });
    const before = await traces();
    for (const [revision, says] of [
      [sign({ provenance: 'other-prod' }), /not/],
      [
        sign({ 'authority-id': vendor.id, provenance: 'global-upload' }, vendor.storeSigner),
        /its provenance is acme-prod/,
      ],
    ] as const)
      expect((await imported(await papersOf(revision), [], globex)).message).toMatch(says);
    expect(await traces()).toEqual(before);
    const made = await imported(await papersOf(sign({})), ['latest/stable'], globex);
    expect(made).toMatchObject({ isNew: true });

    const stock = trusting(await world.device(globex, 'robot', storeId), ...vendor.trusted);
    const isThere = async (): Promise<boolean> => 'snap' in (await stock.install('acme-agent'));
    await expect.poll(isThere, { timeout: 90_000 }).toBe(true);
    const offer = await stock.install('acme-agent');
    await expect(stock.fetchAndInstall(offer)).rejects.toThrow('404');
    const { checked } = await stock.fetchAndInstall(offer, 'latest/stable', 'acme-prod');
    expect(checked).toContain(`account-key/${signer.publicKey.id}`);
    expect(checked.filter((one) => one.startsWith('account/'))).toEqual([`account/${brandId}`]);
  });

  it('nothing of ours speaks for a brand that is bound to the foreign root', async () => {
    const globex = (
      await store.operator.ask<{ brands: { id: string; username: string }[] }>(
        'brands { id username }',
      )
    ).brands.find(({ username }) => username === 'globex');
    const change = { brand: globex?.id, displayName: 'Other' };
    const refused = await store.operator.act(`updateBrand(${literal(change).slice(1, -1)})`);
    expect(refused.message).toContain(`it stands under the root of account ${vendor.id}`);
  });
});
