import { describe, expect, it } from 'vitest';
import { ask, withRollout } from '../../testing/ask.js';
import {
  BRAND,
  fleet,
  FLEET,
  hold,
  install,
  pin,
  refresh,
  revision,
  SNAP,
  stop,
  UID,
} from '../../testing/world.js';

describe('rule 6, pin', () => {
  it('U15 device beats fleet beats rollout', () => {
    const fleetPin = pin(6, { deviceUid: null, fleetId: FLEET });
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
    const stops = [stop({ scope: 'revision', snapId: SNAP, revision: 7 })];
    expect(ask({ pins: [pin(7)], stops })).toMatchObject({
      outcome: 'STAY',
      revision: 6,
      codes: ['STOPPED', 'PIN_DEVICE'],
    });
  });

  it('of two fleets the higher one pins', () => {
    const fleets = [
      fleet(),
      fleet({ id: 'vip', name: 'vip', priority: 20, predicate: null, members: [UID] }),
    ];
    const pins = [
      pin(6, { deviceUid: null, fleetId: FLEET }),
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
        brandId: BRAND,
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
