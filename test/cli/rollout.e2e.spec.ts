import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AdminStore, type Person } from '../admin/support/admin-store.js';
import { CliUser, hasTerminal } from './support/run-cli.js';

const SNAP = 'acme-dashboard';
const LATE_MS = 180_000;

/** Two people with a plan file in a folder of their own, at a real store, through the real binary. */
describe('brandstore rollout', { timeout: LATE_MS }, () => {
  let store: AdminStore;
  let paula: CliUser;
  let aron: CliUser;
  let devices: string[];

  beforeAll(async () => {
    store = await AdminStore.start();
    await store.publish(SNAP, 3);
    devices = await store.addDevices(20, { site: 'berlin' }, SNAP);
    await store.createFleet('berlin', 10, ['site', 'berlin']);
    [paula, aron] = await Promise.all([logIn(store.planner), logIn(store.approver)]);
  }, LATE_MS);
  afterAll(() => store?.stop());

  async function logIn(person: Person): Promise<CliUser> {
    const user = new CliUser({ BRANDSTORE_URL: store.installation.storeUrl });
    const { status, err } = await user.run(
      ['login', '--email', person.email, '--password-stdin'],
      person.password,
    );
    if (status !== 0) throw new Error(`cannot log in: ${err}`);
    return user;
  }

  /** A plan file with these lines besides. */
  function plan(title: string, more: string, revision: number | string = 2): string {
    const file = join(paula.configDir, `${title.replaceAll(' ', '-')}.yaml`);
    const head = `title: ${title}\nfleet: berlin\nsnap: ${SNAP}\nchannel: stable\nrevision: ${revision}\n`;
    writeFileSync(file, head + more);
    return file;
  }
  const WAVES = `waves:
  - { name: first, percent: 10, soak: 0s, manual: true }
  - { percent: 100, soak: 0s, manual: true }
`;
  const count = async (): Promise<number> =>
    (await paula.run(['rollout', 'list', '--json'])).json<unknown[]>().length;
  const idOf = async (title: string): Promise<string> =>
    (await paula.run(['rollout', 'status', title, '--json'])).json<{ id: string }>().id;

  it('says of a plan what would become of it, and writes nothing', async () => {
    const file = plan('dry', `${WAVES}schedule:\n  windows: [{ from: "22:00", to: "04:00" }]\n`);
    const shown = await paula.run(['rollout', file, '--dry-run']);
    expect(shown).toMatchObject({ status: 0, err: '' });
    expect(shown.out).toContain('20 devices now (amd64)');
    expect(shown.out).toMatch(/1 first .*10 %.* 2 /);
    expect(shown.out).toContain('daily 22:00–04:00');
    const { planHash, waves, population } = (
      await paula.run(['rollout', 'check', file, '--json'])
    ).json<{ planHash: string; population: number; waves: { k: number }[] }>();
    expect(shown.out).toContain(planHash);
    expect([population, ...waves.map(({ k }) => k)]).toEqual([20, 2, 20]);
    expect(await count()).toBe(0);
  });

  it('tells every fault with line and column, found here or by the store', async () => {
    const local = plan('faulty', 'waves:\n  - { percent: 1, soak: ages }\nonfail: pause\n');
    const here = await paula.run(['rollout', 'submit', local]);
    expect(here).toMatchObject({ status: 1, out: '' });
    expect(here.err.split('\n').slice(0, 2)).toEqual([
      `${local}:7:19: waves[0].soak: cannot read the duration: write it as 30m, 24h, 7d or 1h30m`,
      `${local}:8:1: onfail: cannot tell what this means: there is no such member`,
    ]);
    const remote = plan(
      'refused',
      'waves:\n  - percent: 50\n  - percent: 10\n  - percent: 100\n',
      99,
    );
    const there = await paula.run(['rollout', remote, '--dry-run']);
    expect(there.status).toBe(1);
    expect(there.err).toMatch(/:5:1: revision.*: cannot roll out revision 99/);
    const shrinking = plan(
      'shrinking',
      'waves:\n  - percent: 50\n  - percent: 10\n  - percent: 100\n',
    );
    for (const command of ['check', 'submit']) {
      const { status, err } = await paula.run(['rollout', command, shrinking]);
      expect(status).toBe(1);
      expect(err).toMatch(/^\S+shrinking\.yaml:8:5: waves\[1\]\.percent: cannot /);
    }
    const nowhere = await paula.run(['rollout', plan('x', '').replace('x.yaml', 'none.yaml')]);
    expect(nowhere.status).toBe(2);
    writeFileSync(remote, 'title: t\nfleet: munich\n');
    const lost = await paula.run(['rollout', remote]);
    expect(lost.err).toContain(':2:1: fleet: cannot find fleet munich: there are berlin');
    expect(await count()).toBe(0);
  });

  it('submits a plan once, however often it is said; a second person approves exactly what was shown', async () => {
    const file = plan('two for berlin', WAVES);
    const submitted = await paula.run(['rollout', 'submit', file, '--json']);
    expect(submitted.status).toBe(0);
    const { id, planHash, state } = submitted.json<{
      id: string;
      planHash: string;
      state: string;
    }>();
    expect(state).toBe('PENDING_APPROVAL');
    const again = await paula.run(['rollout', 'submit', file, '--json']);
    expect(again.json()).toMatchObject({ id, state: 'PENDING_APPROVAL' });
    expect(await count()).toBe(1);

    const own = await paula.run(['rollout', 'approve', file, '--yes']);
    expect(own).toMatchObject({ status: 1 });
    const mute = await aron.run(['rollout', 'approve', id]);
    expect(mute).toMatchObject({
      status: 2,
      err: expect.stringContaining('--plan-hash') as string,
    });
    const other = await aron.run(['rollout', 'approve', id, '--plan-hash', 'f'.repeat(64)]);
    expect(other).toMatchObject({ status: 1, err: expect.stringContaining(planHash) as string });
    const { secret } = (await store.planner.act(
      `createApiToken(brand: "${store.brand}", input: {description: "ci", roles: [releaser], expiresInDays: 1})`,
      '... on ApiToken { secret }',
    )) as unknown as { secret: string };
    const machine = paula.with({ BRANDSTORE_TOKEN: secret });
    expect(await machine.run(['rollout', 'approve', id, '--yes'])).toMatchObject({ status: 1 });
    expect((await machine.run(['rollout', 'status', id, '--json'])).json()).toMatchObject({
      state: 'PENDING_APPROVAL',
    });

    // Changed since: the file no longer says what waits.
    writeFileSync(file, readFileSync(file, 'utf8').replace('percent: 10', 'percent: 20'));
    const changed = await aron.run(['rollout', 'approve', file, '--yes']);
    expect(changed).toMatchObject({ status: 1, out: '' });
    writeFileSync(file, readFileSync(file, 'utf8').replace('percent: 20', 'percent: 10'));

    const approved = await aron.run(['rollout', 'approve', file, '--plan-hash', planHash]);
    expect(approved).toMatchObject({ status: 0, err: '' });
    expect(approved.out).toContain(`plan hash  ${planHash}`);
    expect(approved.out).toMatch(/10 %.*\n.*100 %/);
    await store.until({ id }, ({ waves }) => waves[0]?.state === 'OPEN', LATE_MS);
  });

  it('shows how far it has come, pauses, resumes and advances', async () => {
    const title = 'two for berlin';
    const id = await idOf(title);
    await store.settled();
    const moved = await store.movedTo(2, devices);
    expect(moved).toHaveLength(2);
    await store.setInstalled(moved.slice(0, 1), SNAP, 2);
    const { progress } = (await paula.run(['rollout', 'status', id, '--json'])).json<{
      progress: unknown[];
    }>();
    expect(progress).toEqual([
      { no: 1, members: 2, admitted: 2, updated: 1 },
      { no: 2, members: 0, admitted: 0, updated: 0 },
    ]);
    const shown = await paula.run(['rollout', 'status', title]);
    expect(shown.out).toMatch(/1 first +│ 10 % +│ OPEN +│ 2 +│ 2 +│ 1 /);
    for (const [act, state] of [
      ['pause', 'PAUSED'],
      ['resume', 'ACTIVE'],
    ] as const) {
      const ran = await paula.run(['rollout', act, title, '--reason', 'a look', '--json']);
      expect(ran).toMatchObject({ status: 0, err: '' });
      expect(ran.json()).toMatchObject({ id, state });
    }
    expect(await aron.run(['rollout', 'pause', title])).toMatchObject({ status: 1, out: '' });
    expect(await paula.run(['rollout', 'advance', title])).toMatchObject({ status: 0 });
    await store.until({ id }, ({ waves }) => waves[1]?.state === 'OPEN', LATE_MS);
  });

  it.skipIf(!hasTerminal)(
    'draws a bar for each wave at a terminal (needs script of util-linux), until the rollout ends',
    async () => {
      const title = 'two for berlin';
      const watching = paula.runInTerminal([
        'rollout',
        'status',
        title,
        '--watch',
        '--interval',
        '0.3',
      ]);
      const lines = paula.run(['rollout', 'status', title, '--watch', '--interval', '0.3']);
      await store.setInstalled(devices, SNAP, 2);
      const id = await idOf(title);
      expect(await paula.run(['rollout', 'advance', title])).toMatchObject({ status: 0 });
      await store.until({ id }, ({ state }) => state === 'COMPLETED', LATE_MS);
      const drawn = await watching;
      expect(drawn.status).toBe(0);
      expect(drawn.out).toMatch(/1 first █+.* 2\/2 updated, 2 admitted +PASSED/);
      expect(drawn.out).toMatch(/2 +█+.* 18\/18 updated, 18 admitted +PASSED/);
      expect(drawn.out).toContain('ACTIVE → COMPLETING');
      // Hidden while it draws, and shown again.
      expect(drawn.out.lastIndexOf('\u001b[?25h')).toBeGreaterThan(
        drawn.out.lastIndexOf('\u001b[?25l'),
      );
      const { status, out } = await lines;
      expect(status).toBe(0);
      expect(out.trimEnd().split('\n').at(-1)).toBe(
        'COMPLETED  1 first: PASSED 2/2  2: PASSED 18/18',
      );
    },
  );

  it.skipIf(!hasTerminal)(
    'asks at a terminal before it approves (needs script of util-linux)',
    async () => {
      const file = plan('three for berlin', WAVES, '{amd64: 3}');
      const { planHash } = (await paula.run(['rollout', 'submit', file, '--json'])).json<{
        planHash: string;
      }>();
      const no = await aron.runInTerminal(
        ['rollout', 'approve', file],
        [['exactly this plan?', 'n']],
      );
      expect(no.status).toBe(1);
      expect(no.out).toContain(planHash);
      const yes = await aron.runInTerminal(
        ['rollout', 'approve', file],
        [['exactly this plan?', 'y']],
      );
      expect(yes.status).toBe(0);
      const id = await idOf('three for berlin');
      await store.until({ id }, ({ state }) => state === 'ACTIVE', LATE_MS);
    },
  );

  it('aborts, and a watcher ends with status 1', async () => {
    const title = 'three for berlin';
    const watching = paula.run([
      'rollout',
      'status',
      title,
      '--watch',
      '--json',
      '--interval',
      '0.3',
    ]);
    expect(await paula.run(['rollout', 'abort', title, '--reason', 'enough'])).toMatchObject({
      status: 0,
      out: expect.stringContaining('it is ABORTED now') as string,
    });
    const { status, out, err } = await watching;
    expect(status).toBe(1);
    expect(err).toContain('it is ABORTED');
    expect(JSON.parse(out.trimEnd().split('\n').at(-1) ?? '')).toMatchObject({ state: 'ABORTED' });
    expect(await paula.run(['rollout', 'resume', title])).toMatchObject({ status: 1, out: '' });
  });

  it('previews a plan as tables and a chart, and lists the devices behind a count', async () => {
    const file = plan('previewed', WAVES, 3);
    const before = await count();
    const shown = await paula.run(['preview', file]);
    expect(shown).toMatchObject({ status: 0, err: '' });
    expect(shown.out).toMatch(/devices +20/);
    expect(shown.out).toMatch(/1 first .* at once +.* 2 /);
    expect(shown.out).toMatch(/Z {2}█{4}·{36} {2}2\n/);
    expect(shown.out).toMatch(/Z {2}█{40} {2}20\n/);
    expect(shown.out).toContain('admission is a right to be offered');
    const { population, sheets } = (await paula.run(['preview', file, '--json'])).json<{
      population: number;
      sheets: { reasons: { code: string; devices: number }[] }[];
    }>();
    expect(population).toBe(20);
    const [most] = sheets[0]?.reasons ?? [];
    if (most === undefined) throw new Error('no reason');
    const listed = await paula.run(['preview', file, '--devices', most.code, '--json']);
    expect(listed.json<unknown[]>()).toHaveLength(most.devices);
    expect(await count()).toBe(before);
    const wrong = await paula.run(['preview', file, '--at', 'tomorrow']);
    expect(wrong).toMatchObject({ status: 2 });
  });

  it('explains one device by uid or serial, now and then, and why a snap does not arrive', async () => {
    const [uid = ''] = devices;
    const shown = await paula.run(['explain', uid, SNAP]);
    expect(shown).toMatchObject({ status: 0, err: '' });
    expect(shown.out).toMatch(/answer +acme-dashboard (stays at|goes from)/);
    expect(shown.out).toContain('because:');
    expect(shown.out).toContain('what would change it:');
    expect(shown.out).toMatch(/last seen +\S+ with revision \d on latest\/stable/);
    const same = await paula.run(['explain', `serial-${uid}`, SNAP, '--json']);
    expect(same.json()).toMatchObject({ deviceUid: uid, snapName: SNAP });
    const then = await paula.run(['explain', uid, SNAP, '--at', '2026-05-03T14:02Z']);
    expect(then.out).toContain('not reproducible: nothing that the device was told');
    const nobody = await paula.run(['explain', 'no-such-serial', SNAP]);
    expect(nobody).toMatchObject({ status: 1 });
    expect(nobody.err).toContain('cannot find a device with the serial no-such-serial');

    const why = await paula.run(['why', SNAP]);
    expect(why).toMatchObject({ status: 0, err: '' });
    expect(why.out).toMatch(/newest revision +3/);
    expect(why.out).toContain('[NOT_RELEASED]');
    expect(why.out).toMatch(/main .* amd64 .* \d/);
  });

  it('stops a revision, lists it, and lifts it by somebody else', async () => {
    const stopped = await paula.run([
      ...['stop', 'revision', SNAP, '3', '--level', '2', '--reason', 'it smokes', '--json'],
    ]);
    expect(stopped).toMatchObject({ status: 0, err: '' });
    const { id } = stopped.json<{ id: string }>();
    expect(stopped.json()).toMatchObject({ scope: 'revision', level: 2, revision: 3 });
    expect((await paula.run(['stop', 'list'])).out).toContain('it smokes');
    expect((await paula.run(['stop', 'fleet', 'munich', '--reason', 'x'])).status).toBe(1);
    expect((await paula.run(['stop', 'brand'])).status).toBe(2);
    const own = await paula.run(['stop', 'lift', id, '--reason', 'never mind']);
    expect(own.status).toBe(1);
    const lifted = await aron.run(['stop', 'lift', id, '--reason', 'it was the toaster']);
    expect(lifted).toMatchObject({ status: 0, err: '' });
    expect((await paula.run(['stop', 'list'])).out).toContain('nothing is stopped');
  });

  it('is completed by editors: the store serves the schema, and the command prints it', async () => {
    const published: unknown = JSON.parse(
      readFileSync(join(import.meta.dirname, '../../docs/rollout-plan.schema.json'), 'utf8'),
    );
    const answer = await fetch(`${store.installation.storeUrl}/schemas/rollout-plan.json`);
    expect(answer.headers.get('content-type')).toBe('application/schema+json');
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');
    expect(await answer.json()).toEqual(published);
    expect((await new CliUser().run(['rollout', 'schema'])).json()).toEqual(published);
  });
});
