import { describe, expect, it } from 'vitest';
import { ask } from '../../testing/ask.js';
import {
  BRAND,
  device,
  FLEET,
  IN,
  install,
  lane,
  LANE,
  log,
  OUT,
  refresh,
  rollout,
  SALT,
  snap,
  SNAP,
  T,
  wave,
} from '../../testing/world.js';
import type { PolicyRows } from '../policy/rows.js';

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
      ...log([6, { kind: 'close' }], `${SNAP} latest/candidate`),
      ...log([9], `${SNAP} latest/beta/fix`),
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
    const laneEvents = [...log([7]), ...log([9], `${SNAP} 22/stable`)];
    const snaps = [snap({ defaultTrack: '22' })];
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
      ...log([10], `${SNAP} latest/edge`),
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
    const candidate = `${SNAP} latest/candidate`;
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
          brandId: BRAND,
          fleetId: FLEET,
          laneId: LANE,
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
      progressive: { salt: SALT, percent, isPaused },
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
