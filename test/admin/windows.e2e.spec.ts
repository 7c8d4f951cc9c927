import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { shiftClock } from '#libs/database';
import { localTime } from '#libs/update-control';
import { install, poll, type WireResult } from '../device/support/refreshing.js';
import { Enum } from './support/admin-store.js';
import { SteeredStore } from './support/steered-store.js';

const HOUR = 3_600_000;

let store: SteeredStore;

beforeAll(async () => {
  store = await SteeredStore.start();
});
afterAll(() => store?.stop());
afterEach(() => vi.restoreAllMocks());

describe('windows', () => {
  const { UTC } = Date;
  /** The next 13:30 UTC: 22:30 in Tokyo on the same day, 14:30 or 15:30 in Berlin. */
  const now = new Date();
  const noon = UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate(), 13, 30);
  const base = noon > now.getTime() + HOUR ? noon : noon + 24 * HOUR;
  const weekday = ((new Date(base).getUTCDay() + 6) % 7) + 1;

  async function setTime(at: number | null): Promise<void> {
    const { databaseUrls, resources } = store.wire;
    await shiftClock(databaseUrls.owner, at === null ? 0 : at - Date.now());
    const wanted = () => (at === null ? Date.now() : at);
    await vi.waitFor(
      () => expect(Math.abs(resources.db.clock.now().getTime() - wanted())).toBeLessThan(30_000),
      { timeout: 60_000 },
    );
  }

  afterAll(() => setTime(null));

  it('of a fleet and of the brand act on the clock of the device’s wall, else the fleet’s, else the brand’s', async () => {
    const snap = await store.released('nightly', [1, 2]);
    const night = {
      windows: [{ days: [weekday], from: '22:00', to: '04:00', lastOfferBeforeMinutes: 30 }],
    };
    const bad = { windows: [{ days: [8], from: '22:00', to: '4' }] };
    const refused = await store.act('createFleet', {
      name: 'x',
      priority: 7,
      timezone: 'Mars/Olympus',
      schedule: bad,
    });
    expect(refused.problems?.map(({ path }) => path)).toEqual(['schedule.windows[0]', 'timezone']);
    const fleetId = await store.fleet('night', 300, { timezone: 'Asia/Tokyo', schedule: night });
    const [unplaced, berlin] = [
      await store.device({ fleet: 'night' }),
      await store.device({ fleet: 'night' }),
    ];
    const outside = await store.device();
    const tag = { device: berlin.uid, tags: {}, timezone: 'Europe/Berlin' };
    expect(await store.call('tagDevice', tag)).toMatchObject({ __typename: 'Device' });
    await store.settle();
    const at = async (time: number): Promise<(number | undefined)[]> => {
      await setTime(time);
      return Promise.all(
        [unplaced, berlin, outside].map((device) => store.offered(device, snap, 1)),
      );
    };
    expect(await at(base - 45 * 60_000)).toEqual([1, 1, 2]);
    await store.wire.services.facts.flush();
    const { decision } = await store.wire.services.explanations.explain(
      store.brand.id,
      unplaced.uid,
      snap.name,
    );
    expect(decision).toMatchObject({
      reasons: [
        { code: 'OUTSIDE_WINDOW', detail: { timezone: 'Asia/Tokyo' } },
        { code: 'TZ_DEFAULTED', detail: { timezone: 'Asia/Tokyo' } },
      ],
      retryHint: base - 30 * 60_000,
    });
    expect(await at(base)).toEqual([2, 1, 2]);
    expect(await at(base + 4.9 * HOUR)).toEqual([2, 1, 2]);
    expect(await at(base + 5.1 * HOUR)).toEqual([1, 1, 2]);
    expect(await at(base + 8 * HOUR)).toEqual([1, 2, 2]);
    // New installations and pins are not kept waiting.
    const news = await install(store.url, { name: snap.name }, unplaced.headers);
    expect(news.snap?.revision).toBe(2);

    await setTime(null);
    const today = new Date(base).toISOString().slice(0, 10);
    const frozen = {
      freezes: [{ from: `${today}T09:00`, until: `${today}T10:00`, reason: 'fair' }],
    };
    const settings = { timezone: 'America/New_York', schedule: frozen };
    const brand = await store.act(
      'setUpdateSettings',
      settings,
      '... on UpdateSettings { timezone schedule { windows { from } freezes { reason } } localOperatorBypass }',
    );
    expect(brand).toMatchObject({
      ...settings,
      schedule: { windows: [], freezes: [{ reason: 'fair' }] },
      localOperatorBypass: 'none',
    });
    await store.call('setFleetSchedule', { fleet: fleetId, input: {} });
    await store.settle();
    // New York is 4 or 5 hours behind UTC, 13:30 there is 8:30 or 9:30 here.
    const isNine = localTime('America/New_York', base)?.text.slice(11, 13) === '09';
    const inFreeze = isNine ? base : base + HOUR;
    expect(await at(inFreeze)).toEqual([1, 2, 1]);
    expect(await at(inFreeze + HOUR)).toEqual([2, 2, 2]);
    await setTime(null);

    const always = {
      freezes: [{ from: '2000-01-01T00:00', until: '2999-01-01T00:00', reason: 'fair' }],
    };
    // Who polled by the timer a moment ago is not taken for a person.
    const someone = await store.device();
    const asked = async (more: object): Promise<WireResult> => {
      await store.act('setUpdateSettings', { schedule: always, ...more });
      await store.settle();
      return poll(store.url, { id: snap.id, revision: 1 }, someone.headers);
    };
    expect((await asked({})).error?.message).toContain('updates are frozen: fair');
    const pierced = await asked({ localOperatorBypass: new Enum('windows') });
    expect(pierced.snap?.revision).toBe(2);
    expect(await store.offered(outside, snap, 1)).toBe(1);
    await store.act('setUpdateSettings', {});
    await store.settle();
  });
});
