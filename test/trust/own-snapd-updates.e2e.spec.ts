import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { decodeAssertions, encodeAssertions } from '#libs/assertions';
import { shiftClock } from '#libs/database';
import { BrandAdmin } from '../../tools/clients/brand-admin.js';
import { ask } from '../../tools/clients/http.js';
import { Enum, SNAPS, literal, type Person } from '../admin/support/admin-store.js';
import { AcmeDesk, realParts } from './support/acme-desk.js';
import { ListeningProxy, type DeviceCall } from './support/listening-proxy.js';
import { NEEDS } from './support/own-snapd.js';
import { packSnap } from './support/squashfs.js';
import { isPoll, isScheduled, isValidation, offerIn, talkOf } from './support/snapd-talk.js';
import { SimpleWay } from './support/simple-way.js';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });
const LIMIT = { timeout: 60_000, interval: 100 };
const SOAK_SECONDS = 600;
const parts = await realParts();

/** A small snap, of which there may be as many revisions as one likes. */
const yamlOf = (name: string, version: string, epoch: string): string =>
  `name: ${name}
version: '${version}'
epoch: ${epoch}
summary: ${name}
description: ${name}
base: acme-base
architectures: [amd64]
confinement: strict
grade: stable
`;

describe.skipIf(!parts)(`update control as Debian's snapd lives it (needs: ${NEEDS})`, () => {
  let way: SimpleWay;
  let desk: AcmeDesk;
  let proxy: ListeningProxy;
  let planner: BrandAdmin;
  let approver: BrandAdmin;
  const clean = (command: string): Promise<string> => desk.clean(command);
  const logIn = ({ email, password }: Person): Promise<BrandAdmin> =>
    BrandAdmin.login(way.store.anonymous, email, password);

  beforeAll(async () => {
    way = await SimpleWay.start({ FLUSH_MS: '20' });
    planner = await logIn(way.store.planner);
    approver = await logIn(way.store.approver);
    proxy = await ListeningProxy.to(way.world.url);
    if (!parts) return;
    desk = await AcmeDesk.prepare(way, parts, proxy.url);
    await desk.seed();
    await desk.boot();
  });
  afterAll(async () => {
    await desk?.stop();
    await proxy?.stop();
    await way?.stop();
  });

  afterEach(() => void (proxy.hooks = {}));

  const idOf = (name: string): Promise<string> => way.store.snapId(name);
  const installed = async (name: string): Promise<number> =>
    Number((await clean(`list ${name}`)).match(/^\S+ +\S+ +(\d+) /m)?.[1]);
  /** The next revision of a snap that is made here, on stable. */
  const release = async (name: string, version: string, epoch = '0'): Promise<void> => {
    if (!parts) return;
    const file = packSnap(parts.squashfs, desk.snapd.path(), yamlOf(name, version, epoch));
    const { problems } = await way.acme.publisher.upload(name, file, ['stable']);
    expect(problems).toEqual([]);
  };
  const install = async (name: string): Promise<void> => {
    await way.acme.publisher.register(name);
    await release(name, '1');
    await vi.waitUntil(async () => (await desk.snapd.snap('info', name)).status === 0, LIMIT);
    expect(await clean(`install ${name}`)).toContain('installed');
  };
  /** What of the talk so far was about this snap: the revision that the device had, and the one that the store named. */
  const heardOf = async (name: string): Promise<{ had: number; given: number | undefined }[]> => {
    const id = await idOf(name);
    return proxy.heard.flatMap(({ call, answer }) => talkOf(id, call, answer) ?? []);
  };

  it('V11 the serial is taken when it comes before the keys that prove it (real snapd)', async () => {
    const orders: string[][] = [];
    proxy.hooks = {
      after: async ({ path }, { status, body }) => {
        if (!path.endsWith('/devices') || status !== 200) return undefined;
        const reversed = decodeAssertions(body).reverse();
        orders.push(reversed.map(({ type }) => type));
        return encodeAssertions(reversed);
      },
    };
    expect((await desk.register())?.headers['model']).toBe('desk');
    expect(orders).toEqual([['serial', 'account-key', 'account', 'account-key']]);
  });

  it('U70 a scheduled refresh is seen to be offered, to download, to attempt, to install, and is confirmed after the soak (real snapd)', async () => {
    const { brandId, publisher } = way.acme;
    const snap = 'acme-dashboard';
    const id = await idOf(snap);
    await publisher.upload(snap, join(SNAPS, `${snap}_2.snap`), []);
    await planner.protectLane(brandId, snap, 'latest/stable');
    const ofDesks = { fact: 'model', equals: 'desk' };
    const fleetId = await planner.createFleet(brandId, 'desks', 1, ofDesks);
    const rollout = await planner.planRollout(brandId, {
      ...{ title: 'desks', fleetId, snap, channel: 'stable', revision: 2 },
      waves: [{ percent: 100, soakSeconds: SOAK_SECONDS, deadlineSeconds: 90 * 86_400 }],
    });
    const hash = await planner.submitRollout(brandId, rollout.id);
    expect(await approver.approveRollout(brandId, rollout.id, hash)).toBeNull();
    const stateOfWave = async (): Promise<string | undefined> =>
      (await planner.rollout(brandId, rollout.id)).waves[0]?.state;
    await expect.poll(stateOfWave, LIMIT).toBe('OPEN');

    const step = async (): Promise<string | null> => {
      const { rows } = await way.store.owner.query<{ step: string }>(
        'SELECT step FROM store.device_rollout_states WHERE rollout_id = $1',
        [rollout.id],
      );
      return rows[0]?.step ?? null;
    };
    // The device waits at each call until the store has written what it makes of it.
    const seen: [call: string, step: string | null][] = [];
    const look = async (call: string): Promise<void> => {
      const before = seen.at(-1)?.[1] ?? null;
      await vi.waitUntil(async () => (await step()) !== before, LIMIT);
      seen.push([call, await step()]);
    };
    proxy.hooks = {
      before: async (call) => {
        if (isValidation(call)) await look('before the assertion');
      },
      after: async (call, answer) => {
        if (isValidation(call)) await look('assertion');
        const talk = talkOf(id, call, answer);
        if (talk?.given !== 2) return;
        if (talk.had === 1) await look(isScheduled(call) ? 'scheduled poll' : 'poll');
        else await look('re-refresh');
      },
    };
    await desk.firstAutoRefresh();
    await vi.waitUntil(() => seen.length > 3, LIMIT);
    expect(seen).toEqual([
      ['scheduled poll', 'OFFERED'],
      ['before the assertion', 'DOWNLOADING'],
      ['assertion', 'ATTEMPTED'],
      ['re-refresh', 'INSTALLED'],
    ]);
    expect(await installed(snap)).toBe(2);
    await shiftClock(way.store.installation.databaseUrls.owner, 2 * SOAK_SECONDS * 1_000);
    expect((await desk.snapd.snap('refresh')).err).toBe('All snaps up to date.\n');
    await expect.poll(step, LIMIT).toBe('CONFIRMED');
  });

  it('U23 epoch 0 → 1* → 1: one hop a poll, never 1 directly, and no error (real snapd)', async () => {
    const name = 'acme-ledger';
    await install(name);
    await release(name, '2', '1*');
    await release(name, '3', '1');
    await expect.poll(() => clean('refresh --list'), LIMIT).toMatch(/^acme-ledger +2 +2 /m);
    // Each revision asks again by itself, and so both hops are one command.
    expect(await clean(`refresh ${name}`)).toMatch(/acme-ledger 3 from acme.* refreshed/);
    expect(await installed(name)).toBe(3);
    const hops = (await heardOf(name)).filter(({ had, given }) => had !== given);
    expect(new Set(hops.map(({ had, given }) => `${had} → ${given}`))).toEqual(
      new Set(['1 → 2', '2 → 3']),
    );
  });

  describe('a stop while the device is in the middle of it', () => {
    const name = 'acme-notes';
    const stop = async (level: 2 | 3): Promise<string> => {
      const reason = 'it bricks';
      const input = { scope: new Enum('revision'), snap: name, revision: 2, level, reason };
      const { id } = await way.world.act(
        way.store.planner,
        `stop(${way.ofAcme}, input: ${literal(input)})`,
        '... on EmergencyStop { id }',
      );
      return id ?? '';
    };
    /** What the device would be answered. */
    const asDevice = async (url: string, { headers }: DeviceCall): Promise<number> => {
      const { 'snap-device-authorization': session } = headers;
      const sent = { ...(session !== undefined && { 'x-device-authorization': String(session) }) };
      return (await ask(url, { headers: sent })).status;
    };
    /** Nothing has happened to it, and nothing stands in its way once the stop is lifted. */
    const expectUnharmed = async (stopped: string): Promise<void> => {
      expect(await installed(name)).toBe(1);
      expect(await clean(`refresh ${name}`)).toBe('');
      await approver.liftStop(way.acme.brandId, stopped, 'it does not');
    };

    beforeAll(async () => {
      await install(name);
      await release(name, '2');
    });

    it('U92 level 2: the download fails at the redirect, the device is unharmed and polls on (real snapd)', async () => {
      await expect.poll(() => clean('refresh --list'), LIMIT).toMatch(/^acme-notes +2 +2 /m);
      const id = await idOf(name);
      let stopped = '';
      proxy.hooks = {
        after: async (call, answer) => {
          const url = isPoll(call) ? offerIn(id, answer) : undefined;
          if (url === undefined || stopped !== '') return;
          expect(await asDevice(url, call)).toBe(302);
          stopped = await stop(2);
          await expect.poll(() => asDevice(url, call), LIMIT).toBe(403);
        },
      };
      const { status, err } = await desk.snapd.snap('refresh', name);
      expect([status, err]).toEqual([1, expect.stringContaining('403')]);
      await expectUnharmed(stopped);
    });

    it('U92 level 3: the change fails at validation, the old revision stays active, the next poll is normal (real snapd)', async () => {
      let stopped = '';
      proxy.hooks = {
        before: async (call) => {
          if (!isValidation(call) || stopped !== '') return;
          const url = `${way.world.url}${call.path}`;
          expect(await asDevice(url, call)).toBe(200);
          stopped = await stop(3);
          await expect.poll(() => asDevice(url, call), LIMIT).toBe(404);
        },
      };
      let said = '';
      await vi.waitUntil(async () => {
        said = (await desk.snapd.snap('refresh', name)).err;
        return stopped !== '';
      }, LIMIT);
      expect(said).toMatch(/Fetch and check assertions .*no matching signatures found/);
      await expectUnharmed(stopped);
      const refresh = async (): Promise<string> => (await desk.snapd.snap('refresh', name)).out;
      await expect.poll(refresh, LIMIT).toMatch(/acme-notes 2 from acme.* refreshed/);
    });
  });

  it('U3 no answer to any of its polls has a key that it did not ask for (real snapd)', () => {
    const polls = proxy.heard.filter(({ call, answer }) => isPoll(call) && answer.status === 200);
    expect(polls.length).toBeGreaterThan(10);
    for (const { call, answer } of polls) {
      const keys = keysOf(answer.body, 'results');
      expect(keysOf(call.body, 'actions')).toEqual(expect.arrayContaining(keys));
    }
    expect(proxy.problems).toEqual([]);
  });
});

function keysOf(body: Buffer, list: 'actions' | 'results'): string[] {
  const whole = JSON.parse(body.toString()) as Record<string, { 'instance-key': string }[]>;
  return (whole[list] ?? []).map((one) => one['instance-key']);
}
