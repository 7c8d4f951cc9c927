import { describe, expect, it } from 'vitest';
import * as world from '../../testing/world.js';
import { parseEpoch } from '../epochs.js';
import { compilePolicy } from '../policy/compile.js';
import type { PolicyRows } from '../policy/rows.js';
import { findWithheld, resolve } from '../resolve.js';
import type { DeviceFacts, RequestFacts } from '../facts.js';

const {
  device,
  refresh,
  install,
  revision,
  lane,
  log,
  pin,
  rollout,
  wave,
  hold,
  snap,
  IN,
  OUT,
  T,
  HOUR,
} = world;

function ask(
  over: Partial<PolicyRows>,
  request: RequestFacts = refresh(6),
  who: DeviceFacts = device(),
  t = T,
) {
  const {
    outcome,
    revision: offered,
    reasons,
    retryHint,
  } = resolve(who, request, compilePolicy(world.rows(over)), t);
  return {
    outcome,
    revision: offered,
    codes: reasons.map((reason) => reason.code),
    reasons,
    retryHint,
  };
}

const withRollout = (over: Parameters<typeof rollout>[1] = {}): Partial<PolicyRows> => ({
  laneEvents: log([5, 6, 7, { kind: 'rollout', revision: 8 }]),
  rollouts: [rollout(8, over)],
});

describe('rule 10, floors and epochs', () => {
  const floors = [20, 10].map((number) => ({
    id: `floor-${number}`,
    brandId: world.BRAND,
    laneId: world.LANE,
    revision: number,
  }));
  const revisions = [5, 10, 15, 20, 25].map((number) => revision(number));
  const laneEvents = log([5, 10, 15, 20, 25]);

  it('a device at 5 gets 10, 20, 25 in three polls', () => {
    const over = { floors, revisions, laneEvents };
    const way: (number | undefined)[] = [5];
    for (let i = 0; i < 3; i += 1) way.push(ask(over, refresh(way.at(-1) ?? 0)).revision);
    expect(way).toEqual([5, 10, 20, 25]);
    expect(ask(over, refresh(5)).reasons[0]).toMatchObject({
      code: 'VIA_FLOOR',
      detail: { floor: 10, goal: 25 },
    });
    expect(ask(over, refresh(25))).toMatchObject({
      outcome: 'STAY',
      codes: ['UP_TO_DATE', 'BASELINE'],
    });
  });

  it('does not bite past the floor, for another architecture, or for a new install', () => {
    expect(ask({ floors, revisions, laneEvents }, refresh(20)).revision).toBe(25);
    expect(ask({ floors, revisions, laneEvents }, install()).revision).toBe(25);
    expect(ask({ floors, revisions, laneEvents, pins: [pin(15)] }, refresh(10)).revision).toBe(15);
    const arm = [
      revision(5),
      revision(10, { architectures: ['arm64'] }),
      revision(20, { architectures: ['arm64'] }),
      revision(25),
    ];
    expect(ask({ floors, revisions: arm, laneEvents }, refresh(5)).revision).toBe(25);
  });

  it('binds pins and rollouts as well', () => {
    expect(ask({ floors, revisions, laneEvents, pins: [pin(25)] }, refresh(15)).revision).toBe(20);
    expect(
      ask({ floors, revisions, laneEvents, rollouts: [rollout(25)] }, refresh(5)).revision,
    ).toBe(10);
  });

  const epochs = { 1: '0', 2: '1*', 3: '1', 4: '0' } as const;
  const withEpochs = (order: readonly (keyof typeof epochs)[]): Partial<PolicyRows> => ({
    revisions: order.map((number) => revision(number, { epoch: parseEpoch(epochs[number]) })),
    laneEvents: log(order.map((number) => ({ revision: number, epoch: epochs[number] }))),
  });
  const at = (number: keyof typeof epochs) =>
    refresh(number, { installed: { revision: number, epoch: parseEpoch(epochs[number]) } });

  it('U23 epoch 0 → 1* → 1, one hop per poll, never 1 directly', () => {
    const over = withEpochs([1, 2, 3]);
    expect(ask(over, at(1)).revision).toBe(2);
    expect(ask(over, at(2)).revision).toBe(3);
    expect(ask(over, at(3)).outcome).toBe('STAY');
    expect(ask({ ...over, rollouts: [rollout(3)] }, at(1))).toMatchObject({
      revision: 2,
      codes: ['VIA_EPOCH', 'EPOCH_UNREADABLE', 'ROLLOUT_ADMITTED'],
    });
  });

  it('U23 without a stepping stone the device stays and says why', () => {
    expect(ask(withEpochs([1, 3]), at(1))).toMatchObject({
      outcome: 'STAY',
      revision: 1,
      codes: ['EPOCH_UNREADABLE', 'BASELINE'],
    });
  });

  it('U24 a late fix for epoch 0 reaches only devices there, and they go on from it', () => {
    const over = withEpochs([1, 2, 3, 4]);
    expect(ask(over, at(1)).revision).toBe(4);
    expect(ask(over, at(4)).revision).toBe(2);
    expect(ask(over, at(2)).revision).toBe(3);
    expect(ask(over, at(3)).outcome).toBe('STAY');
    expect(ask(over, install()).revision).toBe(3);
  });
});

describe('rule 11, prerequisites', () => {
  const gadget = snap({ id: 'gadgetId', name: 'acme-gadget', type: 'gadget' });
  const over = (ifMissing: 'skip' | 'wait' = 'wait'): Partial<PolicyRows> => ({
    ...withRollout({
      requires: [{ snapId: 'gadgetId', channel: 'latest/stable', revision: 3, ifMissing }],
    }),
    snaps: [snap(), gadget],
    lanes: [lane(), lane('latest/stable', { snapId: 'gadgetId' })],
    laneEvents: [
      ...log([7, { kind: 'rollout', revision: 8 }]),
      ...log([3, 2], 'gadgetId latest/stable'),
    ],
  });
  const has = (number: number) => refresh(7, { context: { gadgetId: { revision: number } } });

  it('waits until the context shows the other snap at that place of its lane', () => {
    expect(ask(over(), has(1))).toMatchObject({ outcome: 'STAY', codes: ['WAITS_FOR'] });
    expect(ask(over(), has(1)).reasons[0]?.detail).toEqual({
      snap: 'acme-gadget',
      have: 1,
      need: 3,
    });
    expect(ask(over(), has(3)).revision).toBe(8);
    // 2 was released after 3 and is later in lane order.
    expect(ask(over(), has(2)).revision).toBe(8);
  });

  it('U27 on a device without that snap: wait or skip, explained', () => {
    expect(ask(over('wait'), refresh(7))).toMatchObject({ outcome: 'STAY', codes: ['WAITS_FOR'] });
    expect(ask(over('skip'), refresh(7))).toMatchObject({
      outcome: 'UPDATE',
      revision: 8,
      codes: ['ROLLOUT_ADMITTED', 'PREREQUISITE_SKIPPED'],
    });
  });
});

describe('rule 12, refresh-control', () => {
  const gating = snap({ id: 'gateId', name: 'acme-gate', refreshControl: [world.SNAP] });
  const over: Partial<PolicyRows> = { snaps: [snap(), gating] };
  const context = { gateId: { revision: 1 } };

  it('U28 a missing validation is predicted and named', () => {
    const answer = ask(over, refresh(6, { context }));
    expect(answer).toMatchObject({ outcome: 'STAY', revision: 6, codes: ['NOT_VALIDATED_BY'] });
    expect(answer.reasons[0]?.detail).toEqual({ gating: 'acme-gate', revision: 7 });
  });

  it('does not bite with the validation, without the gating snap, or when the device ignores it', () => {
    const validations = [{ gatingSnapId: 'gateId', snapId: world.SNAP, revision: 7 }];
    expect(ask({ ...over, validations }, refresh(6, { context })).revision).toBe(7);
    expect(ask(over, refresh(6)).revision).toBe(7);
    expect(ask(over, refresh(6, { context, ignoreValidation: true })).revision).toBe(7);
  });
});

describe('rule 13, give-up and revert memory', () => {
  const failed = (attempts: number) =>
    device({ memory: { [world.SNAP]: { failedAttempts: { 7: attempts } } } });

  it('after three failed attempts there is no fourth offer of that revision', () => {
    expect(ask({}, refresh(6), failed(2)).revision).toBe(7);
    expect(ask({}, refresh(6), failed(3))).toMatchObject({
      outcome: 'STAY',
      revision: 6,
      codes: ['GAVE_UP'],
    });
    expect(ask({ laneEvents: log([6, 7, 8]) }, refresh(6), failed(3)).revision).toBe(8);
  });

  it('a revert is respected for scheduled offers until the target changes', () => {
    const reverted = device({ memory: { [world.SNAP]: { reverted: [7] } } });
    expect(ask({}, refresh(6), reverted)).toMatchObject({
      outcome: 'STAY',
      codes: ['REVERTED_HERE'],
    });
    expect(ask({}, refresh(6, { isScheduled: false }), reverted).revision).toBe(7);
    expect(ask({ laneEvents: log([6, 7, 8]) }, refresh(6), reverted).revision).toBe(8);
  });

  it('remembers per instance', () => {
    const who = device({ memory: { dash_a: { reverted: [7] } } });
    expect(ask({}, refresh(6, { instanceKey: 'dash_a' }), who).outcome).toBe('STAY');
    expect(ask({}, refresh(6, { instanceKey: 'dash_b' }), who).outcome).toBe('UPDATE');
  });
});

describe('rule 14, windows and freezes', () => {
  // T is Saturday 10:00 UTC.
  const closed = { windows: [{ days: [7] as const, from: '22:00', to: '04:00' }], freezes: [] };
  const frozen = {
    windows: [],
    freezes: [{ from: '2026-11-20T00:00', until: '2026-11-23T06:00', reason: 'fair' }],
  };

  it('outside the window a device stays and learns when it opens', () => {
    const answer = ask(withRollout({ schedule: closed }), refresh(7));
    expect(answer).toMatchObject({
      outcome: 'STAY',
      codes: ['OUTSIDE_WINDOW'],
      retryHint: Date.UTC(2026, 10, 22, 22),
    });
    expect(
      ask(withRollout({ schedule: closed }), refresh(7), device(), Date.UTC(2026, 10, 22, 23))
        .revision,
    ).toBe(8);
  });

  it('a freeze names its end and reason; fleets and brands may have their own', () => {
    const answer = ask({ settings: { schedule: frozen } });
    expect(answer).toMatchObject({
      outcome: 'STAY',
      codes: ['FROZEN'],
      retryHint: Date.UTC(2026, 10, 23, 6),
    });
    expect(answer.reasons[0]?.detail).toMatchObject({ reason: 'fair', until: '2026-11-23T06:00' });
    expect(ask({ fleets: [world.fleet({ schedule: frozen })] }).codes).toEqual(['FROZEN']);
  });

  it('U88 an unknown zone falls to the fleet, then the brand, and says so', () => {
    const lost = device({ timezone: 'Mars/Olympus' });
    const fleets = [world.fleet({ schedule: closed, timezone: 'Asia/Tokyo' })];
    const answer = ask({ fleets }, refresh(6), lost);
    expect(answer.codes).toEqual(['OUTSIDE_WINDOW', 'TZ_DEFAULTED']);
    expect(answer.reasons[1]?.detail).toEqual({ timezone: 'Asia/Tokyo' });
    const brand = ask(
      { settings: { schedule: closed, timezone: 'Europe/Berlin' } },
      refresh(6),
      device({ timezone: null }),
    );
    expect(brand.reasons[1]?.detail).toEqual({ timezone: 'Europe/Berlin' });
  });

  it('U90 critical pierces windows and freezes, not holds, stops, epochs or models', () => {
    expect(ask(withRollout({ schedule: frozen, isCritical: true }), refresh(7)).revision).toBe(8);
    expect(
      ask(
        { ...withRollout({ schedule: closed, isCritical: true }), settings: { schedule: closed } },
        refresh(7),
      ).revision,
    ).toBe(8);
    expect(
      ask({ ...withRollout({ isCritical: true }), holds: [hold()] }, refresh(7)).codes,
    ).toEqual(['HELD_BRAND']);
    const critical = withRollout({ schedule: frozen, isCritical: true });
    expect(ask({ ...critical, stops: [world.stop()] }, refresh(7))).toMatchObject({
      outcome: 'STAY',
      codes: ['STOPPED'],
    });
    const all = [5, 6, 7].map((number) => revision(number));
    const unreadable = [...all, revision(8, { epoch: parseEpoch('1') })];
    expect(ask({ ...critical, revisions: unreadable }, refresh(7))).toMatchObject({
      outcome: 'STAY',
      revision: 7,
      codes: ['EPOCH_UNREADABLE', 'ROLLOUT_ADMITTED'],
    });
    const model = { brandId: world.BRAND, model: 'panel', isClassic: false, gadget: null };
    const models = [{ ...model, kernel: 'pc-kernel', bases: null }];
    const classic = [...all, revision(8, { confinement: 'classic' })];
    expect(ask({ ...critical, revisions: classic, models }, refresh(7))).toMatchObject({
      outcome: 'STAY',
      revision: 7,
    });
    expect(
      ask({ ...critical, snaps: [snap({ type: 'kernel' })], models }, refresh(7)),
    ).toMatchObject({ outcome: 'NOT_FOUND', codes: ['MODEL_FORBIDS'] });
  });

  it('U36 with "windows" a person pierces the window only', () => {
    const over = { settings: { schedule: closed, localOperatorBypass: 'windows' as const } };
    const person = refresh(6, { isScheduled: false, isOnlyAction: true });
    expect(ask(over, person)).toMatchObject({
      outcome: 'UPDATE',
      revision: 7,
      codes: ['BASELINE', 'OPERATOR_BYPASS'],
    });
    expect(ask(over, refresh(6)).outcome).toBe('STAY');
  });

  it('pins pass, installs pass', () => {
    expect(ask({ settings: { schedule: closed }, pins: [pin(7)] }).revision).toBe(7);
    expect(ask({ settings: { schedule: closed } }, install()).revision).toBe(7);
  });
});

describe('rule 15, downgrade guard', () => {
  it('U20 without authority a device stays, with an approved rollback it goes', () => {
    const over = (isRollback: boolean) => ({
      laneEvents: log([5, 7]),
      rollouts: [rollout(5, { isRollback })],
    });
    expect(ask(over(false), refresh(7))).toMatchObject({
      outcome: 'STAY',
      revision: 7,
      codes: ['NO_DOWNGRADE', 'ROLLOUT_ADMITTED'],
    });
    expect(ask(over(true), refresh(7))).toMatchObject({ outcome: 'UPDATE', revision: 5 });
  });

  const lanes = [lane(), lane('latest/edge'), lane('latest/edge/fix', { expiresAt: T })];
  const laneEvents = [
    ...log([7]),
    ...log([10], `${world.SNAP} latest/edge`),
    ...log([12], `${world.SNAP} latest/edge/fix`),
  ];

  it('U22 an explicit channel switch to an older revision works, also when snap switch did it before', () => {
    const switched = refresh(10, { channel: 'stable', trackingChannel: 'latest/edge' });
    expect(ask({ lanes, laneEvents }, switched)).toMatchObject({
      outcome: 'UPDATE',
      revision: 7,
      codes: ['BASELINE', 'CHANNEL_SWITCH'],
    });
    const sawEdge = device({ memory: { [world.SNAP]: { observedChannel: 'latest/edge' } } });
    expect(ask({ lanes, laneEvents }, refresh(10), sawEdge)).toMatchObject({
      outcome: 'UPDATE',
      revision: 7,
    });
    const sawStable = device({ memory: { [world.SNAP]: { observedChannel: 'stable' } } });
    expect(ask({ lanes, laneEvents }, refresh(10), sawStable)).toMatchObject({
      outcome: 'STAY',
      codes: ['NO_DOWNGRADE', 'BASELINE'],
    });
  });

  it('U22 a branch that expired silently does not take anybody back', () => {
    const request = refresh(12, { trackingChannel: 'latest/edge/fix' });
    expect(ask({ lanes, laneEvents }, request)).toMatchObject({ outcome: 'STAY', revision: 12 });
    expect(ask({ lanes, laneEvents }, request).codes).toContain('CHANNEL_FALLBACK');
  });

  it('does not bite for a new install or for what is later in lane order with a lower number', () => {
    expect(ask({ laneEvents: log([9, 4]) }, refresh(9)).revision).toBe(4);
    expect(ask({ laneEvents: log([9, 4]) }, install()).revision).toBe(4);
  });
});

describe('rule 16, load shed', () => {
  const isShed = true;

  it('keeps what could wait, never an install or a critical rollout', () => {
    expect(ask({}, refresh(6, { isShed }))).toMatchObject({
      outcome: 'STAY',
      revision: 6,
      codes: ['SHED'],
    });
    expect(ask({}, install({ isShed })).revision).toBe(7);
    expect(ask(withRollout({ isCritical: true }), refresh(6, { isShed })).revision).toBe(8);
    expect(ask({}, refresh(7, { isShed })).codes).toEqual(['UP_TO_DATE', 'BASELINE']);
  });
});

describe('a policy that may be outdated', () => {
  const isStale = true;
  const explicit = { revision: 8, isOnlyAction: true };

  it('keeps every update back, whatever rule wants it, and critical ones too', () => {
    expect(ask({}, refresh(6, { isStale }))).toMatchObject({
      outcome: 'STAY',
      revision: 6,
      codes: ['POLICY_STALE', 'BASELINE'],
    });
    for (const [over, request] of [
      [withRollout({ isCritical: true }), refresh(6, { isStale })],
      [{ pins: [world.pin(7)] }, refresh(6, { isStale })],
      [{ laneEvents: log([7, 8]) }, refresh(6, { isStale, ...explicit })],
      [{}, refresh(6, { isStale, requiredRevision: 7 })],
    ] as const) {
      expect(ask(over, { ...request, isStale: false }).outcome).toBe('UPDATE');
      expect(ask(over, request)).toMatchObject({ outcome: 'STAY', revision: 6 });
      expect(ask(over, request).codes[0]).toBe('POLICY_STALE');
    }
  });

  it('says nothing where nothing would move, and serves installs from the baseline', () => {
    expect(ask({}, refresh(7, { isStale })).codes[0]).toBe('UP_TO_DATE');
    expect(ask({}, install({ isStale })).revision).toBe(7);
    const open = withRollout({ includeInstalls: true });
    expect(ask(open, install()).revision).toBe(8);
    expect(ask(open, install({ isStale })).revision).toBe(7);
  });
});

describe('findWithheld', () => {
  it('names the newer revision behind a hold, stop or window, and only those', () => {
    const find = (over: Partial<PolicyRows>, request = refresh(6)) =>
      findWithheld(device(), request, compilePolicy(world.rows(over)), T);
    expect(find({ holds: [hold()] })).toBe(7);
    expect(find({ holds: [hold()] }, refresh(7))).toBeNull();
    expect(find(withRollout({ waves: [wave(OUT)] }), refresh(7))).toBeNull();
    expect(find({ ...withRollout({ waves: [wave(IN)] }), stops: [world.stop()] }, refresh(7))).toBe(
      8,
    );
    expect(find({ stops: [world.stop()], pins: [pin(6)] })).toBeNull();
    expect(
      find({ stops: [world.stop({ scope: 'revision', snapId: world.SNAP, revision: 7 })] }),
    ).toBe(7);
    expect(
      find({
        settings: {
          schedule: { windows: [{ days: [1], from: '01:00', to: '02:00' }], freezes: [] },
        },
      }),
    ).toBe(7);
    expect(find({ holds: [hold({ until: T + HOUR })] }, install())).toBe(7);
  });
});
