import { describe, expect, it } from 'vitest';
import * as world from '../testing/world.js';
import { compilePolicy } from './policy/compile.js';
import { resolveSequence } from './resolve-sequence.js';
import { withOverlay } from './policy/overlay.js';
import { stopLevel } from './stop-level.js';

const { device, rollout, wave, stop, IN, OUT, T } = world;
const target = { kind: 'sequence', accountId: 'acme', setName: 'plant', sequence: 4 } as const;

function ask(
  threshold: number,
  reported: number | null,
  state = 'ACTIVE',
  stops: Parameters<typeof world.stop>[0][] = [],
) {
  const policy = compilePolicy(
    world.rows({
      rollouts: [rollout(4, { target, state, waves: [wave(threshold)] })],
      stops: stops.map(stop),
    }),
  );
  const request = { accountId: 'acme', setName: 'plant', reported, baseline: 3, context: {} };
  const { sequence, reasons } = resolveSequence(device(), request, policy, T);
  return [sequence, ...reasons.map((r) => r.code)];
}

describe('resolveSequence', () => {
  it('U30 admitted devices get n+1, others n', () => {
    expect(ask(IN, 3)).toEqual([4, 'ROLLOUT_ADMITTED']);
    expect(ask(OUT, 3)).toEqual([3, 'NOT_IN_WAVE']);
    expect(ask(OUT, null)).toEqual([3, 'NOT_IN_WAVE']);
  });

  it('U30 a device that reports n+1 never gets n again, also after pause, stop and abort', () => {
    expect(ask(OUT, 4)[0]).toBe(4);
    expect(ask(IN, 4, 'PAUSED')).toEqual([4, 'ROLLOUT_PAUSED']);
    expect(ask(IN, 3, 'PAUSED')).toEqual([3, 'ROLLOUT_PAUSED']);
    expect(ask(IN, 4, 'ABORTED')).toEqual([4]);
    expect(ask(IN, 3, 'ABORTED')).toEqual([3]);
    expect(ask(IN, 3, 'ACTIVE', [{ scope: 'rollout', rolloutId: 'rollout-4' }])).toEqual([
      3,
      'STOPPED',
    ]);
  });
});

describe('stopLevel', () => {
  const policy = compilePolicy(
    world.rows({
      laneEvents: world.log([7, { kind: 'rollout', revision: 8 }]),
      rollouts: [rollout(8)],
      stops: [
        stop({ scope: 'revision', snapId: world.SNAP, revision: 6, level: 2 }),
        stop({
          id: 's2',
          scope: 'rollout',
          rolloutId: 'rollout-8',
          level: 3,
          target: { fleetId: world.FLEET, snapId: world.SNAP, revisions: [8] },
        }),
      ],
    }),
  );

  it('is the highest of what applies to the revision and the device', () => {
    const level = (revision: number, who: Parameters<typeof device>[0] | null = {}) =>
      stopLevel(policy, world.SNAP, revision, who && device(who));
    expect([level(5), level(6), level(7), level(8)]).toEqual([0, 2, 0, 3]);
    expect(level(8, { tags: {} })).toBe(0);
    expect(level(8, null)).toBe(0);
    expect(level(6, null)).toBe(2);
  });

  it('of a rollout holds for its targets also before and after the snapshot knows the rollout', () => {
    const ended = withOverlay(compilePolicy(world.rows()), policy.overlay);
    expect(stopLevel(ended, world.SNAP, 8, device())).toBe(3);
    expect(stopLevel(ended, world.SNAP, 7, device())).toBe(0);
    expect(stopLevel(ended, 'another', 8, device())).toBe(0);
  });
});
