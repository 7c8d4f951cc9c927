import { describe, expect, it } from 'vitest';
import { compilePolicy, type PolicyRows, type PolicySnapshot } from '#libs/update-control';
import { shownToOthers } from './shown-to-others.js';

const SALT = '00112233445566778899aabbccddeeff';
const ROWS: PolicyRows = {
  brandId: 'acme',
  version: 1,
  snaps: [
    {
      id: 'snap1',
      brandId: 'acme',
      storeId: 'acme-store',
      name: 'dash',
      type: 'app',
      isPrivate: false,
      isProtected: false,
      defaultTrack: 'latest',
    },
  ],
  revisions: [1, 2].map((revision) => ({
    snapId: 'snap1',
    revision,
    architectures: ['all'],
    epoch: { read: [0], write: [0] },
    assumes: [],
    confinement: 'strict' as const,
    isYanked: false,
    sha3384: String(revision),
  })),
  lanes: [
    {
      id: 'lane1',
      brandId: 'acme',
      snapId: 'snap1',
      track: 'latest',
      risk: 'stable',
      branch: '',
      isProtected: false,
      expiresAt: null,
    },
  ],
  laneEvents: [
    {
      laneId: 'lane1',
      seq: 1,
      kind: 'release',
      revision: 1,
      architectures: ['all'],
      rank: 1,
      at: 1,
    },
  ],
};
const [snap] = ROWS.snaps;
const digest = (change: Partial<PolicyRows>): string =>
  shownToOthers(compilePolicy({ ...ROWS, ...change }), 'acme');

describe('shownToOthers', () => {
  it('does not change with what stays at home', () => {
    const fleet = { id: 'f', brandId: 'acme', name: 'Berlin', priority: 1, predicate: null };
    const hold = {
      id: 'h',
      brandId: 'acme',
      scope: 'brand',
      fleetId: null,
      deviceUid: null,
      snapId: null,
      from: 0,
      until: 9,
      reason: 'x',
    } as const;
    const rollout = {
      id: 'r',
      brandId: 'acme',
      name: 'r',
      state: 'ACTIVE',
      fleetId: 'f',
      salt: SALT,
      target: { kind: 'revision', laneId: 'lane1', revisions: { all: 2 } },
      waves: [],
      activeMs: 0,
      activeSince: 0,
      leaseUntil: null,
    } as const;
    const licence = { snapId: 'snap1', storeId: 'acme-store', model: null, from: 0, until: null };
    const atHome = { fleets: [fleet], holds: [hold], rollouts: [rollout], licences: [licence] };
    expect(digest({ version: 7, ...atHome })).toBe(digest({}));
  });

  it.each<[string, Partial<PolicyRows>]>([
    [
      'a release',
      {
        laneEvents: [
          ...ROWS.laneEvents,
          {
            laneId: 'lane1',
            seq: 2,
            kind: 'release',
            revision: 2,
            architectures: ['all'],
            rank: 2,
            at: 2,
          },
        ],
      },
    ],
    [
      'a withdrawn revision',
      { revisions: ROWS.revisions.map((row) => ({ ...row, isYanked: true })) },
    ],
    ['a new name', { snaps: snap ? [{ ...snap, name: 'dash2' }] : [] }],
    ['protection', { snaps: snap ? [{ ...snap, isProtected: true }] : [] }],
    ['a price', { snaps: snap ? [{ ...snap, isPaid: true }] : [] }],
    ['a snap that is gone', { snaps: [], revisions: [], lanes: [], laneEvents: [] }],
  ])('changes with %s', (_, change) => {
    expect(digest(change)).not.toBe(digest({}));
  });

  it('counts what is not public too: another brand may have a licence for it', () => {
    const hidden = { snaps: snap ? [{ ...snap, isPrivate: true, isProtected: true }] : [] };
    expect(digest({ ...hidden, laneEvents: [] })).not.toBe(digest(hidden));
  });

  it('does not count snaps of other brands, and is the same after a way through jsonb', () => {
    const snapshot = compilePolicy(ROWS);
    expect(shownToOthers(snapshot, 'other')).toBe(shownToOthers(null, 'other'));
    const reordered = JSON.parse(JSON.stringify(snapshot), (_, value: unknown) =>
      value !== null && typeof value === 'object' && !Array.isArray(value)
        ? Object.fromEntries(Object.entries(value).reverse())
        : value,
    ) as PolicySnapshot;
    expect(shownToOthers(reordered, 'acme')).toBe(shownToOthers(snapshot, 'acme'));
  });
});
