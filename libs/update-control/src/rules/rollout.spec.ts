import { describe, expect, it } from 'vitest';
import { ask, withRollout } from '../../testing/ask.js';
import {
  BRAND,
  device,
  FLEET,
  fleet,
  hold,
  HOUR,
  IN,
  install,
  LANE,
  log,
  OUT,
  pin,
  refresh,
  rollout,
  SNAP,
  stop,
  T,
  UID,
  wave,
} from '../../testing/world.js';
import type { PolicyRows } from '../policy/rows.js';

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
      fleet(),
      fleet({ id: 'vip', name: 'vip', priority: 20, predicate: null, members: [UID] }),
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
    const memory = { [SNAP]: { observedChannel: 'latest/stable', good: [8] } };
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
    const fleetPin = pin(6, { deviceUid: null, fleetId: FLEET });
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
          brandId: BRAND,
          fleetId: FLEET,
          laneId: LANE,
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
