import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as world from '../../testing/world.js';
import { fleetsOf } from '../fleets.js';
import { assertUnderstood, compilePolicy } from './compile.js';
import { compileOverlay, withOverlay } from './overlay.js';
import type { PolicyRows } from './rows.js';
import { RESOLVER_VERSION } from './snapshot.js';

const full: PolicyRows = world.rows({
  laneEvents: world.log([5, 6, 7, { kind: 'rollout', revision: 8 }]),
  fleets: [
    world.fleet(),
    world.fleet({
      id: 'vip',
      name: 'vip',
      priority: 20,
      predicate: null,
      members: [world.UID, 'x'],
    }),
  ],
  rollouts: [world.rollout(8), world.rollout(9, { id: 'done', state: 'COMPLETED' })],
  holds: [world.hold(), world.hold({ id: 'h2', scope: 'device', deviceUid: world.UID })],
  pins: [world.pin(6), world.pin(7, { deviceUid: null, fleetId: 'vip' })],
  stops: [
    world.stop(),
    world.stop({ id: 's2', scope: 'revision', snapId: world.SNAP, revision: 8 }),
  ],
});

describe('compilePolicy', () => {
  it('is plain JSON and keeps only live rollouts', () => {
    const policy = compilePolicy(full);
    expect(JSON.parse(JSON.stringify(policy))).toEqual(policy);
    expect(Object.keys(policy.overlay.rollouts)).toEqual(['rollout-8']);
    expect(policy.resolverVersion).toBe(RESOLVER_VERSION);
  });

  it('is addressed by its content: the order of rows, version and overlay make no difference, anything else does', () => {
    const { hash } = compilePolicy(full);
    const lists = [
      'revisions',
      'laneEvents',
      'fleets',
      'rollouts',
      'holds',
      'pins',
      'stops',
    ] as const;
    fc.assert(
      fc.property(fc.constantFrom(...lists), fc.integer(), (name, seed) => {
        const shuffled = [...(full[name] ?? [])].sort((a, b) =>
          Math.sign(
            ((JSON.stringify(a).length * seed) % 7) - ((JSON.stringify(b).length * seed) % 7),
          ),
        );
        expect(compilePolicy({ ...full, [name]: shuffled.reverse(), version: seed }).hash).toBe(
          hash,
        );
      }),
    );
    expect(compilePolicy({ ...full, holds: [] }).hash).not.toBe(hash);
    expect(compilePolicy({ ...full, stops: [] }).hash).toBe(hash);
  });

  it.each<[string, Partial<PolicyRows>]>([
    ['fleet', { fleets: [world.fleet({ brandId: 'other' })] }],
    ['rollout', { rollouts: [world.rollout(8, { brandId: 'other' })] }],
    ['hold', { holds: [world.hold({ brandId: 'other' })] }],
    ['pin', { pins: [world.pin(8, { brandId: 'other' })] }],
    ['stop', { stops: [world.stop({ brandId: 'other' })] }],
    ['floor', { floors: [{ id: 'f', brandId: 'other', laneId: world.LANE, revision: 5 }] }],
  ])('U37 refuses a %s of another brand without naming it', (_, over) => {
    expect(() => compilePolicy(world.rows(over))).toThrow(
      'cannot compile policy: a row belongs to another brand',
    );
  });

  it('refuses two fleets of one priority, a bad predicate and a bad salt', () => {
    expect(() =>
      compilePolicy(world.rows({ fleets: [world.fleet(), world.fleet({ id: 'b' })] })),
    ).toThrow(/same priority/);
    expect(() =>
      compilePolicy(world.rows({ fleets: [world.fleet({ predicate: { fact: 'x' } })] })),
    ).toThrow(/cannot use predicate/);
    expect(() =>
      compilePolicy(world.rows({ rollouts: [world.rollout(8, { salt: 'ab' })] })),
    ).toThrow(/cannot use salt/);
  });

  it('refuses a snapshot of a newer resolver', () => {
    expect(() => assertUnderstood({ resolverVersion: RESOLVER_VERSION + 1 })).toThrow(
      /cannot read policy of resolver version/,
    );
    expect(() => assertUnderstood(compilePolicy(full))).not.toThrow();
  });

  it('a newer overlay takes effect without a compilation, an older one never', () => {
    const policy = compilePolicy({ ...full, stops: [], overlayVersion: 5 });
    const stopped = withOverlay(
      policy,
      compileOverlay({ version: 6, stops: full.stops, rollouts: full.rollouts }),
    );
    expect(stopped.overlay.stops.brand).toHaveLength(1);
    expect(stopped.hash).toBe(policy.hash);
    expect(withOverlay(stopped, compileOverlay({ version: 5 }))).toBe(stopped);
  });
});

describe('fleetsOf', () => {
  it('finds static and dynamic fleets, highest priority first, and none for the anonymous', () => {
    const { fleets } = compilePolicy(full);
    const names = (over: Parameters<typeof world.device>[0]) =>
      fleetsOf(world.device(over), {}, fleets).map((f) => f.name);
    expect(names({})).toEqual(['vip', 'plant']);
    expect(names({ uid: 'x', tags: {} })).toEqual(['vip']);
    expect(names({ uid: 'y', tags: {} })).toEqual([]);
    expect(names({ uid: null })).toEqual([]);
  });

  it('asks predicates that no single fact decides', () => {
    const predicate = { not: { fact: 'tag:site', equals: 'lab' } };
    const { fleets } = compilePolicy(world.rows({ fleets: [world.fleet({ predicate })] }));
    expect(fleetsOf(world.device(), {}, fleets)).toHaveLength(1);
    expect(fleetsOf(world.device({ tags: { site: 'lab' } }), {}, fleets)).toHaveLength(0);
  });
});
