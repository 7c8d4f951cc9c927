import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  AuditRow,
  Device,
  DeviceFact,
  DeviceRolloutState,
  RolloutTransition,
} from '#libs/database';
import { RolloutCountService, pauseOf, signGateReport } from '#libs/operations';
import {
  NO_TALLY,
  addTo,
  isSoaked,
  isUnsure,
  sumOf,
  type LadderState,
  type Tally,
} from '#libs/update-control';
import { Enum, literal, type RolloutAnswer } from '../admin/support/admin-store.js';
import { SetDevice, SetOfTwo } from './support/set-device.js';
import { DAY, HOUR, SMALL, SignalStore } from './support/signal-store.js';
import type { WalkingDevice } from './support/walking-device.js';

/** Days of a fleet pass in one test, on a machine that may be busy. */
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

let store: SignalStore;

beforeAll(async () => {
  store = await SignalStore.start();
});
afterAll(() => store?.stop());

const wave = (more: object): object => ({ soakSeconds: 86_400, health: SMALL, ...more });
const everybody = wave({ percent: 100 });

/** Those that the open waves have admitted. */
async function admitted(devices: readonly WalkingDevice[]): Promise<WalkingDevice[]> {
  const found: WalkingDevice[] = [];
  for (const device of devices) {
    await device.poll();
    if (device.offer) found.push(device);
  }
  return found;
}

/** They take the target and stay well on it until they are confirmed, and for the wave's soak after that. */
async function stayWell(devices: readonly WalkingDevice[]): Promise<void> {
  for (const device of devices) await device.update();
  for (const at of [25, 25]) {
    await store.pass(at * HOUR);
    for (const device of devices) await device.poll();
  }
}

const lastTransition = async (rollout: { id: string }): Promise<RolloutTransition> => {
  const { rev } = await store.row(rollout);
  return store.db((tx) =>
    tx.findOneByOrFail(RolloutTransition, { rolloutId: rollout.id, seq: rev }),
  );
};
const evidenceHash = async (rollout: { id: string }): Promise<string> =>
  pauseOf(await lastTransition(rollout))?.evidenceHash ?? '';

/** Two people go on after an automatic pause. */
async function goOn(rollout: RolloutAnswer, acknowledges: string): Promise<RolloutAnswer> {
  const { steered } = store;
  const { planHash } = await store.row(rollout);
  await steered.on(steered.approver, 'approveRollout', rollout, `planHash: "${planHash}"`);
  return steered.on(
    steered.planner,
    'resumeRollout',
    rollout,
    `acknowledges: ${literal(acknowledges)}`,
  );
}

it('a wave passes when enough of its devices are confirmed and were heard of after its soak, and the next one is judged by its own', async () => {
  const { fleetId, devices } = await store.fleet({ amd64: 10 });
  const rollout = await store.rollout(fleetId, [wave({ percent: 50 }), everybody]);
  const first = await admitted(devices);
  expect(first).toHaveLength(5);
  await store.judge(rollout);
  for (const device of first) await device.install();
  await store.pass(25 * HOUR);
  for (const device of first) await device.poll();
  await store.judge(rollout);
  // Confirmed, but not yet for the soak.
  expect((await store.waves(rollout)).map(({ state }) => state)).toEqual(['OPEN', 'WAITING']);
  await store.pass(25 * HOUR);
  await store.judge(rollout);
  // The soak is over, but nobody has been heard of since: they may all be dead.
  expect((await store.waves(rollout)).map(({ state }) => state)).toEqual(['OPEN', 'WAITING']);
  for (const device of first) await device.poll();
  await store.judge(rollout);
  expect((await store.waves(rollout)).map(({ state }) => state)).toEqual(['PASSED', 'OPEN']);
  await store.judge(rollout);
  // What the first five did says nothing of the second wave.
  expect((await store.waves(rollout))[1]?.state).toBe('OPEN');
  await stayWell(devices.filter((device) => !first.includes(device)));
  expect((await store.judge(rollout)).state).toMatch(/^COMPLET/);
});

it('U77 five of five canaries that fail before the sample is there pause the rollout by their number alone', async () => {
  const { fleetId, devices } = await store.fleet({ amd64: 40 });
  const health = { minSample: 20 };
  const rollout = await store.rollout(fleetId, [
    { count: 5, health },
    { percent: 100, health },
  ]);
  const canaries = await admitted(devices);
  expect(canaries).toHaveLength(5);
  for (const device of canaries) await device.fail();
  await store.pass(6 * HOUR);
  for (const device of canaries) await device.poll();
  const paused = await store.judge(rollout);
  expect(paused.state).toBe('PAUSED');
  expect(await lastTransition(rollout)).toMatchObject({
    cause: expect.stringContaining('wave 1 failed: health') as string,
    evidence: { wave: 1, gates: [{ gate: 'health', numbers: { failures: 5, outcomes: 5 } }, {}] },
  });
  // Nobody else is offered anything; those that were not told again either.
  expect(await admitted(devices)).toEqual([]);
});

it('U78 nobody polls until the deadline: inconclusive, paused and told, never passed; and a dead counter passes nothing', async () => {
  const { fleetId, devices } = await store.fleet({ amd64: 6 });
  const short = wave({ percent: 100, deadlineSeconds: 3 * 86_400 });
  // What the plan says of a failure is not said of silence.
  const rollout = await store.rollout(fleetId, [short], { onFail: new Enum('abort') });
  await store.pass(2 * DAY);
  expect((await store.judge(rollout)).state).toBe('ACTIVE');
  await store.pass(2 * DAY);
  expect((await store.judge(rollout)).state).toBe('PAUSED');
  expect((await store.waves(rollout))[0]?.state).toBe('INCONCLUSIVE');
  expect((await lastTransition(rollout)).cause).toMatch(
    /^wave 1 is inconclusive: health: sample \(outcomes 0, /,
  );
  expect(await store.events(rollout)).toEqual(
    expect.arrayContaining(['wave-inconclusive', 'auto-paused']),
  );

  // All is well on the devices, but nobody counts: the wave does not pass, and its lease runs out.
  const other = await store.fleet({ amd64: 6 });
  const unwatched = await store.rollout(other.fleetId, [short]);
  await stayWell(other.devices);
  await store.flush();
  const { brand, wire } = store.steered;
  await new RolloutCountService(wire.resources).count(brand.id, unwatched.id);
  // The last count would let it pass, had somebody asked in time.
  await store.pass(HOUR);
  const { leaseUntil } = await store.row(unwatched);
  await store.steered.tick(unwatched);
  expect((await store.row(unwatched)).state).toBe('ACTIVE');
  expect((await store.row(unwatched)).leaseUntil).toEqual(leaseUntil);
  await store.pass(2 * DAY);
  await store.steered.tick(unwatched);
  expect((await lastTransition(unwatched)).cause).toMatch(/^wave 1 is inconclusive/);
  expect(devices).toHaveLength(6);
});

it('U79 a regional outage that takes admitted and others alike is no failure; only admitted ones going dark is', async () => {
  const run = async (hitsAll: boolean): Promise<string> => {
    const { fleetId, devices } = await store.fleet({ amd64: 40 });
    const health = { ...SMALL, minSample: 10, failPercent: 5 };
    const half = wave({ percent: 50, health, soakSeconds: 3 * 86_400 });
    const rollout = await store.rollout(fleetId, [half, everybody]);
    for (const device of devices) await device.update();
    const on = devices.filter(({ revision }) => revision === 2);
    const off = devices.filter(({ revision }) => revision === 1);
    expect([on.length, off.length]).toEqual([20, 20]);
    const dark = new Set([...on.slice(0, 6), ...(hitsAll ? off.slice(0, 6) : [])]);
    const light = devices.filter((device) => !dark.has(device));
    const days = async (count: number): Promise<void> => {
      for (let day = 0; day < count; day += 1) {
        await store.pass(25 * HOUR);
        for (const device of light) await device.poll();
        await store.judge(rollout);
      }
    };
    // Those in the dark have installed, and say nothing any more.
    await days(3);
    const counts = await store.counts(rollout);
    expect(counts.waves[1]?.['amd64']?.steps['DARK']).toBe(6);
    expect(counts.control['amd64']).toMatchObject({ total: 20, dark: hitsAll ? 6 : 0 });
    await days(4);
    const { state } = await store.row(rollout);
    return `${state} ${(await store.waves(rollout))[0]?.state}`;
  };
  expect(await run(true)).toBe('ACTIVE PASSED');
  expect(await run(false)).toBe('PAUSED FAILED');
});

it('U80 all of arm64 failing pauses the rollout, though it is a twentieth of the fleet and amd64 is fine', async () => {
  const { fleetId, devices } = await store.fleet({ amd64: 57, arm64: 3 });
  const health = { minSample: 30, failPercent: 10, failCount: 3 };
  const rollout = await store.rollout(fleetId, [wave({ percent: 100, health })]);
  for (const device of devices)
    await (device.architecture === 'arm64' ? device.fail() : device.update());
  for (const at of [25, 1]) {
    await store.pass(at * HOUR);
    for (const device of devices) await device.poll();
  }
  expect((await store.judge(rollout)).state).toBe('PAUSED');
  const { cause, evidence } = await lastTransition(rollout);
  expect(cause).toContain('wave 1 failed: health on arm64: failures');
  expect(evidence).toMatchObject({ gates: [{ architecture: 'arm64', verdict: 'FAIL' }, {}] });
});

it('U52 after an automatic pause going on names its evidence; the failures it rests on pause no more, one new failure counts', async () => {
  const { fleetId, devices } = await store.fleet({ amd64: 20 });
  const health = { ...SMALL, failCount: 1, failPercent: 0 };
  const rollout = await store.rollout(fleetId, [wave({ percent: 100, health })]);
  const [bad, worse, ...good] = devices as [WalkingDevice, WalkingDevice, ...WalkingDevice[]];
  await bad.fail();
  for (const device of good) await device.update();
  await store.pass(6 * HOUR);
  await bad.poll();
  expect((await store.judge(rollout)).state).toBe('PAUSED');
  const hash = await evidenceHash(rollout);
  const { steered } = store;
  const { planHash } = await store.row(rollout);
  await steered.on(steered.approver, 'approveRollout', rollout, `planHash: "${planHash}"`);
  expect(await steered.on(steered.planner, 'resumeRollout', rollout)).toMatchObject({
    __typename: 'Invalid',
  });
  const wrong = `acknowledges: "${'0'.repeat(64)}"`;
  expect(await steered.on(steered.planner, 'resumeRollout', rollout, wrong)).toMatchObject({
    __typename: 'Conflict',
  });
  expect(await goOn(rollout, hash)).toMatchObject({ state: 'ACTIVE' });
  expect((await store.waves(rollout))[0]).toMatchObject({ state: 'OPEN', attempt: 2 });
  for (let looks = 0; looks < 2; looks += 1)
    expect((await store.judge(rollout)).state).toBe('ACTIVE');
  expect((await store.counts(rollout)).waves[1]?.['amd64']?.acknowledged).toEqual({ FAILED: 1 });
  await store.steered.settle();
  await worse.fail();
  await store.pass(6 * HOUR);
  await worse.poll();
  expect((await store.judge(rollout)).state).toBe('PAUSED');
  expect(await lastTransition(rollout)).toMatchObject({
    evidence: { attempt: 2, gates: [{ numbers: { failures: 1 } }, {}] },
  });
  expect(await evidenceHash(rollout)).not.toBe(hash);
});

it('U81 an external gate takes a signed report once, in time and for its attempt; all else is ignored and audited, silence is inconclusive', async () => {
  const { fleetId, devices } = await store.fleet({ amd64: 6 });
  const gates = [{ name: 'kiosk-telemetry', timeoutSeconds: 4 * 86_400 }];
  const planned = wave({ percent: 100, externalGates: gates });
  const rollout = await store.rollout(fleetId, [planned]);
  await stayWell(devices);
  expect((await store.judge(rollout)).state).toBe('ACTIVE');
  const { planner, brand, wire } = store.steered;
  const gate = 'kiosk-telemetry';
  const { gateSecret } = await planner.ask<{ gateSecret: string }>(
    `gateSecret(brand: "${brand.id}", id: "${rollout.id}", gate: "${gate}")`,
  );
  const message = (more: object = {}) => ({
    ...{
      id: randomUUID(),
      timestamp: Math.floor(store.now.getTime() / 1000),
      rolloutId: rollout.id,
    },
    ...{ wave: 1, attempt: 1, gate, verdict: 'PASS' as 'PASS' | 'FAIL', ...more },
  });
  const send = async (
    { id, rolloutId, verdict, ...report }: ReturnType<typeof message>,
    secret = gateSecret,
    signed = { id, rolloutId, verdict, ...report },
  ): Promise<unknown> => {
    const signature = signGateReport(secret, signed);
    const input = {
      ...report,
      messageId: id,
      rollout: rolloutId,
      verdict: new Enum(verdict),
      signature,
    };
    const answer = await store.steered.act(
      'reportGate',
      input,
      '... on GateReport { isAccepted reason }',
    );
    return answer['isAccepted'] ?? answer;
  };
  const refused = [
    await send(message(), `whsec_${Buffer.alloc(32).toString('base64')}`),
    await send(message({ timestamp: Math.floor(store.now.getTime() / 1000) - 600 })),
    await send(message({ attempt: 2 })),
    await send(message({ wave: 2 })),
    await send(message({ gate: 'another' })),
  ];
  expect(refused).toEqual([false, false, false, false, false]);
  // What was changed after it had been signed is not what the gate said.
  const said = message();
  for (const change of [
    { id: randomUUID() },
    { timestamp: said.timestamp - 1 },
    { wave: 2 },
    { attempt: 2 },
    { verdict: 'FAIL' as const },
  ])
    expect(await send({ ...said, ...change }, gateSecret, said)).toBe(false);
  expect((await store.judge(rollout)).state).toBe('ACTIVE');
  const good = message();
  expect([await send(good), await send(good)]).toEqual([true, false]);
  expect((await store.judge(rollout)).state).toMatch(/^COMPLET/);
  const audited = await wire.resources.db.asSystem((tx) =>
    tx.findBy(AuditRow, { brandId: brand.id, action: 'gate-report-ignored' }),
  );
  expect(audited).toHaveLength(11);
  const forged = audited.filter(({ reason }) => reason?.startsWith('its signature'));
  expect(forged).toHaveLength(7);

  const silent = await store.fleet({ amd64: 6 });
  const waiting = await store.rollout(silent.fleetId, [planned]);
  await stayWell(silent.devices);
  await store.judge(waiting);
  await store.pass(3 * DAY);
  const secret = await planner.ask<{ gateSecret: string }>(
    `gateSecret(brand: "${brand.id}", id: "${waiting.id}", gate: "${gate}")`,
  );
  // A PASS of the other rollout, and one that comes too late.
  expect(await send({ ...good })).toBe(false);
  expect(await send(message({ rolloutId: waiting.id }), secret.gateSecret)).toBe(false);
  expect((await store.judge(waiting)).state).toBe('PAUSED');
  expect((await lastTransition(waiting)).cause).toContain('nothing was reported in time');

  const loud = await store.fleet({ amd64: 6 });
  const failing = await store.rollout(loud.fleetId, [planned]);
  const { gateSecret: own } = await planner.ask<{ gateSecret: string }>(
    `gateSecret(brand: "${brand.id}", id: "${failing.id}", gate: "${gate}")`,
  );
  expect(await send(message({ rolloutId: failing.id }), own)).toBe(true);
  expect(await send(message({ rolloutId: failing.id, verdict: 'FAIL' }), own)).toBe(true);
  expect((await store.judge(failing)).state).toBe('PAUSED');
});

it('U85 a share of failures that is just allowed does not pause, one device more does', async () => {
  const run = async (failing: number): Promise<string> => {
    const { fleetId, devices } = await store.fleet({ amd64: 20 });
    const health = { minSample: 20, failPercent: 10, failCount: 1, successPercent: 50 };
    const rollout = await store.rollout(fleetId, [wave({ percent: 100, health, soakSeconds: 0 })]);
    // The good ones first: before the sample is there, a single failure would be enough.
    for (const device of devices.slice(failing)) {
      await device.update();
      await device.poll();
    }
    for (const device of devices.slice(0, failing)) await device.fail();
    await store.pass(6 * HOUR);
    for (const device of devices.slice(0, failing)) await device.poll();
    return (await store.judge(rollout)).state.replace('COMPLETING', 'COMPLETED');
  };
  expect(await run(2)).toBe('COMPLETED');
  expect(await run(3)).toBe('PAUSED');
});

describe('a sequence of a validation set', () => {
  /** Two snaps, pinned by the first sequence to revision 1 and by the second to revision 2. */
  async function pinned(): Promise<{ set: SetOfTwo; fleetId: string; devices: SetDevice[] }> {
    const set = await SetOfTwo.make(store);
    const { fleetId, devices } = await store.fleet({ amd64: 6 });
    return { set, fleetId, devices: devices.map((device) => new SetDevice(set, device)) };
  }
  const rollOut = ({ name }: SetOfTwo, fleetId: string, waves: object[]) =>
    store.steered.rollout({ fleetId, sequence: { set: name, sequence: 2 }, waves });

  it('passes when enough devices have all its snaps, are confirmed and were heard of after the soak; time alone passes nothing', async () => {
    const { set, fleetId, devices } = await pinned();
    const rollout = await rollOut(set, fleetId, [everybody]);
    await set.publish(2);
    for (const device of devices) expect(await device.poll()).toEqual([2, 2]);
    for (const device of devices) device.revisions = [2, 1];
    const days = async (count: number): Promise<void> => {
      for (let day = 0; day < count; day += 1) {
        await store.pass(25 * HOUR);
        for (const device of devices) await device.poll();
        await store.judge(rollout);
      }
    };
    // Half of the set is not the set: the other half was offered again and again, and not taken.
    await days(3);
    expect((await store.row(rollout)).state).toBe('ACTIVE');
    expect((await store.counts(rollout)).waves[1]?.['amd64']?.steps).toEqual({ REFUSED: 6 });
    for (const device of devices) device.revisions = [2, 2];
    for (const device of devices) await device.poll();
    await store.flush();
    await days(2);
    expect((await store.counts(rollout)).waves[1]?.['amd64']?.steps).toEqual({ CONFIRMED: 6 });
    expect((await store.judge(rollout)).state).toMatch(/^COMPLET/);
  });

  it('pauses when devices fail on one of its snaps', async () => {
    const { set, fleetId, devices } = await pinned();
    const rollout = await rollOut(set, fleetId, [everybody]);
    await set.publish(2);
    for (const device of devices.slice(0, 3)) {
      await device.poll();
      await device.attempt();
    }
    await store.pass(6 * HOUR);
    for (const device of devices.slice(0, 3)) await device.poll();
    expect((await store.judge(rollout)).state).toBe('PAUSED');
    expect((await lastTransition(rollout)).cause).toMatch(
      /^wave 1 failed: health on amd64: failures/,
    );
    expect((await store.counts(rollout)).waves[1]?.['amd64']?.steps).toEqual({ FAILED: 3 });
  });
});

it('devices that wait are counted in groups, and each of them as if it was looked at', async () => {
  const { fleetId, devices } = await store.fleet({ amd64: 12, arm64: 4 });
  const selector = { fact: 'architecture', equals: 'arm64' };
  const rollout = await store.rollout(fleetId, [
    wave({ percent: 25, selector, health: { ...SMALL, failCount: 90 } }),
    everybody,
  ]);
  const first = await admitted(devices);
  const [placed, silent] = [first.length, devices.length - first.length];
  await store.judge(rollout);
  const { eligible, control } = await store.counts(rollout);
  expect([eligible, control]).toEqual([{}, { amd64: { total: silent, dark: 0, reverted: 0 } }]);
  expect(placed).toBeGreaterThan(4);
  // Of those that wait one is heard of again, the others are dark: they are looked at one by one.
  await store.pass(3 * DAY);
  const waiting = devices.filter((device) => !first.includes(device));
  await waiting[0]?.poll();
  await store.judge(rollout);
  const later = (await store.counts(rollout)).control['amd64'];
  expect(later).toEqual({ total: silent, dark: silent - 1, reverted: 0 });
});

it('places are counted in groups, and each of them as if it was looked at', async () => {
  const { fleetId, devices } = await store.fleet({ amd64: 6, arm64: 4 });
  const health = { ...SMALL, failCount: 90 };
  const soakMs = 12 * HOUR;
  const rollout = await store.rollout(fleetId, [
    wave({ percent: 50, soakSeconds: soakMs / 1_000, health }),
    wave({ percent: 100, health }),
  ]);
  const first = await admitted(devices);
  const [failing, leaving, reverting, soaked, ...others] = first;
  if (!failing || !leaving || !reverting || !soaked) throw new Error('too few are admitted');
  await failing.fail();
  for (const device of [leaving, reverting, soaked, ...others]) await device.update();
  await store.pass(25 * HOUR);
  for (const device of [failing, leaving, soaked, ...others]) await device.poll();
  // Confirmed by that poll; one of them is heard of again when it has soaked, and one has gone back.
  await store.pass(soakMs + HOUR);
  await soaked.poll();
  reverting.revision = 1;
  await reverting.poll();
  await store.judge(rollout);
  const counted = (await store.counts(rollout)).waves[1] ?? {};
  expect(counted).toEqual(await lookedAt(rollout, devices, soakMs));
  const sum = sumOf(Object.values(counted));
  expect(sum.steps).toMatchObject({ CONFIRMED: first.length - 2, REVERTED: 1 });
  expect([sum.soaked, sum.unsure]).toEqual([1, 1]);
  // One goes to another fleet: that is written of it, and from then on it is counted as one that left.
  await store.db((tx) => tx.update(Device, { uid: leaving.uid }, { tags: {} }));
  for (let looks = 0; looks < 2; looks += 1) {
    await store.judge(rollout);
    expect(await store.step(rollout, leaving)).toBe('LEFT');
    const later = (await store.counts(rollout)).waves[1];
    expect(later).toEqual(await lookedAt(rollout, devices, soakMs));
  }
});

/** The tallies by architecture, from the rows of its places, one by one. */
async function lookedAt(
  { id: rolloutId }: { id: string },
  devices: readonly WalkingDevice[],
  soakMs: number,
): Promise<Record<string, Tally>> {
  const places = await store.db((tx) => tx.findBy(DeviceRolloutState, { rolloutId }));
  const tallies: Record<string, Tally> = {};
  for (const { deviceUid, state } of places) {
    const architecture = devices.find(({ uid }) => uid === deviceUid)?.architecture ?? '';
    const facts = await store.db((tx) => tx.findOneByOrFail(DeviceFact, { deviceUid }));
    const place = state as LadderState;
    tallies[architecture] = addTo(tallies[architecture] ?? NO_TALLY, place.step, {
      isSoaked: isSoaked(place, facts.seenAt?.getTime() ?? 0, soakMs),
      isUnsure: isUnsure(place, store.now.getTime()),
      isAcknowledged: false,
    });
  }
  return tallies;
}

it('devices that are admitted and were not seen since are counted by their wave', async () => {
  const { fleetId, devices } = await store.fleet({ amd64: 8 });
  const rollout = await store.rollout(fleetId, [wave({ percent: 50 }), everybody]);
  await store.judge(rollout);
  expect((await store.counts(rollout)).eligible).toEqual({ 1: 4 });
  expect((await store.counts(rollout)).control['amd64']).toMatchObject({ total: 4 });
  await admitted(devices);
  await store.judge(rollout);
  expect((await store.counts(rollout)).eligible).toEqual({});
});
