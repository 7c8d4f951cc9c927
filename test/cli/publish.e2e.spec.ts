import { copyFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { AdminStore } from '../admin/support/admin-store.js';
import { cli, snapcraftAt } from '../publisher/craft-store/library-client.js';
import { SNAPS } from '../publisher/snapcraft-client.js';
import { CliUser, hasTerminal, type CliRun } from './support/run-cli.js';

interface Made {
  readonly id: string;
  readonly expiresAt: string;
  readonly credentials: string;
}

/** `brandstore credentials` and `brandstore publish`, as CI runs them, on a real store with its worker. */
describe('brandstore publish', () => {
  let store: AdminStore;
  let url: string;
  const author = new CliUser();

  const make = (days: number, ...more: string[]): Promise<CliRun> =>
    author.run(['credentials', 'create', 'ci', '--days', String(days), '--json', ...more]);
  const ci = (credentials: string): CliUser =>
    new CliUser({ BRANDSTORE_URL: url, SNAPCRAFT_STORE_CREDENTIALS: credentials });
  const file = (name: string): string => join(SNAPS, name);

  beforeAll(async () => {
    store = await AdminStore.start();
    url = store.installation.storeUrl;
    await store.publish('acme-dashboard', 1);
    const { email, password } = store.planner;
    const login = ['login', '--url', url, '--email', email, '--password-stdin'];
    expect(await author.run(login, password)).toMatchObject({ status: 0 });
  });
  afterAll(() => store?.stop());

  it(
    cli('P18 credentials that the store made work without any login, within their limits'),
    async () => {
      const made = await make(90, '--snap', 'acme-dashboard', '--channel', 'edge');
      expect(made).toMatchObject({ status: 0 });
      const { credentials, expiresAt } = made.json<Made>();
      expect((Date.parse(expiresAt) - Date.now()) / 86_400_000).toBeCloseTo(90, 1);
      const read = JSON.parse(Buffer.from(credentials, 'base64').toString()) as {
        t: string;
        v: { r: string; d: string };
      };
      expect(read.t).toBe('u1-macaroon');
      const client = snapcraftAt(url);
      client.credentials = { root: read.v.r, discharge: read.v.d };
      expect((await client.get('/api/v2/tokens/whoami')).json()).toMatchObject({
        account: { email: store.planner.email, id: store.brand },
        permissions: ['package_access', 'package_push', 'package_release'],
        channels: ['edge'],
        packages: [{ name: 'acme-dashboard', series: '16' }],
        expires: expiresAt.replace('Z', ''),
      });
      const release = (channel: string) =>
        client.post('/dev/api/snap-release/', {
          name: 'acme-dashboard',
          revision: '1',
          channels: [channel],
        });
      expect((await release('stable')).status).toBe(403);
      expect((await release('edge')).status).toBe(200);
      // Machines and people who do not publish make none.
      const anonymous = new CliUser({ BRANDSTORE_URL: url });
      expect(
        await anonymous.run(['credentials', 'create', 'x', '--days', '1', '--brand', 'acme']),
      ).toMatchObject({ status: 1, out: '' });
    },
  );

  it('uploads with a line for each tenth, waits for the review, releases, and ends with 0', async () => {
    const { credentials } = (await make(90)).json<Made>();
    const run = await ci(credentials).run([
      'publish',
      file('acme-dashboard_2.snap'),
      '--channel',
      'candidate',
      'edge/fix-1',
    ]);
    expect(run).toMatchObject({
      status: 0,
      out: 'revision 2 of acme-dashboard, released to candidate, edge/fix-1\n',
    });
    const size = (statSync(file('acme-dashboard_2.snap')).size / 1_000_000).toFixed(1);
    expect(run.err).toContain(`acme-dashboard_2.snap: 100 % of ${size} MB`);
    expect(run.err).not.toContain('warning');
    const map = await store.publisher.get('/api/v2/snaps/acme-dashboard/channel-map');
    const rows = map.json<{ 'channel-map': { channel: string; revision: number }[] }>();
    const open = new Set(rows['channel-map'].map((row) => `${row.channel}=${row.revision}`));
    expect([...open]).toEqual(
      expect.arrayContaining(['latest/candidate=2', 'latest/edge/fix-1=2']),
    );
    // The same once more is the store's refusal, and the command's failure.
    const again = await ci(credentials).run(['publish', file('acme-dashboard_2.snap')]);
    expect(again).toMatchObject({ status: 1, out: '' });
    expect(again.err).toContain('- this exact snap content already exists as revision 2');
  });

  it('P19 warns when the credentials end soon, and takes the untyped form and INI too', async () => {
    const { credentials } = (await make(3)).json<Made>();
    const { v } = JSON.parse(Buffer.from(credentials, 'base64').toString()) as {
      v: { r: string; d: string };
    };
    const untyped = Buffer.from(JSON.stringify(v)).toString('base64');
    const args = ['publish', file('acme-dashboard_3.snap'), '--json', '--channel', 'beta'];
    const run = await ci(untyped).run(args);
    expect(run.err).toContain('warning: these credentials end in 2 days');
    expect(run.status).toBe(0);
    expect(run.json()).toEqual({
      name: 'acme-dashboard',
      revision: 3,
      code: 'ready_to_release',
      channels: ['beta'],
    });
    const ini = `[${new URL(url).hostname}]\nmacaroon = ${v.r}\nunbound_discharge = ${v.d}\n`;
    for (const text of [ini, Buffer.from(ini).toString('base64')]) {
      const again = await ci(text).run(args);
      expect(again.err).toContain('warning: these credentials end in 2 days');
      expect(again.err).toContain('already exists as revision 3');
    }
  });

  it('credentials are listed, and end at once when they are revoked', async () => {
    const limits = ['--snap', 'acme-dashboard', '--channel', 'edge'];
    const { id, credentials } = (await make(5, ...limits)).json<Made>();
    const listed = async () =>
      (await author.run(['credentials', 'list', '--json'])).json<object[]>();
    expect(await listed()).toContainEqual(
      expect.objectContaining({
        id,
        description: 'ci',
        ownerEmail: store.planner.email,
        permissions: ['package_access', 'package_push', 'package_release'],
        snaps: ['acme-dashboard'],
        channels: ['edge'],
      }),
    );
    expect((await author.run(['credentials', 'list'])).out).toContain('(ends in 4 days)');
    const publish = ['publish', file('acme-dashboard_1.snap')];
    expect((await ci(credentials).run(publish)).err).toContain('already exists as revision 1');
    expect(await author.run(['credentials', 'revoke', id])).toMatchObject({
      status: 0,
      out: expect.stringContaining('has ended') as string,
    });
    const after = await ci(credentials).run(publish);
    expect([after.status, after.err.includes('The login is over')]).toEqual([1, true]);
    expect(await listed()).not.toContainEqual(expect.objectContaining({ id }));
    expect((await author.run(['credentials', 'revoke', id])).status).toBe(1);
  });

  it.skipIf(!hasTerminal)('draws a bar at a terminal', async () => {
    const { credentials } = (await make(90)).json<Made>();
    const copy = join(inject('stackDir'), 'acme-dashboard_again.snap');
    copyFileSync(file('acme-dashboard_3.snap'), copy);
    const run = await ci(credentials).runInTerminal(['publish', copy]);
    expect(run.out).toMatch(/acme-dashboard_again\.snap .*100 % of/);
    expect(run.status).toBe(1);
  });

  it.each([
    ['without credentials', { SNAPCRAFT_STORE_CREDENTIALS: '' }, 2, 'SNAPCRAFT_STORE_CREDENTIALS'],
    ['with nonsense', { SNAPCRAFT_STORE_CREDENTIALS: 'nonsense' }, 1, 'cannot read SNAPCRAFT'],
  ])('says what is missing %s', async (_case, env, status, said) => {
    const run = await new CliUser({ BRANDSTORE_URL: url, ...env }).run([
      'publish',
      file('acme-dashboard_1.snap'),
    ]);
    expect(run).toMatchObject({ status, out: '' });
    expect(run.err).toContain(said);
  });

  it('sends nothing where the snap is not there', async () => {
    const { credentials } = (await make(90)).json<Made>();
    const run = await ci(credentials).run([
      'publish',
      file('acme-dashboard_1.snap'),
      '--name',
      'not-there',
    ]);
    expect(run).toMatchObject({ status: 1, out: '' });
    expect(run.err).toContain('- resource-not-found: Snap not found for name=not-there');
    expect(run.err).not.toContain('% of');
  });
});
