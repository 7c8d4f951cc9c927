import fc from 'fast-check';
import type { PolicyRows } from '../src/policy/rows.js';
import * as world from './world.js';

/** A brand in a random state: a lane with releases, patches and rollbacks, and rules of every kind. */
export const arbitraryWorld = fc
  .record({
    events: fc.array(
      fc.record({
        kind: fc.constantFrom(
          'release',
          'release',
          'release',
          'rollout',
          'promote',
          'rollback',
          'close',
        ),
        revision: fc.integer({ min: 1, max: 12 }),
        live: fc.subarray([8, 9]),
      }),
      { maxLength: 14 },
    ),
    rollouts: fc.uniqueArray(
      fc.record({
        target: fc.integer({ min: 1, max: 12 }),
        state: fc.constantFrom('ACTIVE', 'PAUSED', 'COMPLETING', 'ABORTED'),
        threshold: fc.constantFrom(0, world.OUT, world.IN, 2 ** 53),
        fleetId: fc.constantFrom(world.FLEET, 'vip'),
        includeInstalls: fc.boolean(),
      }),
      { maxLength: 2, selector: (r) => r.fleetId },
    ),
    holds: fc.array(
      fc.record({
        scope: fc.constantFrom('brand', 'fleet', 'device'),
        from: fc.integer({ min: -2, max: 2 }),
      }),
      { maxLength: 2 },
    ),
    pins: fc.array(
      fc.record({ revision: fc.integer({ min: 1, max: 12 }), onDevice: fc.boolean() }),
      { maxLength: 2 },
    ),
    floors: fc.uniqueArray(fc.integer({ min: 1, max: 12 }), { maxLength: 2 }),
    yanked: fc.subarray([3, 6, 9, 12]),
    stopped: fc.option(fc.integer({ min: 1, max: 12 }), { nil: null }),
    follow: fc.option(
      fc.record({
        revision: fc.integer({ min: 1, max: 12 }),
        follow: fc.constantFrom('sticky', 'later'),
      }),
      { nil: null },
    ),
  })
  .map((w): PolicyRows => ({
    ...world.rows(),
    revisions: Array.from({ length: 12 }, (_, i) =>
      world.revision(i + 1, { isYanked: w.yanked.includes(i + 1) }),
    ),
    laneEvents: world.log(w.events),
    fleets: [
      world.fleet(),
      world.fleet({ id: 'vip', name: 'vip', priority: 20, predicate: null, members: [world.UID] }),
    ],
    rollouts: w.rollouts.map((r, i) =>
      world.rollout(r.target, {
        id: `r${i}`,
        state: r.state,
        fleetId: r.fleetId,
        includeInstalls: r.includeInstalls,
        waves: [world.wave(r.threshold)],
      }),
    ),
    holds: w.holds.map((h, i) =>
      world.hold({
        id: `h${i}`,
        scope: h.scope,
        from: world.T + h.from * world.HOUR,
        fleetId: 'vip',
        deviceUid: world.UID,
      }),
    ),
    pins: w.pins.map((p, i) =>
      world.pin(p.revision, {
        id: `p${i}`,
        deviceUid: p.onDevice ? world.UID : null,
        fleetId: p.onDevice ? null : 'vip',
      }),
    ),
    floors: w.floors.map((f) => ({
      id: `f${f}`,
      brandId: world.BRAND,
      laneId: world.LANE,
      revision: f,
    })),
    stops:
      w.stopped === null
        ? []
        : [world.stop({ scope: 'revision', snapId: world.SNAP, revision: w.stopped })],
    fleetBaselines: w.follow
      ? [
          {
            brandId: world.BRAND,
            fleetId: world.FLEET,
            laneId: world.LANE,
            architecture: 'amd64',
            ...w.follow,
          },
        ]
      : [],
  }));
