import { describe, expect, it } from 'vitest';
import { Dice } from './dice.js';
import { ORDINARY, makeFleet } from './fleet.js';
import { nextPoll } from './poll-times.js';
import { GOOD, type Release } from './release.js';
import { HOUR_MS, type Traits } from './traits.js';
import { VirtualDevice, type StoreAnswer, type StoreCall } from './virtual-device.js';

const START = Date.UTC(2026, 0, 5);
const calm: Traits = {
  ...{ uid: 'u', serial: 's', architecture: 'amd64', region: 'north', zoneHours: 0 },
  ...{ lossRate: 0, isOffAtNight: false, rebootsEveryMs: 100 * HOUR_MS, failRate: 0 },
  ...{ isHeld: false, asksIn: 1, diesAt: Infinity, luck: 0 },
};
const device = (traits: Partial<Traits> = {}, release: Release = GOOD): VirtualDevice =>
  new VirtualDevice(
    { ...calm, ...traits },
    1,
    { startMs: START, target: 2, release, outages: [{ region: 'south', fromMs: 0, toMs: 9e9 }] },
    new Dice('life'),
  );

/** One poll against a store that offers `revision`. */
function poll(one: VirtualDevice, revision = 2): StoreCall[] {
  const calls: StoreCall[] = [];
  const conversation = one.poll();
  let answer: StoreAnswer = { isGiven: true };
  for (;;) {
    const { value, done } = conversation.next(answer);
    if (done === true) return calls;
    calls.push(value);
    answer = value.kind === 'refresh' ? { revision, isGiven: true } : { isGiven: true };
  }
}
const said = (calls: readonly StoreCall[]): string[] =>
  calls.map(({ kind, revision }) => `${kind} ${revision}`);
const faulty = (over: Partial<Release['faults'][number]>): Release => ({
  name: 'bad',
  faults: [{ share: 1, effect: 'bricks', after: 0, ...over }],
});

describe('a virtual device', () => {
  it('polls once in each quarter of its local day', () => {
    const dice = new Dice('polls');
    let at = START;
    for (let slot = 1; slot < 200; slot += 1) {
      at = nextPoll({ zoneHours: 8, isOffAtNight: false }, at, dice);
      expect(Math.floor((at + 2 * HOUR_MS - START) / (6 * HOUR_MS))).toBe(slot);
    }
  });

  it('asks when it starts what it missed while it was off', () => {
    const dice = new Dice('nights');
    let at = START;
    for (let polls = 0; polls < 200; polls += 1) {
      at = nextPoll({ zoneHours: 0, isOffAtNight: true }, at, dice);
      const hour = ((at - START) / HOUR_MS) % 24;
      expect(hour).toBeGreaterThanOrEqual(6);
      expect(hour).toBeLessThan(22);
    }
  });

  it('downloads, fetches the assertion, installs and asks again, as snapd does', () => {
    const one = device();
    expect(said(poll(one))).toEqual(['refresh 1', 'download 2', 'assertion 2', 'refresh 2']);
    expect(said(poll(one))).toEqual(['refresh 2']);
  });

  it('says that it is held, and takes nothing', () => {
    const calls = poll(device({ isHeld: true }));
    expect(calls).toMatchObject([{ kind: 'refresh', isHeld: true, isScheduled: true }]);
  });

  it('waits longer after each failure, and polls all the same', () => {
    const one = device({}, faulty({ effect: 'fails' }));
    const attempts: number[] = [];
    for (let polls = 0; polls < 40; polls += 1)
      for (const { kind, at } of poll(one)) if (kind === 'assertion') attempts.push(at / HOUR_MS);
    const gaps = attempts.slice(1).map((at, index) => at - (attempts[index] ?? 0));
    [8, 12, 24, 48, 96].forEach((hours, index) =>
      expect(gaps[index]).toBeGreaterThanOrEqual(hours),
    );
    expect(one.fateAt(START)).toBe('failed');
  });

  it('is silent once it is bricked, also later, and where no call gets through', () => {
    const bricked = device({}, faulty({}));
    expect(said(poll(bricked))).toEqual(['refresh 1', 'download 2', 'assertion 2']);
    expect(poll(bricked)).toEqual([]);
    const later = device({}, faulty({ after: 30 }));
    expect(poll(later)).toHaveLength(4);
    expect(later.isDoomed).toBe(true);
    for (let polls = 0; polls < 8; polls += 1) poll(later);
    expect([later.isDoomed, later.fateAt(later.nextPollAt)]).toEqual([false, 'bricked']);
    expect(poll(device({ region: 'south' }))).toEqual([]);
  });

  it('goes back by itself, and does not take the revision again', () => {
    const one = device({}, faulty({ effect: 'reverts', after: 0.5 }));
    expect(poll(one)).toHaveLength(4);
    expect(said(poll(one))).toEqual(['refresh 1']);
    expect(one.fateAt(one.nextPollAt)).toBe('reverted');
  });

  it('a fault hits only whom it names', () => {
    const arm = faulty({ architecture: 'arm64' });
    expect(poll(device({}, arm))).toHaveLength(4);
    expect(poll(device({ architecture: 'arm64' }, arm))).toHaveLength(3);
    const few = faulty({ share: 0.02, effect: 'refuses' });
    expect(poll(device({ luck: 0.01 }, few))).toHaveLength(1);
    expect(poll(device({ luck: 0.02 }, few))).toHaveLength(4);
  });
});

describe('a fleet', () => {
  const around = { startMs: START, target: 2, release: GOOD, outages: [] };

  it('is the same for the same seed, and another for another', () => {
    const of = (seed: string) =>
      makeFleet(seed, 200, ORDINARY, 1, around).map(({ traits, nextPollAt }) => [
        traits,
        nextPollAt,
      ]);
    expect(of('a')).toEqual(of('a'));
    expect(of('a')).not.toEqual(of('b'));
  });

  it('has the shares that its shape says, and two machines behind a cloned serial', () => {
    const fleet = makeFleet('a', 4000, { ...ORDINARY, clones: 0.1 }, 1, around);
    const arm = fleet.filter(({ traits }) => traits.architecture === 'arm64').length;
    expect(arm / fleet.length).toBeCloseTo(0.3, 1);
    const serials = new Set(fleet.map(({ traits }) => traits.serial));
    expect(serials.size).toBe(4000);
    expect(fleet.length / 4000).toBeCloseTo(1.1, 1);
  });
});
