import { describe, expect, it } from 'vitest';
import * as world from '../../testing/world.js';
import { parseEpoch } from '../epochs.js';
import { compilePolicy } from '../policy/compile.js';
import type { PolicyRows } from '../policy/rows.js';
import { resolve } from '../resolve.js';
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
  stop,
  hold,
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
    channel,
  } = resolve(who, request, compilePolicy(world.rows(over)), t);
  return {
    outcome,
    revision: offered,
    codes: reasons.map((reason) => reason.code),
    reasons,
    channel,
  };
}

/** 7 is the baseline, 8 a rollout of the one fleet. */
const withRollout = (over: Parameters<typeof rollout>[1] = {}): Partial<PolicyRows> => ({
  laneEvents: log([5, 6, 7, { kind: 'rollout', revision: 8 }]),
  rollouts: [rollout(8, over)],
});

describe('rule 6, pin', () => {
  it('U15 device beats fleet beats rollout', () => {
    const fleetPin = pin(6, { deviceUid: null, fleetId: world.FLEET });
    expect(ask({ ...withRollout(), pins: [pin(7), fleetPin] }, refresh(5))).toMatchObject({
      revision: 7,
      codes: ['PIN_DEVICE'],
    });
    expect(ask({ ...withRollout(), pins: [fleetPin] }, refresh(5))).toMatchObject({
      revision: 6,
      codes: ['PIN_FLEET'],
    });
    expect(ask(withRollout(), refresh(5))).toMatchObject({
      revision: 8,
      codes: ['ROLLOUT_ADMITTED'],
    });
  });

  it('U15 stop beats pin, hold beats pin', () => {
    expect(ask({ pins: [pin(7)], stops: [stop()] })).toMatchObject({
      outcome: 'STAY',
      codes: ['STOPPED'],
    });
    expect(ask({ pins: [pin(7)], holds: [hold()] })).toMatchObject({
      outcome: 'STAY',
      codes: ['HELD_BRAND'],
    });
    const stops = [stop({ scope: 'revision', snapId: world.SNAP, revision: 7 })];
    expect(ask({ pins: [pin(7)], stops })).toMatchObject({
      outcome: 'STAY',
      revision: 6,
      codes: ['STOPPED', 'PIN_DEVICE'],
    });
  });

  it('of two fleets the higher one pins', () => {
    const fleets = [
      world.fleet(),
      world.fleet({ id: 'vip', name: 'vip', priority: 20, predicate: null, members: [world.UID] }),
    ];
    const pins = [
      pin(6, { deviceUid: null, fleetId: world.FLEET }),
      pin(7, { deviceUid: null, fleetId: 'vip' }),
    ];
    expect(ask({ fleets, pins }, refresh(5)).revision).toBe(7);
  });

  it('a device above its pin stays, unless the pin allows going back; at its pin it stays', () => {
    expect(ask({ pins: [pin(5)] })).toMatchObject({
      outcome: 'STAY',
      revision: 6,
      codes: ['PIN_BELOW_CURRENT', 'PIN_DEVICE'],
    });
    expect(ask({ pins: [pin(5, { allowDowngrade: true })] })).toMatchObject({
      outcome: 'UPDATE',
      revision: 5,
    });
    expect(ask({ pins: [pin(6)] })).toMatchObject({
      outcome: 'STAY',
      revision: 6,
      codes: ['PIN_DEVICE'],
    });
  });

  it('a pin that the architecture or the model forbids is ignored and says so', () => {
    const revisions = [
      revision(6),
      revision(7),
      revision(8, { architectures: ['arm64'] }),
      revision(9, { confinement: 'classic' }),
    ];
    const models = [
      {
        brandId: world.BRAND,
        model: 'panel',
        isClassic: false,
        kernel: null,
        gadget: null,
        bases: null,
      },
    ];
    expect(ask({ revisions, pins: [pin(8)] })).toMatchObject({
      revision: 7,
      codes: ['BASELINE', 'WRONG_ARCHITECTURE', 'PIN_DEVICE'],
    });
    expect(ask({ revisions, models, pins: [pin(9)] })).toMatchObject({
      revision: 7,
      codes: ['BASELINE', 'MODEL_FORBIDS', 'PIN_DEVICE'],
    });
  });

  it('does not bite for another device, architecture or snap', () => {
    for (const row of [
      pin(5, { deviceUid: 'other' }),
      pin(5, { architecture: 'arm64' }),
      pin(5, { snapId: 'other' }),
    ]) {
      expect(ask({ pins: [row] })).toMatchObject({ outcome: 'UPDATE', revision: 7 });
    }
  });

  it('holds for new installs too', () => {
    expect(ask({ pins: [pin(5)] }, install())).toMatchObject({
      outcome: 'UPDATE',
      revision: 5,
      codes: ['PIN_DEVICE'],
    });
  });
});

describe('rule 7, cohort', () => {
  const laneEvents = log([
    { revision: 5, at: T - 9 * HOUR },
    { revision: 6, at: T - 5 * HOUR },
    { revision: 7, at: T - HOUR },
  ]);
  const cohort = { issuedAt: T - 2 * HOUR, expiresAt: T + HOUR };

  it('shows the lane as it was, above rollouts', () => {
    expect(ask({ laneEvents, rollouts: [rollout(8)] }, refresh(5, { cohort }))).toMatchObject({
      revision: 6,
      codes: ['COHORT'],
    });
    expect(ask({ laneEvents }, refresh(6, { cohort }))).toMatchObject({
      outcome: 'STAY',
      codes: ['COHORT'],
    });
  });

  it('U34 never brings back a stopped revision; an expired key is no key', () => {
    const stops = [stop({ scope: 'revision', snapId: world.SNAP, revision: 6 })];
    expect(ask({ laneEvents, stops }, install({ cohort }))).toMatchObject({
      revision: 5,
      codes: ['COHORT', 'STOPPED'],
    });
    const over = { ...cohort, expiresAt: T };
    expect(ask({ laneEvents }, refresh(5, { cohort: over }))).toMatchObject({
      revision: 7,
      codes: ['BASELINE', 'COHORT_EXPIRED'],
    });
  });

  it('a closing after the key was made does not count', () => {
    const closed = [...laneEvents, ...log([1, 2, 3, { kind: 'close', at: T - 1 }]).slice(3)];
    expect(ask({ laneEvents: closed }, refresh(5, { cohort })).revision).toBe(6);
    expect(ask({ laneEvents: closed }, refresh(5))).toMatchObject({
      outcome: 'STAY',
      codes: ['NOTHING_RELEASED'],
    });
  });
});

describe('rule 8, rollout', () => {
  it('admits below the threshold, and says where the others stand', () => {
    expect(ask(withRollout({ waves: [wave(IN)] }))).toMatchObject({
      outcome: 'UPDATE',
      revision: 8,
      codes: ['ROLLOUT_ADMITTED'],
    });
    const answer = ask(withRollout({ waves: [wave(OUT)] }), refresh(7));
    expect(answer).toMatchObject({
      outcome: 'STAY',
      revision: 7,
      codes: ['NOT_IN_WAVE', 'BASELINE'],
    });
    expect(answer.reasons[0]?.detail).toMatchObject({
      bucket: OUT,
      threshold: OUT,
      wave: 1,
      target: 8,
    });
  });

  it('tells when a ramp will reach the device, or which wave', () => {
    const ramp = wave(OUT * 2, { rampMs: 10 * HOUR });
    const detail = ask(withRollout({ waves: [ramp] }), refresh(7)).reasons[0]?.detail;
    expect(detail?.['earliest']).toBe(T + 4 * HOUR + 1);
    const waves = [
      wave(OUT),
      wave(null, { no: 2, percent: 5 }),
      wave(null, { no: 3, percent: 100 }),
    ];
    expect(ask(withRollout({ waves }), refresh(7)).reasons[0]?.detail?.['expectedWave']).toBe(3);
  });

  it('a selector admits besides the threshold, from the moment its wave is open', () => {
    const selector = { fact: 'tag:site', equals: 'plant' };
    expect(ask(withRollout({ waves: [wave(null, { selector, openedAt: T })] })).revision).toBe(8);
    expect(ask(withRollout({ waves: [wave(null, { selector, openedAt: T + 1 })] })).revision).toBe(
      7,
    );
    expect(
      ask(withRollout({ waves: [wave(IN, { selector: { fact: 'tag:site', equals: 'lab' } })] }))
        .revision,
    ).toBe(8);
    expect(
      ask(withRollout({ waves: [wave(OUT, { selector: { fact: 'tag:site', equals: 'lab' } })] }))
        .revision,
    ).toBe(7);
  });

  it('U16 of two fleets the higher one decides, and the loser is named', () => {
    const fleets = [
      world.fleet(),
      world.fleet({ id: 'vip', name: 'vip', priority: 20, predicate: null, members: [world.UID] }),
    ];
    const rollouts = [rollout(8), rollout(9, { fleetId: 'vip' })];
    const answer = ask({
      fleets,
      rollouts,
      laneEvents: log([7, { kind: 'rollout', revision: 8 }, { kind: 'rollout', revision: 9 }]),
    });
    expect(answer).toMatchObject({ revision: 9, codes: ['ROLLOUT_ADMITTED', 'ROLLOUT_OVERRULED'] });
    expect(answer.reasons[1]?.detail).toEqual({ rollout: 'to 8', fleet: 'plant', by: 'to 9' });
  });

  it('a paused one admits nobody new, and devices on the target stay there', () => {
    expect(ask(withRollout({ state: 'PAUSED' }), refresh(7))).toMatchObject({
      outcome: 'STAY',
      codes: ['ROLLOUT_PAUSED', 'BASELINE'],
    });
    expect(ask(withRollout({ state: 'PAUSED' }), refresh(8))).toMatchObject({
      outcome: 'STAY',
      revision: 8,
    });
  });

  it.each(['DRAFT', 'SCHEDULED', 'ABORTED', 'ROLLING_BACK', 'COMPLETED'])(
    'one that is %s does not bite',
    (state) => {
      expect(ask(withRollout({ state }))).toMatchObject({
        outcome: 'UPDATE',
        revision: 7,
        codes: ['BASELINE'],
      });
    },
  );

  it('after an abort nobody moves back, and the next release picks them up', () => {
    const aborted = withRollout({ state: 'ABORTED' });
    expect(ask(aborted, refresh(8))).toMatchObject({
      outcome: 'STAY',
      revision: 8,
      codes: ['NO_DOWNGRADE', 'BASELINE'],
    });
    expect(
      ask({ ...aborted, laneEvents: log([7, { kind: 'rollout', revision: 8 }, 9]) }, refresh(8)),
    ).toMatchObject({ outcome: 'UPDATE', revision: 9 });
  });

  it('U53 devices on the superseded target stay until admitted to the new one, and nobody goes to the old one any more', () => {
    const over = (threshold: number): Partial<PolicyRows> => ({
      laneEvents: log([7, { kind: 'rollout', revision: 8 }, { kind: 'rollout', revision: 9 }]),
      rollouts: [rollout(8, { state: 'SUPERSEDED' }), rollout(9, { waves: [wave(threshold)] })],
    });
    expect(ask(over(OUT), refresh(8))).toMatchObject({ outcome: 'STAY', revision: 8 });
    expect(ask(over(IN), refresh(8)).revision).toBe(9);
    expect(ask(over(OUT), refresh(7))).toMatchObject({ outcome: 'STAY', revision: 7 });
    expect(ask(over(IN), refresh(7)).revision).toBe(9);
  });

  it('a stop of the rollout admits nobody', () => {
    const stops = [stop({ scope: 'rollout', rolloutId: 'rollout-8' })];
    expect(ask({ ...withRollout(), stops }, refresh(7))).toMatchObject({
      outcome: 'STAY',
      codes: ['STOPPED', 'BASELINE'],
    });
  });

  it('U31 parallel instances of a snap share the bucket', () => {
    const over = withRollout({ waves: [wave(IN)] });
    const [a, b] = (['dash_a', 'dash_b'] as const).map((instanceKey, i) =>
      ask(over, refresh(6 - i, { instanceKey })),
    );
    expect(a?.reasons[0]?.detail).toMatchObject({ bucket: OUT });
    expect(a?.reasons).toEqual(b?.reasons);
  });

  it('U32 a new install gets the baseline unless the rollout includes installs and admits it', () => {
    expect(ask(withRollout(), install())).toMatchObject({
      revision: 7,
      codes: ['BASELINE', 'ROLLOUT_NOT_FOR_INSTALLS'],
    });
    expect(ask(withRollout({ includeInstalls: true }), install()).revision).toBe(8);
    // After a factory reset the device is known, was on the target, and has nothing installed.
    const memory = { [world.SNAP]: { observedChannel: 'latest/stable', good: [8] } };
    const reset = device({ memory });
    expect(ask(withRollout(), install(), reset).revision).toBe(7);
    expect(ask(withRollout({ includeInstalls: true }), install(), reset).revision).toBe(8);
    const outside = withRollout({ includeInstalls: true, waves: [wave(OUT)] });
    expect(ask(outside, install(), reset).revision).toBe(7);
    expect(
      ask(withRollout({ includeInstalls: true, waves: [wave(OUT)] }), install()).revision,
    ).toBe(7);
  });

  it('U33 an anonymous download never sees a target, a pin or a fleet', () => {
    const fleetPin = pin(6, { deviceUid: null, fleetId: world.FLEET });
    const over = { ...withRollout({ includeInstalls: true }), pins: [pin(5), fleetPin] };
    expect(ask({ ...over, pins: [fleetPin] }, install({ action: 'download' })).revision).toBe(6);
    const anonymous = device({ uid: null, model: null, serial: null, hasBrandSerial: false });
    expect(ask(over, install({ action: 'download' }), anonymous)).toMatchObject({
      revision: 7,
      codes: ['BASELINE'],
    });
  });

  it('U35 the automatic repeat without the scheduled header gets the same answer', () => {
    const settings = { localOperatorBypass: 'waves' } as const;
    const over = { ...withRollout({ waves: [wave(OUT)] }), settings };
    const again = refresh(7, { isScheduled: false, isOnlyAction: true, isAutomaticRepeat: true });
    expect(ask(over, again)).toEqual(ask(over, refresh(7)));
    expect(ask(over, again).outcome).toBe('STAY');
    // Unless the state changed in between: then both would be let in.
    const opened = { ...withRollout({ waves: [wave(IN)] }), settings };
    expect(ask(opened, again)).toEqual(ask(opened, refresh(7)));
    expect(ask(opened, again).revision).toBe(8);
  });

  it('U36 a person at the device is let in only where the brand says so', () => {
    const over = (localOperatorBypass: 'none' | 'windows' | 'waves') => ({
      ...withRollout({ waves: [wave(OUT)] }),
      settings: { localOperatorBypass },
    });
    const person = refresh(7, { isScheduled: false, isOnlyAction: true });
    expect(ask(over('none'), person).outcome).toBe('STAY');
    expect(ask(over('windows'), person).outcome).toBe('STAY');
    expect(ask(over('waves'), person)).toMatchObject({
      outcome: 'UPDATE',
      revision: 8,
      codes: ['NOT_IN_WAVE', 'OPERATOR_BYPASS'],
    });
    expect(ask(over('waves'), { ...person, isAutomaticRepeat: true }).outcome).toBe('STAY');
    expect(ask(over('waves'), { ...person, isOnlyAction: false }).outcome).toBe('STAY');
    expect(ask({ ...over('waves'), holds: [hold()] }, person).outcome).toBe('STAY');
  });

  it('U55 completing moves the fleet, not the others on the lane', () => {
    const over: Partial<PolicyRows> = {
      laneEvents: log([7, { kind: 'rollout', revision: 8 }]),
      fleetBaselines: [
        {
          brandId: world.BRAND,
          fleetId: world.FLEET,
          laneId: world.LANE,
          architecture: 'amd64',
          revision: 8,
          follow: 'sticky',
        },
      ],
    };
    expect(ask(over, install())).toMatchObject({ revision: 8, codes: ['FLEET_BASELINE'] });
    expect(ask(over, refresh(7)).revision).toBe(8);
    expect(ask(over, refresh(7), device({ tags: {} }))).toMatchObject({
      outcome: 'STAY',
      revision: 7,
    });
  });
});

describe('rule 8, rollback', () => {
  const bad = {
    isRollback: true,
    replaces: { all: 8 },
    target: { kind: 'revision', laneId: world.LANE, revisions: { all: 7 } },
  } as const;
  const over: Partial<PolicyRows> = {
    laneEvents: log([5, 6, 7, { kind: 'promote', revision: 8 }]),
    rollouts: [rollout(7, bad)],
  };

  it('each device goes to its own last good revision, else to the baseline before', () => {
    const remembers = device({ memory: { [world.SNAP]: { good: [6] } } });
    expect(ask(over, refresh(8), remembers)).toMatchObject({
      outcome: 'UPDATE',
      revision: 6,
      codes: ['ROLLOUT_ADMITTED'],
    });
    expect(ask(over, refresh(8))).toMatchObject({ outcome: 'UPDATE', revision: 7 });
  });

  it('devices never touched stay, and are not led to the bad revision meanwhile', () => {
    expect(ask(over, refresh(7))).toMatchObject({ outcome: 'STAY', revision: 7 });
    expect(ask(over, refresh(6))).toMatchObject({ outcome: 'UPDATE', revision: 7 });
    const target = { kind: 'revision', laneId: world.LANE, revisions: { all: 6 } } as const;
    const older = { ...over, rollouts: [rollout(6, { ...bad, target })] };
    expect(ask(older, refresh(8)).revision).toBe(6);
    expect(ask(older, refresh(5))).toMatchObject({
      outcome: 'UPDATE',
      revision: 7,
      codes: ['BASELINE', 'ROLLED_BACK', 'ROLLED_BACK'],
    });
    expect(ask({ laneEvents: over.laneEvents ?? [] }, refresh(7))).toMatchObject({
      outcome: 'UPDATE',
      revision: 8,
    });
  });

  it('one that cannot read the data is not served', () => {
    const revisions = [revision(6), revision(7), revision(8, { epoch: parseEpoch('1*') })];
    const request = refresh(8, { installed: { revision: 8, epoch: parseEpoch('1*') } });
    expect(ask({ ...over, revisions }, request)).toMatchObject({ outcome: 'STAY', revision: 8 });
  });

  it('a stop during the rollback keeps everybody; a rollback of the rollback leads there again', () => {
    expect(
      ask({ ...over, stops: [stop({ scope: 'rollout', rolloutId: 'rollout-7' })] }, refresh(8)),
    ).toMatchObject({ outcome: 'STAY', revision: 8 });
    const forth = {
      isRollback: true,
      replaces: { all: 7 },
      target: { kind: 'revision', laneId: world.LANE, revisions: { all: 8 } },
    } as const;
    const back = {
      ...over,
      rollouts: [rollout(7, { ...bad, state: 'ABORTED' }), rollout(8, forth)],
    };
    expect(ask(back, refresh(7))).toMatchObject({ outcome: 'UPDATE', revision: 8 });
    expect(ask(back, refresh(8))).toMatchObject({ outcome: 'STAY', revision: 8 });
  });
});

describe('rule 9, baseline', () => {
  it('is per architecture', () => {
    const laneEvents = log([
      { revision: 6, architectures: ['amd64'] },
      { revision: 7, architectures: ['arm64'] },
    ]);
    expect(ask({ laneEvents }, install()).revision).toBe(6);
    expect(ask({ laneEvents }, install(), device({ architecture: 'arm64' })).revision).toBe(7);
    expect(ask({ laneEvents }, install(), device({ architecture: 'riscv64' }))).toMatchObject({
      outcome: 'NOT_FOUND',
      codes: ['NOTHING_RELEASED'],
    });
  });

  it('falls back from branch to risk to more stable risk', () => {
    const lanes = [lane(), lane('latest/candidate'), lane('latest/beta/fix', { expiresAt: T })];
    const laneEvents = [
      ...log([7]),
      ...log([6, { kind: 'close' }], `${world.SNAP} latest/candidate`),
      ...log([9], `${world.SNAP} latest/beta/fix`),
    ];
    const request = install({ channel: 'beta/fix' });
    expect(ask({ lanes, laneEvents }, request, device(), T - 1)).toMatchObject({
      revision: 9,
      channel: 'latest/beta/fix',
    });
    expect(ask({ lanes, laneEvents }, request)).toMatchObject({
      revision: 7,
      channel: 'latest/stable',
      codes: ['BASELINE', 'CHANNEL_FALLBACK'],
    });
    expect(ask({ lanes, laneEvents }, install({ channel: '22/stable' }))).toMatchObject({
      outcome: 'NOT_FOUND',
      codes: ['NOTHING_RELEASED'],
    });
    expect(ask({ lanes, laneEvents }, install({ channel: 'a/b/c/d' }))).toMatchObject({
      outcome: 'NOT_FOUND',
      codes: ['NO_SUCH_CHANNEL'],
    });
  });

  it('an install without a track means the default track, a refresh means latest', () => {
    const lanes = [lane(), lane('22/stable')];
    const laneEvents = [...log([7]), ...log([9], `${world.SNAP} 22/stable`)];
    const snaps = [world.snap({ defaultTrack: '22' })];
    expect(ask({ snaps, lanes, laneEvents }, install())).toMatchObject({
      revision: 9,
      channel: '22/stable',
    });
    expect(ask({ snaps, lanes, laneEvents }, install({ channel: null }))).toMatchObject({
      revision: 9,
    });
    expect(
      ask({ snaps, lanes, laneEvents }, refresh(6, { trackingChannel: 'stable' })).revision,
    ).toBe(7);
  });

  it('a device on another channel is not touched by the rollout', () => {
    const lanes = [lane(), lane('latest/edge')];
    const laneEvents = [
      ...log([7, { kind: 'rollout', revision: 8 }]),
      ...log([10], `${world.SNAP} latest/edge`),
    ];
    expect(
      ask(
        { lanes, laneEvents, rollouts: [rollout(8)] },
        refresh(7, { trackingChannel: 'latest/edge' }),
      ).revision,
    ).toBe(10);
  });

  it('a rollout may be the first thing on a closed lane', () => {
    const lanes = [lane(), lane('latest/candidate')];
    const candidate = `${world.SNAP} latest/candidate`;
    const laneEvents = [...log([7]), ...log([{ kind: 'rollout', revision: 9 }], candidate)];
    const rollouts = [
      rollout(9, { target: { kind: 'revision', laneId: candidate, revisions: { amd64: 9 } } }),
    ];
    const request = refresh(7, { trackingChannel: 'latest/candidate' });
    expect(ask({ lanes, laneEvents, rollouts }, request)).toMatchObject({
      revision: 9,
      channel: 'latest/candidate',
    });
  });

  it('sticky fleets wait behind the lane, following ones take whichever is later', () => {
    const over = (follow: 'sticky' | 'later'): Partial<PolicyRows> => ({
      fleetBaselines: [
        {
          brandId: world.BRAND,
          fleetId: world.FLEET,
          laneId: world.LANE,
          architecture: 'amd64',
          revision: 6,
          follow,
        },
      ],
    });
    expect(ask(over('sticky'), refresh(5)).revision).toBe(6);
    expect(ask(over('later'), refresh(5)).revision).toBe(7);
  });

  it('U21 a baseline patch under a live rollout reaches those outside and pulls nobody back', () => {
    const over = (threshold: number, state = 'ACTIVE'): Partial<PolicyRows> => ({
      laneEvents: log([7, { kind: 'rollout', revision: 8 }, { revision: 9, live: [8] }]),
      rollouts: [rollout(8, { state, waves: [wave(threshold)] })],
    });
    expect(ask(over(OUT), refresh(7))).toMatchObject({ outcome: 'UPDATE', revision: 9 });
    expect(ask(over(OUT), refresh(8))).toMatchObject({ outcome: 'STAY', revision: 8 });
    expect(ask(over(IN), refresh(9))).toMatchObject({ outcome: 'UPDATE', revision: 8 });
    expect(ask(over(IN, 'ABORTED'), refresh(8))).toMatchObject({
      outcome: 'STAY',
      revision: 8,
      codes: ['NO_DOWNGRADE', 'BASELINE'],
    });
  });

  it('U21 a re-release of an earlier revision moves nobody back, with intent it does', () => {
    expect(ask({ laneEvents: log([5, 7, 5]) }, refresh(7))).toMatchObject({
      outcome: 'STAY',
      codes: ['NO_DOWNGRADE', 'BASELINE'],
    });
    expect(ask({ laneEvents: log([5, 7, 5]) }, install()).revision).toBe(5);
    expect(
      ask({ laneEvents: log([5, 7, { kind: 'rollback', revision: 5 }]) }, refresh(7)),
    ).toMatchObject({ outcome: 'UPDATE', revision: 5 });
  });

  it('the publisher’s progressive release takes its share, and a patch below it does not end it', () => {
    const progressive = (percent: number, isPaused = false) => ({
      revision: 8,
      progressive: { salt: world.SALT, percent, isPaused },
    });
    // The test device stands at 32 % of this salt.
    expect(ask({ laneEvents: log([7, progressive(33)]) }, refresh(7))).toMatchObject({
      revision: 8,
      codes: ['PROGRESSIVE'],
    });
    expect(ask({ laneEvents: log([7, progressive(32)]) }, refresh(7))).toMatchObject({
      outcome: 'STAY',
      codes: ['NOT_IN_WAVE', 'BASELINE'],
    });
    expect(ask({ laneEvents: log([7, progressive(33, true)]) }, refresh(7)).outcome).toBe('STAY');
    const patched = log([7, progressive(33), { revision: 9, live: [8] }]);
    expect(ask({ laneEvents: patched }, refresh(7)).revision).toBe(8);
    expect(ask({ laneEvents: patched }, refresh(8))).toMatchObject({
      outcome: 'STAY',
      revision: 8,
    });
    expect(
      ask({ laneEvents: log([7, progressive(32), { revision: 9, live: [8] }]) }, refresh(7))
        .revision,
    ).toBe(9);
    expect(ask({ laneEvents: log([7, progressive(33), 9]) }, refresh(7)).revision).toBe(9);
    expect(
      ask(
        { laneEvents: log([7, progressive(33)]) },
        install({ action: 'download' }),
        device({ uid: null }),
      ).revision,
    ).toBe(7);
  });
});
