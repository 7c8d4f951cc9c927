import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mintDeviceSession } from '#libs/auth';
import { Device, LaneEvent } from '#libs/database';
import { deviceSessionKey } from '#libs/operations';
import { ContentStore } from '../device/support/content-store.js';
import { install, poll, sessionHeader } from '../device/support/refreshing.js';
import { cli, snapcraftAt } from './craft-store/library-client.js';
import { PASSWORD } from './publisher-store.js';
import type { Answer, Body } from './snapcraft-client.js';
import { promote, statusLines } from './status-table.js';

const NAME = 'acme-dashboard';
const DAY = 86_400_000;

let store: ContentStore;
let id: string;

beforeAll(async () => {
  store = await ContentStore.start(snapcraftAt);
  id = await store.register(NAME);
  for (const n of [1, 2, 3]) await store.publish(NAME, `${NAME}_${n}.snap`);
  // The sample is for three architectures at once; 3 becomes the one that lacks a part of them.
  await store.publisherStore.asOwner(
    `UPDATE store.snap_revisions SET architectures = CASE revision WHEN 3 THEN '{amd64}'::text[]
       ELSE '{amd64,arm64}'::text[] END WHERE snap_id = $1`,
    [id],
  );
  await store.publisherStore.asOwner(
    `UPDATE store.snaps SET tracks = '{latest,2.0,3.0}' WHERE id = $1`,
    [id],
  );
});
afterAll(() => store?.stop());

const release = async (revision: number, channel: string, percentage?: number): Promise<Answer> => {
  const answer = await store.snapcraft.post('/dev/api/snap-release/', {
    name: NAME,
    revision: String(revision),
    channels: [channel],
    // The client leaves 100 out.
    ...(percentage !== undefined && { progressive: { percentage, paused: false } }),
  });
  expect(answer.status).toBe(200);
  return answer;
};
const close = (...channels: string[]) =>
  store.snapcraft.post(`/dev/api/snaps/${id}/close`, { channels });
const map = async (): Promise<Body> =>
  (await store.snapcraft.get(`/api/v2/snaps/${NAME}/channel-map`)).json();
const status = async (start: string): Promise<string[]> =>
  statusLines(await map()).flatMap((line) =>
    line.startsWith(start) ? [line.slice(start.length + 1)] : [],
  );

/** The revision that a new device of this architecture installs from the channel; null: there is none. */
async function installed(
  channel: string,
  architecture = 'amd64',
  headers: Record<string, string> = {},
): Promise<number | null> {
  const result = await install(
    store.url,
    { name: NAME, channel },
    { 'snap-device-architecture': architecture, ...headers },
  );
  return result.snap?.revision ?? null;
}

describe('status', () => {
  it(
    cli('P51 shows ↑ below an open risk, - where nothing is open, for each architecture'),
    async () => {
      await release(1, 'candidate');
      await release(3, 'beta');
      expect(await status('latest amd64')).toEqual([
        'stable: -',
        'candidate: 1.0 1 -',
        'beta: 2.0 3 -',
        'edge: ↑',
      ]);
      expect(await status('latest arm64')).toEqual([
        'stable: -',
        'candidate: 1.0 1 -',
        'beta: ↑',
        'edge: ↑',
      ]);
      // Another track has nothing to do with it.
      expect(await status('2.0 amd64')).toEqual([
        'stable: -',
        'candidate: -',
        'beta: -',
        'edge: -',
      ]);
    },
  );

  it('P58 a hole is filled per architecture, and never from another track', async () => {
    await store.compile();
    const device = await store.device();
    const arm = await deviceOf('arm64');
    expect(await installed('latest/beta', 'amd64', device)).toBe(3);
    expect(await installed('latest/beta', 'arm64', arm)).toBe(1);
    expect(await installed('latest/edge', 'amd64', device)).toBe(3);
    expect(await installed('latest/stable', 'amd64', device)).toBeNull();
    expect(await installed('2.0/edge', 'amd64', device)).toBeNull();
    await release(2, '2.0/candidate');
    await store.compile();
    expect(await installed('2.0/edge', 'arm64', arm)).toBe(2);
    expect(await installed('2.0/stable', 'arm64', arm)).toBeNull();
    expect(await installed('latest/edge', 'arm64', arm)).toBe(1);
    expect(await installed('3.0/edge', 'arm64', arm)).toBeNull();
  });
});

// Before other devices tell what they have.
describe('metrics', () => {
  it(cli('P74 count the devices that there are, by what they say'), async () => {
    for (const revision of [1, 2, 2])
      await poll(store.url, { id, revision, channel: 'latest/beta' }, await store.device());
    await store.settle();
    const today = new Date().toISOString().slice(0, 10);
    const ask = async (metric: string): Promise<unknown> => {
      const filter = { snap_id: id, metric_name: metric, start: today, end: today };
      const answer = await store.snapcraft.post('/dev/api/snaps/metrics', { filters: [filter] });
      return answer.json()['metrics'];
    };
    expect(await ask('installed_base_by_version')).toEqual([
      {
        status: 'OK',
        snap_id: id,
        metric_name: 'installed_base_by_version',
        buckets: [today],
        series: [
          { name: '1.0', values: [1] },
          { name: '1.1', values: [2] },
        ],
      },
    ]);
    expect(await ask('weekly_installed_base_by_channel')).toMatchObject([
      { status: 'OK', series: [{ name: 'latest/beta', values: [3] }] },
    ]);
    expect(await ask('installed_base_by_country')).toMatchObject([{ status: 'NO DATA' }]);
  });
});

describe('progressive releases', () => {
  const stable = async (): Promise<string[]> =>
    (await status('2.0 amd64')).filter((line) => line.startsWith('stable'));

  it(cli('P53 show two rows, follow the percentage, and end with a plain release'), async () => {
    await release(1, '2.0/stable');
    await release(2, '2.0/stable', 30);
    expect(await stable()).toEqual(['stable: 1.0 1 ?→70%', 'stable: 1.1 2 ?→30%']);
    await release(2, '2.0/stable', 60);
    expect(await stable()).toEqual(['stable: 1.0 1 ?→40%', 'stable: 1.1 2 ?→60%']);
    const { releases } = (await store.snapcraft.get(`/api/v2/snaps/${NAME}/releases`)).json();
    expect(releases.slice(0, 4).map((one) => [one.revision, one['progressive' as never]])).toEqual(
      [60, 60, 30, 30].map((percentage) => [
        2,
        { paused: false, percentage, 'current-percentage': null },
      ]),
    );
    await release(2, '2.0/stable');
    expect(await stable()).toEqual(['stable: 1.1 2 -']);
  });

  it(
    cli(
      'P53 a plain release of an earlier or another revision ends one too, and nobody is offered it any more',
    ),
    async () => {
      await close('2.0/stable');
      await release(1, '2.0/stable');
      await release(2, '2.0/stable', 99);
      await release(1, '2.0/stable');
      expect(await stable()).toEqual(['stable: 1.0 1 -']);
      await store.compile();
      for (let i = 0; i < 10; i += 1)
        expect(await installed('2.0/stable', 'amd64', await store.device())).toBe(1);
      // 1 is earlier than 2 in the lane's order: whoever has 2 stays (publisher-api.md 4.4, update-control.md 2.3).
      const followed = { id, revision: 2, channel: '2.0/stable' };
      expect((await poll(store.url, followed, await store.device())).snap?.revision).toBe(2);
      await release(2, '2.0/stable', 99);
      await release(3, '2.0/stable');
      expect(await stable()).toEqual(['stable: 2.0 3 -']);
      // It was for both architectures, and the new one is for one of them.
      expect((await status('2.0 arm64')).slice(0, 2)).toEqual([
        'stable: 1.0 1 ?→1%',
        'stable: 1.1 2 ?→99%',
      ]);
      await close('2.0/stable');
    },
  );

  it(cli('P54 100 is a plain release, 0 a progressive row at 0'), async () => {
    await release(1, '2.0/stable');
    await release(2, '2.0/stable', 100);
    expect(await stable()).toEqual(['stable: 1.1 2 -']);
    await release(3, '2.0/stable', 0);
    expect(await stable()).toEqual(['stable: 1.1 2 ?→100%', 'stable: 2.0 3 ?→0%']);
    await store.compile();
    expect(await installed('2.0/stable', 'amd64', await store.device())).toBe(2);
    await close('2.0/stable');
  });

  it(
    cli('P55 into a closed channel: ↑ and the progressive row; the others follow the fallback'),
    async () => {
      await close('2.0/candidate');
      await release(1, '2.0/stable');
      await release(2, '2.0/candidate', 40);
      expect(await status('2.0 amd64')).toEqual([
        'stable: 1.0 1 -',
        'candidate: ↑',
        'candidate: 1.1 2 ?→40%',
        'beta: ↑',
        'edge: ↑',
      ]);
      await store.compile();
      const found = new Set<number | null>();
      for (let i = 0; i < 60; i += 1)
        found.add(await installed('2.0/candidate', 'amd64', await store.device()));
      expect([...found].sort()).toEqual([1, 2]);
      // A closed channel closes for the share too.
      expect((await close('2.0/candidate')).status).toBe(200);
      expect((await status('2.0 amd64')).slice(1, 3)).toEqual(['candidate: ↑', 'beta: ↑']);
    },
  );

  it('take the same devices and more as the percentage grows, and write nothing twice', async () => {
    const devices = await Promise.all(Array.from({ length: 40 }, () => store.device()));
    const taken: Set<number>[] = [];
    for (const percentage of [20, 60, 95]) {
      await release(2, '2.0/candidate', percentage);
      await release(2, '2.0/candidate', percentage);
      await store.compile();
      const now = new Set<number>();
      for (const [index, device] of devices.entries())
        if ((await installed('2.0/candidate', 'amd64', device)) === 2) now.add(index);
      taken.push(now);
    }
    const [few = new Set(), some = new Set(), most = new Set()] = taken;
    expect([...few].every((one) => some.has(one)) && [...some].every((one) => most.has(one))).toBe(
      true,
    );
    expect(few.size < most.size).toBe(true);
    const events = await store.resources.db.asBrand(store.brandId, (tx) =>
      tx.findBy(LaneEvent, { snapId: id, revision: 2 }),
    );
    expect(events.filter(({ progressive }) => progressive?.percent === 60)).toHaveLength(2);
    await close('2.0/candidate', '2.0/stable');
  });
});

describe('promote', () => {
  it(cli('P62 releases a complete set, and nothing of one with a hole'), async () => {
    await release(2, '3.0/candidate');
    const answers = await promote(
      store.snapcraft,
      NAME,
      { track: '3.0', channel: 'candidate' },
      '3.0/stable',
    );
    expect(answers.map(({ status: code }) => code)).toEqual([200, 200]);
    for (const architecture of ['amd64', 'arm64'])
      expect((await status(`3.0 ${architecture}`))[0]).toBe('stable: 1.1 2 -');
    const before = await map();
    await release(3, '3.0/beta');
    const withHole = await map();
    await expect(
      promote(store.snapcraft, NAME, { track: '3.0', channel: 'beta' }, '3.0/stable'),
    ).rejects.toThrow('does not form a complete set');
    expect(await map()).toEqual(withHole);
    expect(before['channel-map']).toHaveLength(withHole['channel-map'].length - 1);
  });

  it(
    cli('P63 takes a branch as its source, and says plainly that a track has no releases'),
    async () => {
      await release(1, '3.0/stable/hotfix');
      await promote(
        store.snapcraft,
        NAME,
        { track: '3.0', channel: 'stable/hotfix' },
        '3.0/candidate',
      );
      expect((await status('3.0 arm64')).find((line) => line.startsWith('candidate'))).toBe(
        'candidate: 1.0 1 -',
      );
      await store.publisherStore.asOwner(
        `UPDATE store.snaps SET tracks = '{latest,2.0,3.0,4.0}' WHERE id = $1`,
        [id],
      );
      await expect(
        promote(store.snapcraft, NAME, { track: '4.0', channel: 'candidate' }, '4.0/stable'),
      ).rejects.toThrow('does not form a complete set');
    },
  );
});

describe('the script', () => {
  it('P80 of snapcraft’s own end-to-end test runs to its end', async () => {
    const name = 'with-component';
    const tool = snapcraftAt(store.url);
    const ok = async (answer: Promise<Answer>): Promise<Body> => {
      const { status: code, text } = await answer;
      expect([code < 400, text]).toEqual([true, text]);
      return JSON.parse(text) as Body;
    };
    expect((await tool.login('dev@acme.test', PASSWORD)).status).toBe(200);
    expect(await ok(tool.get('/api/v2/tokens/whoami'))).toMatchObject({
      account: { email: 'dev@acme.test', username: 'acme', id: store.brandId },
    });
    const registered = { snap_name: name, is_private: false, series: '16' };
    const { snap_id: snapId } = await ok(tool.post('/dev/api/register-name/', registered));
    const { snaps } = await ok(tool.get('/dev/api/account'));
    expect(snaps['16'][name]).toMatchObject({ status: 'Approved', private: false });
    const parts = { drivers: 'with-component+drivers_1.comp', maps: 'with-component+maps_2.comp' };
    const url = await tool.upload(name, 'with-component_2.snap', ['edge'], parts);
    await store.publisherStore.drainReviews();
    const uploaded = await ok(tool.get(url));
    expect(uploaded).toMatchObject({ code: 'ready_to_release', processed: true, revision: 1 });
    expect(uploaded['errors'] ?? []).toEqual([]);
    const { releases, revisions } = await ok(tool.get(`/api/v2/snaps/${name}/releases`));
    expect(revisions.map(({ revision }) => revision)).toEqual([1]);
    expect(releases.map(({ channel }) => channel)).toContain('latest/edge');
    const released = { name, revision: '1' };
    await ok(tool.post('/dev/api/snap-release/', { ...released, channels: ['edge'] }));
    const shown = async (): Promise<string[]> =>
      statusLines(await ok(tool.get(`/api/v2/snaps/${name}/channel-map`))).filter((line) =>
        line.startsWith('latest amd64 '),
      );
    const closed = ['stable: -', 'candidate: -', 'beta: -'].map((one) => `latest amd64 ${one}`);
    expect(await shown()).toEqual([...closed, 'latest amd64 edge: 2 1 -']);
    const progressive = { percentage: 50, paused: false };
    const candidate = { ...released, channels: ['candidate'], progressive };
    await ok(tool.post('/dev/api/snap-release/', candidate));
    expect(await shown()).toContain('latest amd64 candidate: 2 1 ?→50%');
    await ok(tool.post(`/dev/api/snaps/${String(snapId)}/close`, { channels: ['candidate'] }));
    expect(await shown()).toEqual([...closed, 'latest amd64 edge: 2 1 -']);
    const { snap } = await ok(tool.get(`/api/v2/snaps/${name}/channel-map`));
    expect(snap.tracks).toMatchObject([{ name: 'latest', status: 'default' }]);
    const day = new Date().toISOString().slice(0, 10);
    const metric = { metric_name: 'installed_base_by_channel', start: day, end: day };
    const filters = [{ snap_id: snapId, ...metric }];
    expect((await ok(tool.post('/dev/api/snaps/metrics', { filters })))['metrics']).toMatchObject([
      { status: 'NO DATA', buckets: [], series: [] },
    ]);
  });
});

describe('branches', () => {
  it(
    cli('P56 show their expiry; 30 days later they are gone, and devices get the risk'),
    async () => {
      await release(1, '3.0/edge');
      await release(2, '3.0/edge/fix-42');
      const expiry = new Date(Date.now() + 30 * DAY).toISOString().slice(0, 10);
      const line = `edge/fix-42: 1.1 2 - ${expiry}`;
      expect(await status('3.0 amd64')).toContain(line);
      await store.compile();
      expect(await installed('3.0/edge/fix-42', 'amd64', await store.device())).toBe(2);
      await store.publisherStore.shiftClock(30 * DAY + 60_000);
      await store.snapcraft.login('dev@acme.test', PASSWORD, {
        expires: new Date(Date.now() + 60 * DAY).toISOString().replace('Z', '+00:00'),
      });
      const lines = await status('3.0 amd64');
      expect(lines.filter((one) => one.includes('fix-42'))).toEqual([]);
      expect(lines).toContain('edge: 1.0 1 -');
      expect(await installed('3.0/edge/fix-42', 'amd64', await deviceOf('amd64'))).toBe(1);
      await store.publisherStore.shiftClock(0);
    },
  );
});

async function deviceOf(architecture: string): Promise<Record<string, string>> {
  const { resources, brandId, storeId } = store;
  const row = {
    uid: randomUUID(),
    brandId,
    model: 'gateway',
    serial: randomUUID(),
    storeId,
    deviceKeyId: 'key',
    serialAuthorityId: brandId,
    architecture,
  };
  await resources.db.asSystem((tx) => tx.insert(Device, row));
  const session = { ...row, deviceUid: row.uid };
  return sessionHeader(
    mintDeviceSession(session, deviceSessionKey(resources.settings), resources.db.clock.now()),
  );
}
