import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Lane, LaneEvent } from '#libs/database';
import { LaneService } from '#libs/operations';
import { cli, snapcraftAt } from './craft-store/library-client.js';
import { PASSWORD, startPublisherStore, type PublisherStore } from './publisher-store.js';
import type { SnapcraftClient, Body, ChannelTree } from './snapcraft-client.js';

let store: PublisherStore;
let acme: SnapcraftClient;
let brandId: string;
const ids: Record<string, string> = {};

beforeAll(async () => {
  store = await startPublisherStore();
  brandId = (await store.addBrand('acme')).id;
  await store.addPerson(brandId, 'dev@acme.test', ['publisher']);
  acme = snapcraftAt(store.url);
  await acme.login('dev@acme.test', PASSWORD);
  for (const name of [
    'acme-dashboard',
    'acme-kernel',
    'armhf-only',
    'devel-grade',
    'devmode',
    'acme-base',
  ]) {
    const answer = await acme.post('/dev/api/register-name/', { snap_name: name, series: '16' });
    ids[name] = String(answer.json()['snap_id']);
  }
  await store.resources.db.asBrand(brandId, (tx) =>
    tx.query(
      `UPDATE store.snaps SET tracks = '{latest,2.0}' WHERE name IN ('acme-dashboard', 'acme-base')`,
    ),
  );
  for (const n of [1, 2, 3]) await acme.upload('acme-dashboard', `acme-dashboard_${n}.snap`);
  for (const name of ['acme-kernel', 'armhf-only', 'devel-grade', 'devmode'])
    await acme.upload(name, `${name}_1.snap`);
  expect(await store.drainReviews()).toBe(7);
});
afterAll(() => store.stop());

const release = (name: string, revision: unknown, channels: string[], more = {}) =>
  acme.post('/dev/api/snap-release/', { name, revision, channels, ...more });
const close = (name: string, channels: string[]) =>
  acme.post(`/dev/api/snaps/${ids[name]}/close`, { channels });
const map = async (name: string): Promise<Body> =>
  (await acme.get(`/api/v2/snaps/${name}/channel-map`)).json();
const releases = async (name: string): Promise<Body> =>
  (await acme.get(`/api/v2/snaps/${name}/releases`)).json();
const state = async (name: string): Promise<ChannelTree> =>
  (await acme.get(`/dev/api/snaps/${ids[name]}/state?series=16`)).json().channel_map_tree;

const open = async (name: string, architecture = 'amd64'): Promise<string[]> =>
  (await map(name))['channel-map']
    .filter((row) => row.architecture === architecture)
    .map(({ channel, revision }) => `${channel}=${revision}`)
    .sort();

describe('a snap without releases', () => {
  it(cli('P59 has an empty map and all its tracks and risks'), async () => {
    const { 'channel-map': rows, snap } = await map('acme-base');
    expect(rows).toEqual([]);
    const track = { 'creation-date': null, 'version-pattern': null };
    expect(snap['tracks']).toEqual([
      { name: 'latest', status: 'default', ...track },
      { name: '2.0', status: 'active', ...track },
    ]);
    const channelsOf = (track: string): object[] =>
      [
        { risk: 'stable', fallback: null },
        { risk: 'candidate', fallback: `${track}/stable` },
        { risk: 'beta', fallback: `${track}/candidate` },
        { risk: 'edge', fallback: `${track}/beta` },
      ].map((one) => ({ name: `${track}/${one.risk}`, track, branch: null, ...one }));
    expect(snap['channels']).toEqual([...channelsOf('latest'), ...channelsOf('2.0')]);
    expect(await releases('acme-base')).toEqual({ releases: [], revisions: [] });
  });
});

describe('release', () => {
  it('P48 takes the revision as text and as a number, and nothing else', async () => {
    expect((await release('acme-dashboard', '1', ['edge'])).status).toBe(200);
    expect((await release('acme-dashboard', 1, ['edge'])).status).toBe(200);
    for (const bad of ['abc', '', ' 1', '0x1', '1.0', '-1', 0, -1, 1.5, null, [1]]) {
      expect([bad, (await release('acme-dashboard', bad, ['edge'])).status]).toEqual([bad, 400]);
    }
  });

  it(cli('P47 lands where the table of channels says'), async () => {
    const channels = ['edge', '2.0/stable', 'stable/fix-42', '2.0/stable/fix-42', ' latest/beta '];
    const answer = await release('acme-dashboard', '2', channels);
    expect(answer.json()).toMatchObject({ success: true, opened_channels: channels });
    const landed = [
      '2.0/stable/fix-42=2',
      '2.0/stable=2',
      'latest/beta=2',
      'latest/edge=2',
      'latest/stable/fix-42=2',
    ];
    expect(await open('acme-dashboard')).toEqual(landed);
    // Spelled out it is the same channel.
    expect((await release('acme-dashboard', '2', ['latest/edge'])).status).toBe(200);
    expect(await open('acme-dashboard')).toEqual(landed);
  });

  it(
    cli('P49 changes nothing when one of several channels is bad, or the revision is unknown'),
    async () => {
      const before = await map('acme-dashboard');
      for (const bad of [
        '3.0/edge',
        'edge/a_b',
        'edge/-x',
        'edge/x-',
        'Stable',
        'a/b/c/d',
        'latest',
        '',
        'edge/',
        '2.0',
      ]) {
        const answer = await release('acme-dashboard', '3', ['candidate', bad]);
        expect([bad, answer.status]).toEqual([bad, 400]);
        expect(answer.json().error_list[0].message).not.toBe('');
      }
      expect((await release('acme-dashboard', '3', ['candidate', 'latest/candidate'])).status).toBe(
        400,
      );
      expect((await release('acme-dashboard', '99', ['candidate'])).status).toBe(404);
      expect((await release('no-such-snap', '1', ['candidate'])).status).toBe(404);
      expect(await map('acme-dashboard')).toEqual(before);
    },
  );

  it(cli('P50 keeps devel grade and devmode out of stable and candidate'), async () => {
    for (const name of ['devel-grade', 'devmode']) {
      for (const channel of ['stable', 'candidate', 'stable/fix']) {
        expect((await release(name, '1', ['edge', channel])).status).toBe(400);
      }
      expect(await open(name)).toEqual([]);
      expect((await release(name, '1', ['edge', 'beta'])).status).toBe(200);
    }
  });

  it('is per architecture, and says so in map and state', async () => {
    expect((await release('armhf-only', '1', ['stable'])).status).toBe(200);
    expect(await open('armhf-only', 'armhf')).toEqual(['latest/stable=1']);
    expect(await open('armhf-only')).toEqual([]);
    expect(Object.keys((await state('armhf-only'))['latest']?.['16'] as object)).toEqual(['armhf']);
  });

  it('is refused while the channel is protected, with the reason and what to do instead', async () => {
    const who = { ...store.operator, roles: new Map() };
    const lanes = new LaneService(store.resources);
    await lanes.setProtected(who, brandId, {
      snap: 'acme-kernel',
      channel: 'stable',
      isProtected: true,
    });
    const answer = await release('acme-kernel', '1', ['edge', 'stable']);
    expect(answer.status).toBe(409);
    expect(answer.json().error_list[0]).toMatchObject({
      code: 'channel-protected',
      message:
        'cannot release revision 1 to latest/stable: the channel is protected, so devices get a new revision only through a ' +
        'rollout: make a rollout of revision 1 on this channel and have it approved',
    });
    expect(await open('acme-kernel')).toEqual([]);
    const url = await acme.upload('acme-kernel', 'acme-kernel_2.snap', ['stable']);
    await store.drainReviews();
    const status = (await acme.get(url)).json();
    expect(status).toMatchObject({ revision: 2, errors: [{ code: 'not-released' }] });
    expect(status['errors'][0].message).toContain('protected');
    expect((await close('acme-kernel', ['stable'])).status).toBe(200);
    expect((await release('acme-kernel', '1', ['edge'])).status).toBe(200);
  });

  it('does not write a repeated release into the log, as promote makes one per architecture', async () => {
    const events = () =>
      store.resources.db.asBrand(brandId, (tx) =>
        tx.countBy(LaneEvent, { snapId: ids['acme-dashboard'] ?? '' }),
      );
    await release('acme-dashboard', '1', ['candidate']);
    const before = await events();
    for (let i = 0; i < 3; i += 1) await release('acme-dashboard', '1', ['latest/candidate']);
    expect(await events()).toBe(before);
  });

  it('keeps the place of a revision in the order of its lane, whatever is released again', async () => {
    for (const revision of [1, 2, 1, 3]) await release('acme-dashboard', revision, ['2.0/edge']);
    const ranks = await store.resources.db.asBrand(brandId, async (tx) => {
      const lane = await tx.findOneByOrFail(Lane, {
        snapId: ids['acme-dashboard'] ?? '',
        track: '2.0',
        risk: 'edge',
        branch: '',
      });
      return tx.find(LaneEvent, { where: { laneId: lane.id }, order: { seq: 'ASC' } });
    });
    expect(ranks.map(({ seq, revision }) => [seq, revision])).toEqual([
      [1, 1],
      [2, 2],
      [3, 1],
      [4, 3],
    ]);
    const [one, two, again, three] = ranks.map(({ rank }) => Number(rank));
    expect(again).toBe(one);
    expect(Number(one) < Number(two) && Number(two) < Number(three)).toBe(true);
  });
});

describe('close', () => {
  it(cli('P52 shows the fallback, ends the star, and can be repeated'), async () => {
    await release('acme-dashboard', '1', ['stable']);
    await release('acme-dashboard', '3', ['candidate']);
    for (let i = 0; i < 2; i += 1) {
      const answer = await close('acme-dashboard', ['candidate']);
      expect([answer.status, answer.json()['closed_channels']]).toEqual([200, ['candidate']]);
    }
    const rows = (await state('acme-dashboard'))['latest']?.['16']['amd64'] as object[];
    expect(rows.slice(0, 2)).toEqual([
      { channel: 'stable', info: 'specific', version: '1.0', revision: 1 },
      { channel: 'candidate', info: 'tracking' },
    ]);
    const newest = (await releases('acme-dashboard'))['releases'].filter(
      (row) => row.channel === 'latest/candidate',
    );
    // One line per architecture for the closing, before the release that it ended.
    expect(
      newest.slice(0, 3).map(({ architecture, revision }) => [architecture, revision]),
    ).toEqual(
      expect.arrayContaining([
        ['amd64', null],
        ['arm64', null],
        ['armhf', null],
      ]),
    );
    expect(newest[3]?.revision).toBe(3);
    expect((await close('acme-dashboard', ['nonsense'])).status).toBe(400);
  });
});

describe('metadata', () => {
  const metadata = (name: string, body: object, method: 'PUT' | 'POST') =>
    acme.post(`/dev/api/snaps/${ids[name]}/metadata`, body, undefined, method);

  it(cli('P64 sets the default track to one that exists, and shows it'), async () => {
    expect((await metadata('acme-dashboard', { default_track: '2.0' }, 'PUT')).status).toBe(200);
    const { snap } = await map('acme-dashboard');
    expect(snap).toMatchObject({
      'default-track': '2.0',
      tracks: [{ status: 'active' }, { name: '2.0', status: 'default' }],
    });
    expect((await metadata('acme-dashboard', { default_track: '3.0' }, 'PUT')).status).toBe(400);
    // A release without track still goes to latest (publisher-api.md 4.6).
    expect((await release('acme-dashboard', '3', ['beta'])).status).toBe(200);
    expect(await open('acme-dashboard')).toContain('latest/beta=3');
    expect((await metadata('acme-dashboard', { default_track: 'latest' }, 'PUT')).status).toBe(200);
  });

  it('takes texts of a snap, and refuses what is too long', async () => {
    const texts = {
      summary: 'Shows the device',
      description: 'For ACME.',
      license: 'Apache-2.0',
      title: 'Dashboard',
    };
    expect((await metadata('acme-dashboard', texts, 'POST')).json()).toMatchObject({
      updated: expect.arrayContaining(Object.keys(texts)) as unknown,
    });
    expect((await map('acme-dashboard')).snap).toMatchObject({ title: 'Dashboard' });
    expect((await metadata('acme-dashboard', { summary: 'x'.repeat(200) }, 'POST')).status).toBe(
      400,
    );
  });
});

describe('what publishers see', () => {
  /** What `revisions` marks: the first record of a channel and an architecture, a closing included. */
  const starred = (rows: Body['releases'], architecture?: string): string[] => {
    const first = new Map<string, number | null>();
    for (const row of rows) {
      const key = `${row.channel} ${row.architecture}`;
      if (architecture !== undefined && row.architecture !== architecture) continue;
      if (!first.has(key)) first.set(key, row.revision);
    }
    return [...first].flatMap(([key, revision]) => (revision ? [`${revision} ${key}`] : [])).sort();
  };

  it(cli('P60 lists the newest release first, for each architecture'), async () => {
    const id = String(
      (await acme.post('/dev/api/register-name/', { snap_name: 'epochal' })).json()['snap_id'],
    );
    for (const n of [1, 2, 3]) {
      await acme.upload('epochal', `epochal_${n}.snap`);
      await store.drainReviews();
    }
    await store.asOwner(
      `UPDATE store.snap_revisions SET architectures =
         CASE revision WHEN 3 THEN '{amd64}'::text[] ELSE '{amd64,arm64}'::text[] END WHERE snap_id = $1`,
      [id],
    );
    for (const n of [1, 2, 3]) expect((await release('epochal', n, ['edge'])).status).toBe(200);
    const { releases: rows } = await releases('epochal');
    expect(rows.map(({ revision, architecture }) => `${revision} ${architecture}`)).toHaveLength(5);
    expect(starred(rows)).toEqual(['2 latest/edge arm64', '3 latest/edge amd64']);
    expect(starred(rows, 'arm64')).toEqual(['2 latest/edge arm64']);
    const times = rows.map(({ when }) => when);
    expect(times).toEqual([...times].sort().reverse());
  });

  it('P61 has exactly the known keys, and statuses that the client knows', async () => {
    const answer = await releases('acme-dashboard');
    expect(Object.keys(answer)).toEqual(['releases', 'revisions']);
    const keys = (rows: object[]) => new Set(rows.map((row) => Object.keys(row).sort().join(' ')));
    expect(keys(answer['releases'] as object[])).toEqual(
      new Set(['architecture branch channel expiration-date progressive revision risk track when']),
    );
    expect(keys(answer['revisions'] as object[])).toEqual(
      new Set([
        'architectures attributes base build_url confinement created_at epoch grade revision sha3-384 size status version',
      ]),
    );
    const statuses = async (name: string) =>
      (await releases(name))['revisions'].map(({ revision, status }) => `${revision} ${status}`);
    expect(await statuses('acme-dashboard')).toEqual(['3 Published', '2 Published', '1 Published']);
    // Accepted and never released; waiting for a person; refused; withdrawn.
    await acme.post('/dev/api/register-name/', { snap_name: 'compressed-xz' });
    await acme.upload('compressed-xz', 'compressed-xz_1.snap');
    await acme.post('/dev/api/register-name/', { snap_name: 'classic' });
    await acme.upload('classic', 'classic_1.snap');
    await acme.upload('compressed-xz', 'bad-truncated.snap');
    expect(await store.drainReviews()).toBe(3);
    expect(await statuses('compressed-xz')).toEqual(['1 Unpublished']);
    expect(await statuses('classic')).toEqual([]);
    await store.resources.db.asBrand(brandId, (tx) =>
      tx.query(
        `UPDATE store.snap_revisions SET yanked_at = app.now()
         WHERE snap_id = (SELECT id FROM store.snaps WHERE name = 'compressed-xz')`,
      ),
    );
    expect(await statuses('compressed-xz')).toEqual(['1 Unpublished']);
  });

  it('every released revision is in revisions, and every row’s channel in the snap’s', async () => {
    const { 'channel-map': rows, revisions, snap } = await map('acme-dashboard');
    const known = revisions.map(({ revision }) => revision);
    const channels = (snap['channels'] as { name: string }[]).map(({ name }) => name);
    for (const row of rows) {
      expect(known).toContain(row.revision);
      expect(channels).toContain(row.channel);
    }
    // Branches stand directly after their risk.
    expect(channels.slice(0, 3)).toEqual([
      'latest/stable',
      'latest/stable/fix-42',
      'latest/candidate',
    ]);
  });

  it('state names every track, and the architectures even of one without releases', async () => {
    const tree = await state('acme-kernel');
    expect(Object.keys(tree)).toEqual(['latest']);
    const unreleased = await state('acme-base');
    expect(Object.keys(unreleased['latest']?.['16'] ?? {})).toEqual(['all']);
    const rows = (await state('acme-dashboard'))['2.0']?.['16']['arm64'] as object[];
    expect(rows).toEqual([
      { channel: 'stable', info: 'specific', version: '1.1', revision: 2 },
      { channel: 'candidate', info: 'tracking' },
      { channel: 'beta', info: 'tracking' },
      { channel: 'edge', info: 'specific', version: '2.0', revision: 3 },
      {
        channel: 'stable/fix-42',
        info: 'branch',
        version: '1.1',
        revision: 2,
        expires_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$/) as string,
      },
    ]);
  });

  it('P57 shows branches until 30 days after their last release', async () => {
    const day = 86_400_000;
    const expiry = async () =>
      (await map('acme-dashboard'))['channel-map'].find(
        ({ channel }) => channel === 'latest/stable/fix-42',
      )?.['expiration-date'];
    const first = Date.parse((await expiry()) ?? '');
    expect(first / day - Date.now() / day).toBeCloseTo(30, 1);
    await store.shiftClock(20 * day);
    await acme.login('dev@acme.test', PASSWORD, {
      expires: new Date(Date.now() + 300 * day).toISOString().replace('Z', '+00:00'),
    });
    await release('acme-dashboard', '2', ['stable/fix-42']);
    expect((Date.parse((await expiry()) ?? '') - first) / day).toBeCloseTo(20, 1);
    await store.shiftClock(49 * day);
    await acme.login('dev@acme.test', PASSWORD, {
      expires: new Date(Date.now() + 300 * day).toISOString().replace('Z', '+00:00'),
    });
    expect(await expiry()).toBeDefined();
    await store.shiftClock(51 * day);
    await acme.login('dev@acme.test', PASSWORD, {
      expires: new Date(Date.now() + 300 * day).toISOString().replace('Z', '+00:00'),
    });
    expect(await expiry()).toBeUndefined();
    const history = (await releases('acme-dashboard'))['releases'];
    expect(history.some(({ channel }) => channel === 'latest/stable/fix-42')).toBe(true);
    await store.shiftClock(0);
  });
});
