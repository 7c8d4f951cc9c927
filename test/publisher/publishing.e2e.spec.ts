import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  BrandService,
  CollaboratorService,
  MetadataService,
  ReviewQueueService,
  TrackService,
} from '#libs/operations';
import { cli, snapcraftAt } from './craft-store/library-client.js';
import { PASSWORD, startPublisherStore, type PublisherStore } from './publisher-store.js';
import type { SnapcraftClient, Answer, Body } from './snapcraft-client.js';

let store: PublisherStore;
let acme: SnapcraftClient;
let brandId: string;
const ids: Record<string, string> = {};

async function register(name: string, client = acme): Promise<string> {
  const answer = await client.post('/dev/api/register-name/', { snap_name: name, series: '16' });
  expect(answer.status).toBe(201);
  return (ids[name] = String(answer.json()['snap_id']));
}

async function upload(name: string, file: string, channels: string[] = []): Promise<string> {
  const url = await acme.upload(name, file, channels);
  await store.drainReviews();
  return url;
}

const map = async (name: string): Promise<Body> =>
  (await acme.get(`/api/v2/snaps/${name}/channel-map`)).json();
const open = async (name: string): Promise<string[]> =>
  [
    ...new Set(
      (await map(name))['channel-map'].map(({ channel, revision }) => `${channel}=${revision}`),
    ),
  ].sort();
const release = (name: string, revision: number, channel: string, client = acme): Promise<Answer> =>
  client.post('/dev/api/snap-release/', { name, revision: String(revision), channels: [channel] });

beforeAll(async () => {
  store = await startPublisherStore();
  brandId = (await store.addBrand('acme')).id;
  await store.addPerson(brandId, 'dev@acme.test', ['publisher']);
  acme = snapcraftAt(store.url);
  await acme.login('dev@acme.test', PASSWORD);
});
afterAll(() => store?.stop());

/** `names --format json`: of every entry all three keys are there, only the approved ones are listed. */
async function names(client: SnapcraftClient): Promise<string[]> {
  const { snaps } = (await client.get('/dev/api/account')).json();
  return Object.entries(snaps['16']).flatMap(([name, entry]) => {
    const { status, since, private: isPrivate } = entry as Record<string, unknown>;
    expect([typeof status, typeof since, typeof isPrivate]).toEqual([
      'string',
      'string',
      'boolean',
    ]);
    return status === 'Approved' ? [name] : [];
  });
}

describe('login', () => {
  it('S10 whoami shows mail address, user name and account id', async () => {
    const { account } = (await acme.get('/api/v2/tokens/whoami')).json();
    expect(account).toMatchObject({ email: 'dev@acme.test', username: 'acme', id: brandId });
  });
});

describe('names', () => {
  it(cli('P6 a refused registration is printed with its code and its message'), async () => {
    const other = (await store.addBrand('initech')).id;
    await store.addPerson(other, 'dev@initech.test', ['publisher']);
    const initech = snapcraftAt(store.url);
    await initech.login('dev@initech.test', PASSWORD);
    await register('taken-by-acme');
    const answer = await initech.post('/dev/api/register-name/', { snap_name: 'taken-by-acme' });
    expect(answer.status).toBe(409);
    // How the client prints errors: only when each has code and message (publisher-api.md 3.0).
    const { 'error-list': list } = answer.json() as unknown as {
      'error-list': { code: string; message: string }[];
    };
    const scripted = [
      'Store operation failed:',
      ...list.map((one) => `- ${one.code}: ${one.message}`),
    ].join('\n');
    expect(answer.printed ?? scripted).toBe(
      'Store operation failed:\n' +
        "- already_registered: The name 'taken-by-acme' is registered by somebody else; ask the operator of this store.",
    );
  });

  it(cli('P30 lists none, one, 200, and the snaps of others that are shared'), async () => {
    const other = (await store.addBrand('globex')).id;
    await store.addPerson(other, 'dev@globex.test', ['publisher']);
    const globex = snapcraftAt(store.url);
    await globex.login('dev@globex.test', PASSWORD);
    expect(await names(globex)).toEqual([]);
    await register('globex-one', globex);
    expect(await names(globex)).toEqual(['globex-one']);
    const many = Array.from({ length: 199 }, (_, n) => `globex-many-${n}`);
    for (const name of many) await register(name, globex);
    expect((await names(globex)).sort()).toEqual(['globex-one', ...many].sort());

    await register('shared-tool');
    await register('own-tool');
    const sharing = new CollaboratorService(store.resources);
    const order = { snap: 'shared-tool', username: 'globex' };
    // It is there for everybody, and nobody else's to publish.
    expect((await globex.get('/api/v2/snaps/shared-tool/channel-map')).status).toBe(403);
    await sharing.add(store.operator, brandId, order);
    await expect(sharing.add(store.operator, brandId, order)).rejects.toThrow('there already');
    expect(await sharing.list(brandId, 'shared-tool')).toMatchObject([{ username: 'globex' }]);
    const listed = await names(globex);
    expect(listed).toContain('shared-tool');
    expect(listed).not.toContain('own-tool');
    expect(await names(acme)).not.toContain('globex-one');
    expect((await globex.get('/api/v2/snaps/shared-tool/channel-map')).status).toBe(200);
    expect((await globex.get('/api/v2/snaps/own-tool/channel-map')).status).toBe(403);
    await sharing.remove(store.operator, brandId, order);
    expect(await names(globex)).not.toContain('shared-tool');
    expect((await globex.get('/api/v2/snaps/shared-tool/channel-map')).status).toBe(403);
  });

  it('a collaborator uploads and releases, in the name of the snap’s own brand', async () => {
    const globex = snapcraftAt(store.url);
    await globex.login('dev@globex.test', PASSWORD);
    await register('compressed-xz');
    const sharing = new CollaboratorService(store.resources);
    await sharing.add(store.operator, brandId, { snap: 'compressed-xz', username: 'globex' });
    const url = await globex.upload('compressed-xz', 'compressed-xz_1.snap', ['edge']);
    await store.drainReviews();
    expect((await globex.get(url)).json()).toMatchObject({ revision: 1, can_release: true });
    expect((await release('compressed-xz', 1, 'beta', globex)).status).toBe(200);
    expect(await open('compressed-xz')).toEqual(['latest/beta=1', 'latest/edge=1']);
    expect((await map('compressed-xz')).snap).toMatchObject({ publisher: { username: 'acme' } });
  });
});

describe('manual review', () => {
  const queue = (): ReviewQueueService => new ReviewQueueService(store.resources);

  it(cli('P41 releases nothing until a reviewer approves, then what was asked for'), async () => {
    await register('classic');
    const url = await upload('classic', 'classic_1.snap', ['edge', 'beta']);
    const waiting = (await acme.get(url)).json();
    // The client ends with 1 because of the errors, whatever the code says.
    expect(waiting).toMatchObject({ code: 'need_manual_review', processed: true, revision: 1 });
    expect(waiting.errors[0].message).not.toBe('');
    expect(await open('classic')).toEqual([]);
    expect((await release('classic', 1, 'edge')).status).toBe(404);
    const order = { snap: 'classic', revision: 1, reason: 'we know them' };
    await expect(
      queue().approve(store.operator, brandId, { ...order, reason: ' ' }),
    ).rejects.toThrow('reason');
    await queue().approve(store.operator, brandId, order);
    await store.drainReviews();
    expect(await open('classic')).toEqual(['latest/beta=1', 'latest/edge=1']);
    const done = (await acme.get(url)).json();
    expect(done).toMatchObject({ code: 'ready_to_release', can_release: true, revision: 1 });
    expect(done['errors'] ?? []).toEqual([]);
    await expect(queue().approve(store.operator, brandId, order)).rejects.toThrow(
      'waits for nobody',
    );
  });

  it('a refused upload tells its publisher why, and is never released', async () => {
    await register('superpower');
    const url = await upload('superpower', 'superpower_1.snap', ['edge']);
    await queue().reject(store.operator, brandId, {
      snap: 'superpower',
      revision: 1,
      reason: 'ask for less',
    });
    expect((await acme.get(url)).json()).toMatchObject({
      code: 'processing_error',
      errors: [{ message: 'a reviewer refused revision 1: ask for less' }],
    });
    expect(await store.drainReviews()).toBe(0);
    expect(await open('superpower')).toEqual([]);
  });
});

describe('types of snaps', () => {
  it('S15 gadget, kernel, base and app go all the way; a type without the brand’s right is refused', async () => {
    for (const name of ['acme-gadget', 'acme-kernel', 'acme-base', 'acme-dashboard']) {
      await register(name);
      const url = await upload(name, `${name}_1.snap`);
      expect((await acme.get(url)).json()).toMatchObject({ revision: 1, can_release: true });
      expect((await release(name, 1, 'stable')).status).toBe(200);
      expect(await open(name)).toContain('latest/stable=1');
    }
    const brands = new BrandService(store.resources);
    await brands.setSnapTypes(store.operator, brandId, []);
    for (const type of ['gadget', 'kernel', 'base']) {
      const refused = (await acme.get(await upload(`acme-${type}`, `acme-${type}_1.snap`))).json();
      const message = `acme may not publish snaps of type ${type}: ask the operator of the store for the right`;
      expect(refused).toMatchObject({ code: 'processing_error', errors: [{ message }] });
    }
    // Apps need no right.
    const app = (await acme.get(await upload('acme-dashboard', 'acme-dashboard_2.snap'))).json();
    expect(app).toMatchObject({ revision: 2 });
    await brands.setSnapTypes(store.operator, brandId, ['gadget', 'kernel', 'base', 'snapd', 'os']);
    const allowed = (await acme.get(await upload('acme-kernel', 'acme-kernel_2.snap'))).json();
    expect(allowed).toMatchObject({ revision: 2 });
  });
});

describe('tracks', () => {
  it('P65 a version that does not match the track’s pattern is refused, naming both', async () => {
    const tracks = new TrackService(store.resources);
    const set = (track: string, versionPattern: string | null) =>
      tracks.set(store.operator, brandId, { snap: 'acme-dashboard', track, versionPattern });
    await set('1', '1\\.[0-9]+');
    await upload('acme-dashboard', 'acme-dashboard_3.snap');
    expect((await release('acme-dashboard', 2, '1/stable')).status).toBe(200);
    const answer = await release('acme-dashboard', 3, '1/stable');
    expect(answer.status).toBe(400);
    const [{ message }] = answer.json().error_list;
    expect(message).toContain(`'2.0'`);
    expect(message).toContain(`'1\\.[0-9]+'`);
    // The whole version, not a part of it.
    await set('2', '[0-9]');
    expect((await release('acme-dashboard', 3, '2/stable')).status).toBe(400);
    expect((await release('acme-dashboard', 3, 'edge')).status).toBe(200);
    expect((await map('acme-dashboard')).snap.tracks).toMatchObject([
      { name: 'latest', 'version-pattern': null },
      { name: '1', 'version-pattern': '1\\.[0-9]+' },
      { name: '2', 'version-pattern': '[0-9]' },
    ]);
    await set('2', null);
    expect((await release('acme-dashboard', 3, '2/stable')).status).toBe(200);
    for (const [track, pattern] of [
      ['edge', null],
      ['a/b', null],
      ['-x', null],
      ['3', '('],
    ] as const)
      await expect(set(track, pattern)).rejects.toThrow('cannot use this track');
  });
});

describe('upload-metadata', () => {
  const send = (texts: object, method: 'POST' | 'PUT' = 'POST') =>
    acme.post(`/dev/api/snaps/${ids['acme-dashboard']}/metadata`, texts, undefined, method);

  it(
    cli('P66 can be repeated; a text that was edited in the store is a conflict, unless forced'),
    async () => {
      const texts = { summary: 'Shows the device', description: 'For ACME.' };
      expect((await send(texts)).status).toBe(200);
      expect((await send(texts)).status).toBe(200);
      const edited = await new MetadataService(store.resources).edit(store.operator, brandId, {
        snap: 'acme-dashboard',
        texts: { summary: 'As the console says', title: 'Dashboard' },
      });
      expect(edited).toMatchObject({ summary: 'As the console says', description: 'For ACME.' });
      const answer = await send({ ...texts, description: 'Another.' });
      expect(answer.status).toBe(409);
      expect(answer.json().error_list).toEqual([
        {
          code: 'conflict',
          message: 'Conflict on summary',
          extra: { name: 'summary', current: 'As the console says', value: 'Shows the device' },
        },
      ]);
      expect(answer.json()['error-list']).toEqual(answer.json().error_list);
      // Nothing of it was taken; what says the same is no conflict.
      const now = (): Promise<object[]> =>
        store.resources.db.asBrand(brandId, (tx) =>
          tx.query<object[]>(`SELECT title, summary, description FROM store.snaps WHERE id = $1`, [
            ids['acme-dashboard'],
          ]),
        );
      expect(await now()).toEqual([
        { title: 'Dashboard', summary: 'As the console says', description: 'For ACME.' },
      ]);
      expect((await send({ summary: 'As the console says' })).status).toBe(200);
      expect((await send({ title: 'Theirs' })).status).toBe(409);
      expect((await send({ title: 'Theirs', ...texts }, 'PUT')).status).toBe(200);
      expect(await now()).toEqual([{ title: 'Theirs', ...texts }]);
      // What was overwritten is the publisher's again.
      expect((await send({ title: 'Theirs once more' })).status).toBe(200);
    },
  );

  it(cli('P67 an icon is added, left alone, replaced and removed'), async () => {
    const path = `/dev/api/snaps/${ids['acme-dashboard']}/binary-metadata`;
    const png = (n: number): Buffer =>
      Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), Buffer.from([n])]);
    const hashOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
    /** As the client does: compares, and sends only what differs. Returns whether it sent anything. */
    const sync = async (icon: Buffer | null, method: 'POST' | 'PUT' = 'POST'): Promise<boolean> => {
      const there = JSON.parse((await acme.get(path)).text) as { type: string; hash: string }[];
      const current = there.find(({ type }) => type === 'icon');
      const hash = icon && hashOf(icon);
      if (current?.hash === (hash ?? undefined)) return false;
      const form = new FormData();
      const others = there.filter(({ type }) => type !== 'icon');
      if (icon) {
        const filename = '/home/dev/acme/meta/gui/icon.png';
        form.append(
          'info',
          JSON.stringify([...others, { type: 'icon', hash, key: 'icon', filename }]),
        );
        form.append('icon', new Blob([new Uint8Array(icon)]), 'icon.png');
      } else form.append('info', new Blob([JSON.stringify(others)]), '');
      const answer = await acme.postForm(path, form, method);
      expect(answer.status).toBe(200);
      return true;
    };
    const listed = async () => JSON.parse((await acme.get(path)).text) as object[];
    expect(await listed()).toEqual([]);
    expect(await sync(null)).toBe(false);
    expect(await sync(png(1))).toBe(true);
    expect(await listed()).toEqual([{ type: 'icon', hash: hashOf(png(1)), filename: 'icon.png' }]);
    expect(await sync(png(1))).toBe(false);
    expect(await sync(png(2), 'PUT')).toBe(true);
    expect(await listed()).toMatchObject([{ hash: hashOf(png(2)) }]);
    expect(await sync(null)).toBe(true);
    expect(await listed()).toEqual([]);
  });
});

describe('what a store has none of', () => {
  it(cli('P74 metrics of a snap without devices are empty, in both formats'), async () => {
    const ask = (change: object) =>
      acme.post('/dev/api/snaps/metrics', {
        filters: [
          {
            snap_id: ids['acme-dashboard'],
            metric_name: 'installed_base_by_version',
            start: '2026-08-19',
            end: '2999-08-19',
            ...change,
          },
        ],
      });
    // One answer for both: the format is the client's.
    expect((await ask({})).json()['metrics']).toEqual([
      {
        status: 'NO DATA',
        snap_id: ids['acme-dashboard'],
        metric_name: 'installed_base_by_version',
        buckets: [],
        series: [],
      },
    ]);
    const backwards = await ask({ start: '2026-08-20', end: '2026-08-19' });
    expect([backwards.status, backwards.json().error_list[0].code]).toEqual([
      400,
      'invalid-date-interval',
    ]);
    expect((await ask({ metric_name: 'shoe_size' })).status).toBe(400);
  });

  it(cli('P75 there are no confdb-schemas'), async () => {
    expect((await acme.get('/api/v2/confdb-schemas')).json()).toEqual({ assertions: [] });
  });

  it('terms may be accepted, though nobody is asked to', async () => {
    const agree = (accepted: boolean, authorization?: null): Promise<Answer> =>
      acme.post('/dev/api/agreement/', { latest_tos_accepted: accepted }, authorization);
    const agreed = await agree(true);
    expect([agreed.status, agreed.json()]).toEqual([
      200,
      { content: { latest_tos_accepted: true } },
    ]);
    expect((await agree(false)).status).toBe(400);
    expect((await agree(true, null)).status).toBe(401);
  });
});
