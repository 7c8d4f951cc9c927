import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { arbitraryWorld } from '../testing/arbitrary-world.js';
import * as world from '../testing/world.js';
import { bucket, freezeThreshold } from './buckets.js';
import type { Decision } from './decision.js';
import { EXPLANATIONS, remediesOf } from './explain.js';
import type { DeviceFacts, RequestFacts } from './facts.js';
import { isOlder } from './lane-order.js';
import { compilePolicy } from './policy/compile.js';
import type { PolicyRows } from './policy/rows.js';
import { resolve, resolveAll } from './resolve.js';
import { RULES } from './rules/index.js';

const {
  device,
  refresh,
  install,
  log,
  rollout,
  wave,
  hold,
  pin,
  stop,
  snap,
  lane,
  T,
  HOUR,
  SNAP,
  BRAND,
} = world;

/** One scene per rule that makes it bite; scenes are laid over each other to see who comes first. */
interface Scene {
  readonly step: number;
  readonly code: string;
  readonly rows?: (rows: PolicyRows) => Partial<PolicyRows>;
  readonly device?: Partial<DeviceFacts>;
  readonly request?: Partial<RequestFacts>;
}

const gate = snap({ id: 'gateId', name: 'acme-gate', refreshControl: [SNAP] });
const closed = { windows: [{ days: [7] as const, from: '22:00', to: '04:00' }], freezes: [] };
const attempts = { 5: 3, 6: 3, 7: 3, 8: 3, 9: 3, 10: 3, 11: 3 };

/** Revisions 1–10 are released in this order, 11 and 12 are targets of rollouts; the device is at 4. */
const SCENES: readonly Scene[] = [
  {
    step: 1,
    code: 'NOT_ENTITLED',
    device: { hasBrandSerial: false },
    rows: (rows) => ({ snaps: rows.snaps.map((s) => ({ ...s, isProtected: true })) }),
  },
  { step: 2, code: 'STOPPED', rows: () => ({ stops: [stop()] }) },
  { step: 3, code: 'VSET_REQUIRED', request: { requiredRevision: 9 } },
  { step: 4, code: 'HELD_BRAND', rows: () => ({ holds: [hold()] }) },
  { step: 5, code: 'EXPLICIT', request: { revision: 8 } },
  { step: 6, code: 'PIN_DEVICE', rows: () => ({ pins: [pin(7)] }) },
  {
    step: 7,
    code: 'COHORT',
    request: { cohort: { issuedAt: T - 1000 * HOUR + 5, expiresAt: T + 1 } },
  },
  { step: 8, code: 'ROLLOUT_ADMITTED', rows: () => ({ rollouts: [rollout(11)] }) },
  { step: 9, code: 'BASELINE' },
  {
    step: 10,
    code: 'VIA_FLOOR',
    rows: () => ({ floors: [{ id: 'f', brandId: BRAND, laneId: world.LANE, revision: 5 }] }),
  },
  {
    step: 11,
    code: 'WAITS_FOR',
    rows: () => ({
      rollouts: [
        rollout(11, {
          requires: [{ snapId: 'x', channel: 'latest/stable', revision: 1, ifMissing: 'wait' }],
        }),
      ],
    }),
  },
  {
    step: 12,
    code: 'NOT_VALIDATED_BY',
    rows: (rows) => ({ snaps: [...rows.snaps, gate] }),
    request: { context: { gateId: { revision: 1 } } },
  },
  { step: 13, code: 'GAVE_UP', device: { memory: { [SNAP]: { failedAttempts: attempts } } } },
  { step: 14, code: 'OUTSIDE_WINDOW', rows: () => ({ settings: { schedule: closed } }) },
  {
    step: 15,
    code: 'NO_DOWNGRADE',
    request: { installed: { revision: 12, epoch: { read: [0], write: [0] } } },
  },
  { step: 16, code: 'SHED', request: { isShed: true } },
];

function play(...scenes: readonly Scene[]): Decision {
  let rows = world.rows({
    laneEvents: log([
      1,
      2,
      3,
      4,
      5,
      6,
      7,
      8,
      9,
      10,
      { kind: 'rollout', revision: 11 },
      { kind: 'rollout', revision: 12 },
    ]),
  });
  let who = device();
  let request = refresh(4);
  for (const scene of scenes) {
    rows = { ...rows, ...scene.rows?.(rows) };
    who = { ...who, ...scene.device };
    request = { ...request, ...scene.request };
  }
  return resolve(who, request, compilePolicy(rows), T);
}

/** Rules 6–9 and 10 propose; what they propose is then examined by 10–16. */
function winner(first: Scene, second: Scene): string {
  const [a, b] = first.step < second.step ? [first, second] : [second, first];
  const proposes = a.step >= 6 && a.step <= 10;
  if (!proposes || b.step < 10) return a.code;
  // Requirements belong to rollouts: a pin or a cohort never asks for them.
  if (b.step === 11 && (a.step === 6 || a.step === 7)) return a.code;
  if (a.step === 6 && b.step === 14) return a.code;
  if (a.step === 6 && b.step === 15) return 'PIN_BELOW_CURRENT';
  return b.code;
}

describe('the order of the rules', () => {
  it.each(SCENES)('U13 rule $step bites by itself: $code', (scene) => {
    expect(play(scene).reasons[0]?.code).toBe(scene.code);
  });

  const pairs = SCENES.flatMap((a) =>
    SCENES.filter((b) => b.step > a.step).map((b) => [a, b] as const),
  );
  it.each(pairs.map(([a, b]) => ({ a, b, name: `${a.code} and ${b.code}` })))(
    'U13 $name',
    ({ a, b }) => {
      expect(play(a, b).reasons[0]?.code).toBe(winner(a, b));
    },
  );

  it('the table lists the steps 1 to 16 in order', () => {
    const steps = RULES.map((row) => row.step);
    expect(steps).toEqual([...steps].sort((a, b) => a - b));
    expect(new Set(steps).size).toBe(16);
  });
});

function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(frozen);
  }
  return value;
}

const installedRevision = fc.option(fc.integer({ min: 1, max: 12 }), { nil: undefined });
const requestOf = (installed: number | undefined) =>
  installed === undefined ? install() : refresh(installed);

describe('resolve', () => {
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.restoreAllMocks();
  });

  it('the same input gives the byte-identical decision, also after a round trip through JSON', () => {
    fc.assert(
      fc.property(arbitraryWorld, installedRevision, (rows, installed) => {
        const policy = compilePolicy(rows);
        const first = JSON.stringify(resolve(device(), requestOf(installed), policy, T));
        const copy = JSON.parse(
          JSON.stringify({ d: device(), q: requestOf(installed), p: policy }),
        ) as { d: DeviceFacts; q: RequestFacts; p: typeof policy };
        expect(JSON.stringify(resolve(copy.d, copy.q, copy.p, T))).toBe(first);
      }),
      { numRuns: 500 },
    );
  });

  it('the time zone of the process makes no difference', () => {
    const before = process.env['TZ'];
    const rows = world.rows({ settings: { schedule: closed, timezone: 'Asia/Tokyo' } });
    const answers = ['Pacific/Apia', 'America/New_York', 'UTC'].map((zone) => {
      process.env['TZ'] = zone;
      return JSON.stringify(
        resolve(device({ timezone: 'Europe/Berlin' }), refresh(6), compilePolicy(rows), T),
      );
    });
    process.env['TZ'] = before ?? '';
    if (before === undefined) delete process.env['TZ'];
    expect(new Set(answers).size).toBe(1);
  });

  it('no clock, no random, nothing changed in what it was given', () => {
    const forbidden = () => {
      throw new Error('not in a pure function');
    };
    const { rows, who, request } = {
      rows: world.rows({
        settings: { schedule: closed },
        holds: [hold({ until: T })],
        rollouts: [rollout(8)],
      }),
      who: frozen(device()),
      request: frozen(refresh(6)),
    };
    const policy = frozen(compilePolicy(frozen(rows)));
    vi.spyOn(Date, 'now').mockImplementation(forbidden);
    vi.spyOn(Math, 'random').mockImplementation(forbidden);
    vi.stubGlobal('fetch', forbidden);
    vi.stubGlobal('setTimeout', forbidden);
    vi.stubGlobal('performance', { now: forbidden });
    expect(resolve(who, request, policy, T).outcome).toBe('STAY');
  });

  it('never leads back in lane order, over a floor, or to a withdrawn or stopped revision unasked', () => {
    fc.assert(
      fc.property(arbitraryWorld, fc.integer({ min: 1, max: 12 }), (rows, installed) => {
        const policy = compilePolicy(rows);
        const { outcome, revision = 0 } = resolve(device(), refresh(installed), policy, T);
        if (outcome !== 'UPDATE') return;
        const own = policy.snaps[SNAP]?.lanes['latest/stable'];
        expect(revision).not.toBe(installed);
        expect(isOlder(own, revision, installed)).toBe(false);
        expect(rows.revisions.find((r) => r.revision === revision)?.isYanked).toBe(false);
        expect((rows.stops ?? []).map((s) => s.revision)).not.toContain(revision);
        // Lane order is total only among revisions of the lane; a stranger is compared by number.
        const isRanked = (number: number) => own?.ranks[number] !== undefined;
        for (const floor of (rows.floors ?? []).filter((f) =>
          [installed, f.revision, revision].every(isRanked),
        )) {
          expect(
            isOlder(own, installed, floor.revision) && isOlder(own, floor.revision, revision),
          ).toBe(false);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('U97 every decision has a reason and what would change it; what stays repeats what is installed', () => {
    fc.assert(
      fc.property(arbitraryWorld, installedRevision, (rows, installed) => {
        const decision = resolve(device(), requestOf(installed), compilePolicy(rows), T);
        expect(decision.reasons.length).toBeGreaterThan(0);
        for (const { code } of decision.reasons)
          expect(EXPLANATIONS[code].remedy, code).toMatch(/\w/);
        // What decided comes first, and what would change it too.
        const [decisive] = decision.reasons;
        expect(remediesOf(decision)[0]).toContain(decisive && EXPLANATIONS[decisive.code].remedy);
        if (decision.outcome === 'STAY') expect(decision.revision).toBe(installed);
        if (decision.outcome === 'NOT_FOUND') expect(decision.revision).toBeUndefined();
        if (installed !== undefined) expect(decision.outcome).not.toBe('NOT_FOUND');
      }),
      { numRuns: 1000 },
    );
  });

  it('exactly the admitted set is offered the target: selector and k smallest buckets', () => {
    const uids = Array.from(
      { length: 300 },
      (_, i) => `00000000-0000-4000-8000-${String(i).padStart(12, '0')}`,
    );
    const buckets = uids.map((uid) => bucket(world.SALT, uid));
    const frozenWave = freezeThreshold(buckets, { percent: 5 });
    const labs = new Set(uids.slice(0, 4));
    const policy = compilePolicy(
      world.rows({
        laneEvents: log([7, { kind: 'rollout', revision: 8 }]),
        rollouts: [
          rollout(8, {
            waves: [
              wave(null, { selector: { fact: 'tag:lab', equals: 'yes' }, openedAt: T - 1 }),
              wave(frozenWave.threshold, { no: 2 }),
            ],
          }),
        ],
      }),
    );
    const offered = uids.filter((uid) => {
      const tags = { site: 'plant', ...(labs.has(uid) ? { lab: 'yes' } : {}) };
      return resolve(device({ uid, tags }), refresh(7), policy, T).revision === 8;
    });
    const expected = uids.filter(
      (uid, i) => labs.has(uid) || (buckets[i] ?? 0) < frozenWave.threshold,
    );
    expect(frozenWave.k).toBe(15);
    expect(offered).toEqual(expected);
  });

  it('U38 through time and waves no device goes from offered to not offered', () => {
    const steps = fc.array(
      fc.record({
        percent: fc.integer({ min: 1, max: 100 }),
        rampHours: fc.integer({ min: 0, max: 9 }),
        members: fc.integer({ min: 0, max: 80 }),
      }),
      { minLength: 1, maxLength: 4 },
    );
    fc.assert(
      fc.property(steps, fc.uuid(), (plan, uid) => {
        const fleet = Array.from({ length: 80 }, (_, i) => bucket(world.SALT, `member-${i}`));
        let prevThreshold = 0;
        let wasOffered = false;
        const waves: ReturnType<typeof wave>[] = [];
        for (const [i, { percent, rampHours, members }] of plan.entries()) {
          const now = fleet.slice(0, members);
          const { threshold } = freezeThreshold(now, { percent }, prevThreshold);
          const openedAt = T + i * 10 * HOUR;
          waves.push(
            wave(threshold, {
              no: i + 1,
              prevThreshold,
              openedAt,
              rampMs: rampHours * HOUR,
              activeMsAtOpen: i * 10 * HOUR,
            }),
          );
          prevThreshold = threshold;
          const policy = compilePolicy(
            world.rows({
              laneEvents: log([7, { kind: 'rollout', revision: 8 }]),
              rollouts: [rollout(8, { waves: [...waves], activeSince: T, leaseUntil: null })],
            }),
          );
          for (let hour = 0; hour < 10; hour += 3) {
            const isOffered =
              resolve(device({ uid }), refresh(7), policy, openedAt + hour * HOUR).revision === 8;
            expect(wasOffered && !isOffered).toBe(false);
            wasOffered = isOffered;
          }
        }
      }),
    );
  });

  it('U37 a policy never decides for a device of another brand, and tells it nothing', () => {
    fc.assert(
      fc.property(
        arbitraryWorld,
        installedRevision,
        fc.string().filter((s) => s !== BRAND),
        (rows, installed, brandId) => {
          const decision = resolve(
            device({ brandId }),
            requestOf(installed),
            compilePolicy(rows),
            T,
          );
          expect(decision).toEqual({ outcome: 'NOT_FOUND', reasons: [{ code: 'NOT_ENTITLED' }] });
        },
      ),
    );
  });

  it('a poll gives each action what it would get alone, one answer per action (U2)', () => {
    const rows = world.rows({
      snaps: [snap(), snap({ id: 'otherId', name: 'other' })],
      lanes: [lane(), lane('latest/stable', { snapId: 'otherId' })],
    });
    const context = { [SNAP]: { revision: 6 } };
    const requests = [
      refresh(6, { instanceKey: 'a', context }),
      refresh(5, { instanceKey: 'b', context }),
      install({ snapId: 'otherId', context }),
      install({ snapId: 'unknown', context }),
    ];
    const policy = compilePolicy(rows);
    const answers = resolveAll(device(), requests, policy, T);
    expect(answers).toEqual(requests.map((request) => resolve(device(), request, policy, T)));
    expect(answers.map((a) => a.outcome)).toEqual(['UPDATE', 'UPDATE', 'NOT_FOUND', 'NOT_FOUND']);
    expect(resolveAll(device(), [], policy, T)).toEqual([]);
  });

  it('names that are also members of every object are only names', () => {
    const tricky = ['constructor', '__proto__', 'toString', 'hasOwnProperty'];
    const fleets = tricky.map((name, i) =>
      world.fleet({ id: name, name, priority: i, predicate: { fact: 'tag:site', equals: name } }),
    );
    const policy = compilePolicy(
      world.rows({ fleets, holds: tricky.map((id) => hold({ id, scope: 'fleet', fleetId: id })) }),
    );
    for (const name of tricky) {
      const decision = resolve(device({ tags: { site: name } }), refresh(6), policy, T);
      expect(decision.reasons.map((r) => r.rule?.id)).toEqual([name]);
    }
    expect(resolve(device({ uid: 'constructor', tags: {} }), refresh(6), policy, T).outcome).toBe(
      'UPDATE',
    );
    expect(resolve(device(), refresh(6, { snapId: 'constructor' }), policy, T).outcome).toBe(
      'NOT_FOUND',
    );
  });
});
