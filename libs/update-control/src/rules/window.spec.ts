import { describe, expect, it } from 'vitest';
import { ask, withRollout } from '../../testing/ask.js';
import {
  BRAND,
  device,
  fleet,
  hold,
  install,
  pin,
  refresh,
  revision,
  snap,
  stop,
} from '../../testing/world.js';
import { parseEpoch } from '../epochs.js';

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
    expect(ask({ fleets: [fleet({ schedule: frozen })] }).codes).toEqual(['FROZEN']);
  });

  it('U88 an unknown zone falls to the fleet, then the brand, and says so', () => {
    const lost = device({ timezone: 'Mars/Olympus' });
    const settings = { timezone: 'Europe/Berlin' };
    const fleets = [fleet({ schedule: closed, timezone: 'Asia/Tokyo' })];
    const answer = ask({ fleets, settings }, refresh(6), lost);
    expect(answer.codes).toEqual(['OUTSIDE_WINDOW', 'TZ_DEFAULTED']);
    expect(answer.reasons[1]?.detail).toEqual({ timezone: 'Asia/Tokyo' });
    // It is that zone's clock which counts: Sunday 23:00 in Tokyo, when it is afternoon elsewhere.
    const night = Date.UTC(2026, 10, 22, 14);
    expect(ask({ fleets, settings }, refresh(6), lost, night).revision).toBe(7);
    // The fleet's may be unknown, too, and the device may have said none.
    const astray = [fleet({ schedule: closed, timezone: 'Mars/Olympus' })];
    for (const over of [
      { fleets: astray, settings },
      { settings: { ...settings, schedule: closed } },
    ])
      expect(ask(over, refresh(6), device({ timezone: null })).reasons[1]).toMatchObject({
        code: 'TZ_DEFAULTED',
        detail: { timezone: 'Europe/Berlin' },
      });
  });

  it('U90 critical pierces windows and freezes, not holds, stops, epochs or models', () => {
    expect(ask(withRollout({ schedule: frozen, isCritical: true }), refresh(7)).revision).toBe(8);
    expect(
      ask(
        { ...withRollout({ schedule: closed, isCritical: true }), settings: { schedule: closed } },
        refresh(7),
      ).revision,
    ).toBe(8);
    // Those of brand and fleet, too, where the rollout has none of its own.
    for (const over of [
      { settings: { schedule: closed } },
      { settings: { schedule: frozen } },
      { fleets: [fleet({ schedule: frozen })] },
    ])
      expect(ask({ ...withRollout({ isCritical: true }), ...over }, refresh(7)).revision).toBe(8);
    expect(
      ask({ ...withRollout({ isCritical: true }), holds: [hold()] }, refresh(7)).codes,
    ).toEqual(['HELD_BRAND']);
    const critical = withRollout({ schedule: frozen, isCritical: true });
    expect(ask({ ...critical, stops: [stop()] }, refresh(7))).toMatchObject({
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
    const model = { brandId: BRAND, model: 'panel', isClassic: false, gadget: null };
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
