import { describe, expect, it } from 'vitest';
import * as world from '../../testing/world.js';
import { compilePolicy } from '../policy/compile.js';
import type { PolicyRows } from '../policy/rows.js';
import { resolve } from '../resolve.js';
import type { DeviceFacts, RequestFacts } from '../facts.js';

const { device, refresh, install, revision, snap, stop, hold, log, T, HOUR } = world;

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

describe('rule 1, admissible', () => {
  it('a plain newer baseline is offered', () => {
    expect(ask({})).toMatchObject({ outcome: 'UPDATE', revision: 7, codes: ['BASELINE'] });
  });

  it.each<[string, Partial<PolicyRows>, Partial<DeviceFacts>, string]>([
    [
      'a snap of a store that is not included',
      { snaps: [snap({ storeId: 'other', isPrivate: true })] },
      {},
      'NOT_ENTITLED',
    ],
    [
      'a protected snap without a serial of the brand',
      { snaps: [snap({ isProtected: true })] },
      { hasBrandSerial: false },
      'NOT_ENTITLED',
    ],
    [
      'a protected snap without a session',
      { snaps: [snap({ isProtected: true })] },
      { uid: null },
      'NOT_ENTITLED',
    ],
    [
      'a public snap where the store takes none',
      { snaps: [snap({ storeId: 'other' })], stores: [{ id: world.STORE, allowPublic: false }] },
      {},
      'NOT_ENTITLED',
    ],
    [
      'a kernel which the model does not name',
      {
        snaps: [snap({ type: 'kernel' })],
        models: [
          {
            brandId: world.BRAND,
            model: 'panel',
            isClassic: false,
            kernel: 'pc-kernel',
            gadget: null,
            bases: null,
          },
        ],
      },
      {},
      'MODEL_FORBIDS',
    ],
    ['a snap nobody knows', { snaps: [] }, {}, 'NO_SUCH_SNAP'],
  ])('%s does not exist', (_, over, who, code) => {
    expect(ask(over, refresh(6), device(who))).toMatchObject({
      outcome: 'NOT_FOUND',
      codes: [code],
    });
    expect(ask(over, install(), device(who))).toMatchObject({
      outcome: 'NOT_FOUND',
      codes: [code],
    });
  });

  it.each<[string, Partial<PolicyRows>]>([
    ['is home in the store', { snaps: [snap({ isPrivate: true, isProtected: true })] }],
    [
      'belongs to a store included whole',
      {
        snaps: [snap({ storeId: 'other' })],
        stores: [{ id: world.STORE, allowPublic: false }],
        inclusions: [{ storeId: world.STORE, includedStoreId: 'other', snapId: null }],
      },
    ],
    [
      'is included by itself',
      {
        snaps: [snap({ storeId: 'other' })],
        stores: [{ id: world.STORE, allowPublic: false }],
        inclusions: [{ storeId: world.STORE, includedStoreId: 'other', snapId: world.SNAP }],
      },
    ],
    ['is public', { snaps: [snap({ storeId: 'other' })] }],
    [
      'is licensed to the model',
      {
        snaps: [snap({ storeId: 'other', brandId: 'maker', isPrivate: true, isProtected: true })],
        licences: [{ snapId: world.SNAP, storeId: null, model: 'panel', from: 0, until: null }],
      },
    ],
  ])('a snap that %s is served', (_, over) => {
    expect(ask(over)).toMatchObject({ outcome: 'UPDATE', revision: 7 });
  });

  it('an installed revision that nobody knows is not found', () => {
    expect(ask({}, refresh(99))).toMatchObject({
      outcome: 'NOT_FOUND',
      codes: ['INSTALLED_UNKNOWN'],
    });
  });

  it.each([
    ['withdrawn', { isYanked: true }, 'YANKED'],
    ['for another architecture', { architectures: ['arm64'] }, 'WRONG_ARCHITECTURE'],
    ['for a newer snapd', { assumes: ['common-data-dir', 'snapd2.63.1'] }, 'SNAPD_TOO_OLD'],
    [
      'of an epoch that cannot read the data',
      { epoch: { read: [1], write: [1] } },
      'EPOCH_UNREADABLE',
    ],
  ])('a revision %s is passed over for the one before', (_, over, code) => {
    const revisions = [revision(5), revision(6), revision(7, over)];
    expect(ask({ revisions }, refresh(5))).toMatchObject({
      outcome: 'UPDATE',
      revision: 6,
      codes: ['BASELINE', code],
    });
  });

  it.each(['2.63.1', '2.64', '3', '2.63.1+git1'])(
    'snapd %s is new enough for snapd2.63.1',
    (snapdVersion) => {
      const revisions = [revision(6), revision(7, { assumes: ['snapd2.63.1'] })];
      expect(ask({ revisions }, refresh(6), device({ snapdVersion })).revision).toBe(7);
    },
  );

  it('a device whose only way on is barred is told so, not "up to date"', () => {
    const revisions = [revision(6), revision(7, { assumes: ['snapd2.70'] })];
    expect(ask({ revisions }, refresh(6))).toMatchObject({
      outcome: 'STAY',
      revision: 6,
      codes: ['SNAPD_TOO_OLD', 'BASELINE'],
    });
  });
});

describe('rule 2, stop', () => {
  it.each([
    ['brand', stop()],
    ['fleet', stop({ scope: 'fleet', fleetId: world.FLEET })],
    ['snap', stop({ scope: 'snap', snapId: world.SNAP })],
  ])('a stop of the %s keeps every device', (_, row) => {
    expect(ask({ stops: [row] })).toMatchObject({
      outcome: 'STAY',
      revision: 6,
      codes: ['STOPPED'],
    });
  });

  it.each([
    ['another fleet', stop({ scope: 'fleet', fleetId: 'other' })],
    ['another snap', stop({ scope: 'snap', snapId: 'other' })],
    ['another revision', stop({ scope: 'revision', snapId: world.SNAP, revision: 5 })],
  ])('a stop of %s does not bite', (_, row) => {
    expect(ask({ stops: [row] })).toMatchObject({ outcome: 'UPDATE', revision: 7 });
  });

  it('U93 a stopped revision falls back to the previous good one, also for new installs', () => {
    const stops = [stop({ scope: 'revision', snapId: world.SNAP, revision: 7 })];
    expect(ask({ stops }, refresh(5))).toMatchObject({ outcome: 'UPDATE', revision: 6 });
    expect(ask({ stops }, refresh(6))).toMatchObject({
      outcome: 'STAY',
      revision: 6,
      codes: ['STOPPED', 'BASELINE'],
    });
    expect(ask({ stops }, install())).toMatchObject({ outcome: 'UPDATE', revision: 6 });
  });

  it('U93 a stop of the brand lets new installs have the baseline, never a rollout', () => {
    const rollouts = [world.rollout(8, { includeInstalls: true })];
    const laneEvents = log([7, { kind: 'rollout', revision: 8 }]);
    expect(ask({ rollouts, laneEvents }, install())).toMatchObject({
      outcome: 'UPDATE',
      revision: 8,
    });
    expect(ask({ rollouts, laneEvents, stops: [stop()] }, install())).toMatchObject({
      outcome: 'UPDATE',
      revision: 7,
      codes: ['BASELINE', 'STOPPED'],
    });
  });
});

describe('rule 3, validation set', () => {
  const rollouts = [world.rollout(8, { waves: [world.wave(world.OUT)] })];
  const laneEvents = log([7, { kind: 'rollout', revision: 8 }]);

  it('the exact revision is served outside the wave, a stopped one is not', () => {
    const request = refresh(7, { requiredRevision: 8 });
    expect(ask({ rollouts, laneEvents }, refresh(7))).toMatchObject({
      outcome: 'STAY',
      codes: ['NOT_IN_WAVE', 'BASELINE'],
    });
    expect(ask({ rollouts, laneEvents }, request)).toMatchObject({
      outcome: 'UPDATE',
      revision: 8,
      codes: ['VSET_REQUIRED'],
    });
    const stops = [stop({ scope: 'revision', snapId: world.SNAP, revision: 8 })];
    expect(ask({ rollouts, laneEvents, stops }, request)).toMatchObject({
      outcome: 'NOT_FOUND',
      codes: ['STOPPED', 'VSET_REQUIRED'],
    });
  });

  it('may go back, beats a hold, and stays where the set is met', () => {
    expect(ask({ holds: [hold()] }, refresh(7, { requiredRevision: 5 }))).toMatchObject({
      outcome: 'UPDATE',
      revision: 5,
    });
    expect(ask({}, refresh(6, { requiredRevision: 6 }))).toMatchObject({
      outcome: 'STAY',
      revision: 6,
      codes: ['VSET_REQUIRED'],
    });
  });
});

describe('rule 4, hold', () => {
  it('U14 all matching holds are listed, the brand first', () => {
    const holds = [
      hold({ id: 'b', scope: 'device', deviceUid: world.UID }),
      hold({ id: 'c', scope: 'fleet', fleetId: world.FLEET, until: T + 2 * HOUR }),
      hold({ id: 'a', snapId: world.SNAP }),
    ];
    const answer = ask({ holds });
    expect(answer).toMatchObject({
      outcome: 'STAY',
      revision: 6,
      codes: ['HELD_FLEET', 'HELD_DEVICE', 'HELD_BRAND'],
    });
    expect(answer.retryHint).toBe(T + 2 * HOUR);
  });

  it('U14 is half-open: not held at the instant it ends, held at the instant it begins', () => {
    expect(ask({ holds: [hold({ until: T })] }).outcome).toBe('UPDATE');
    expect(ask({ holds: [hold({ until: T + 1 })] }).outcome).toBe('STAY');
    expect(ask({ holds: [hold({ from: T })] }).outcome).toBe('STAY');
    expect(ask({ holds: [hold({ from: T + 1 })] }).outcome).toBe('UPDATE');
  });

  it.each([
    ['of another snap', hold({ snapId: 'other' })],
    ['of another device', hold({ scope: 'device', deviceUid: 'other' })],
    ['of another fleet', hold({ scope: 'fleet', fleetId: 'other' })],
  ])('a hold %s does not bite', (_, row) => {
    expect(ask({ holds: [row] }).outcome).toBe('UPDATE');
  });

  it('does not hinder an install, and holds unscheduled requests too', () => {
    expect(ask({ holds: [hold()] }, install())).toMatchObject({ outcome: 'UPDATE', revision: 7 });
    expect(ask({ holds: [hold()] }, refresh(6, { isScheduled: false }))).toMatchObject({
      outcome: 'STAY',
      codes: ['HELD_BRAND'],
    });
  });
});

describe('rule 5, explicit', () => {
  it('serves what was ever released in a lane, also an older one', () => {
    expect(ask({}, refresh(7, { revision: 5 }))).toMatchObject({
      outcome: 'UPDATE',
      revision: 5,
      codes: ['EXPLICIT'],
    });
    expect(ask({}, install({ revision: 5 }))).toMatchObject({ outcome: 'UPDATE', revision: 5 });
    expect(ask({}, refresh(7, { revision: 7 }))).toMatchObject({ outcome: 'STAY', revision: 7 });
  });

  it('does not serve what was never released, withdrawn, or is only a rollout of others', () => {
    expect(ask({}, refresh(7, { revision: 4 }))).toMatchObject({
      outcome: 'NOT_FOUND',
      codes: ['NO_SUCH_REVISION'],
    });
    expect(ask({}, refresh(7, { revision: 400 }))).toMatchObject({
      outcome: 'NOT_FOUND',
      codes: ['NO_SUCH_REVISION'],
    });
    const revisions = [revision(5, { isYanked: true }), revision(6), revision(7), revision(8)];
    expect(ask({ revisions }, refresh(7, { revision: 5 }))).toMatchObject({
      outcome: 'NOT_FOUND',
      codes: ['YANKED'],
    });
    const laneEvents = log([7, { kind: 'rollout', revision: 8 }]);
    const rollouts = (threshold: number) => [world.rollout(8, { waves: [world.wave(threshold)] })];
    expect(
      ask({ laneEvents, rollouts: rollouts(world.OUT) }, refresh(7, { revision: 8 })),
    ).toMatchObject({ outcome: 'NOT_FOUND' });
    expect(
      ask({ laneEvents, rollouts: rollouts(world.IN) }, refresh(7, { revision: 8 })),
    ).toMatchObject({ outcome: 'UPDATE', revision: 8 });
  });
});
