import { describe, expect, it } from 'vitest';
import { isVisible, type Visitor } from './entitlement.js';
import { compilePolicy } from './policy/compile.js';
import type { LicenceRow, PolicyRows, SnapRow } from './policy/rows.js';

const T = Date.UTC(2026, 10, 21, 10);
const BOOLEANS = [false, true] as const;

/** Every way in which somebody can call: `there` is a store that is not the snap's own. */
const VISITORS = (['nobody', 'generic serial', 'brand serial'] as const).flatMap((proof) =>
  ([null, 'home', 'there', 'unknown'] as const).flatMap((storeId) =>
    (['owner', 'other'] as const).map((brandId) => ({ proof, storeId, brandId })),
  ),
);
type Case = (typeof VISITORS)[number];

const toVisitor = ({ proof, storeId, brandId }: Case): Visitor => ({
  uid: proof === 'nobody' ? null : 'u1',
  model: proof === 'nobody' ? null : 'gateway',
  hasBrandSerial: proof === 'brand serial',
  brandId,
  storeId,
});

const SNAPS = BOOLEANS.flatMap((isPrivate) =>
  BOOLEANS.flatMap((isProtected) =>
    BOOLEANS.flatMap((isPaid) =>
      (['app', 'base'] as const).map((type) => ({ isPrivate, isProtected, isPaid, type })),
    ),
  ),
);
const STORES = BOOLEANS.flatMap((allowPublic) =>
  BOOLEANS.flatMap((whole) =>
    BOOLEANS.flatMap((byName) =>
      BOOLEANS.map((essential) => ({ allowPublic, whole, byName, essential })),
    ),
  ),
);

/** Licensee, and the period with the word for what it is at T. */
const LICENSEES = ['home', 'there', 'elsewhere', 'model gateway', 'model router'] as const;
const PERIODS = [
  ['runs', T - 1, T + 1],
  ['runs', T, null],
  ['not yet', T + 1, null],
  ['over', T - 9, T],
  ['over', T - 9, T - 1],
] as const;
const LICENCES = [
  null,
  ...LICENSEES.flatMap((licensee) =>
    PERIODS.map(([state, from, until]) => ({ licensee, state, from, until })),
  ),
];
type Licence = (typeof LICENCES)[number];

function toLicence(licence: Licence): LicenceRow[] {
  if (licence === null) return [];
  const { licensee, from, until } = licence;
  const isModel = licensee.startsWith('model ');
  return [
    {
      snapId: 'id',
      storeId: isModel ? null : licensee,
      model: isModel ? licensee.slice(6) : null,
      from,
      until,
    },
  ];
}

interface World {
  readonly snap: (typeof SNAPS)[number];
  readonly store: (typeof STORES)[number];
  readonly licence: Licence;
}

function toRows({ snap, store, licence }: World): PolicyRows {
  const inclusion = { storeId: 'there', includedStoreId: 'home' };
  const row: SnapRow = {
    id: 'id',
    brandId: 'owner',
    storeId: 'home',
    name: 'snap',
    defaultTrack: 'latest',
    ...snap,
  };
  return {
    brandId: 'owner',
    version: 1,
    snaps: [row],
    revisions: [],
    lanes: [],
    laneEvents: [],
    stores: [
      { id: 'home', allowPublic: false },
      {
        id: 'there',
        allowPublic: store.allowPublic,
        essentialFrom: store.essential ? 'home' : null,
      },
    ],
    inclusions: [
      ...(store.whole ? [{ ...inclusion, snapId: null }] : []),
      ...(store.byName ? [{ ...inclusion, snapId: 'id' }] : []),
    ],
    licences: toLicence(licence),
  };
}

/** Decisions 2 and 13 once more, in other words: first what brings the snap here, then what the one who asks must be. */
function oracle({ proof, storeId, brandId }: Case, { snap, store, licence }: World): boolean {
  const hasLicence =
    licence?.state === 'runs' &&
    (licence.licensee === storeId || (licence.licensee === 'model gateway' && proof !== 'nobody'));
  const brought = new Set<string>();
  if (storeId === 'home') brought.add('its own store');
  if (hasLicence) brought.add('licence');
  const isFree = [snap.isPrivate, snap.isProtected, snap.isPaid].every((flag) => !flag);
  if (isFree && storeId === null) brought.add('no store named');
  if (isFree && storeId === 'there') {
    if (store.allowPublic) brought.add('public snaps allowed');
    if (store.whole || store.byName) brought.add('inclusion');
    if (store.essential && snap.type === 'base') brought.add('essential');
  }
  // Of a protected snap its own store is no ground for the devices of another brand.
  if (snap.isProtected && brandId === 'other') brought.delete('its own store');
  if (brought.size === 0) return false;
  const needed = snap.isProtected ? ['brand serial'] : ['brand serial', 'generic serial'];
  return isFree || needed.includes(proof);
}

describe('what exists for whom', () => {
  it('is what decisions 2 and 13 say, for all combinations of visitor, snap, store and licence', () => {
    const wrong: unknown[] = [];
    let visible = 0;
    let asked = 0;
    for (const snap of SNAPS)
      for (const store of STORES)
        for (const licence of LICENCES) {
          const world = { snap, store, licence };
          const policy = compilePolicy(toRows(world));
          const compiled = policy.snaps['id'];
          for (const visitor of VISITORS) {
            const isThere =
              compiled !== undefined && isVisible(toVisitor(visitor), compiled, policy, T);
            asked += 1;
            visible += isThere ? 1 : 0;
            if (isThere !== oracle(visitor, world)) wrong.push({ visitor, ...world });
          }
        }
    expect(wrong.slice(0, 3)).toEqual([]);
    expect(asked).toBe(24 * 16 * 16 * 26);
    // Neither answer is so rare that the table would prove nothing.
    expect(visible / asked).toBeGreaterThan(0.2);
    expect(visible / asked).toBeLessThan(0.8);
  });

  const NAMES = ['open', 'private', 'protected', 'paid'] as const;
  type Row = readonly [string, Visitor, Partial<PolicyRows>, readonly (0 | 1)[]];
  const closed = { id: 'there', allowPublic: false };
  const nobody = { uid: null, brandId: 'owner', model: null, hasBrandSerial: false } as const;
  const device = { ...nobody, uid: 'u1', model: 'gateway', hasBrandSerial: true } as const;
  const whole = { storeId: 'there', includedStoreId: 'home', snapId: null };
  const toThere = { storeId: 'there', model: null, from: 0, until: null };
  const licences = NAMES.map((name) => ({ ...toThere, snapId: name }));

  /** The same in a few rows that can be read: which of an open, a private, a protected and a paid snap exist. */
  it.each<Row>([
    ['nobody, no store named', { ...nobody, storeId: null }, {}, [1, 0, 0, 0]],
    ['nobody, the snaps’ store', { ...nobody, storeId: 'home' }, {}, [1, 0, 0, 0]],
    ['nobody, a closed store', { ...nobody, storeId: 'there' }, {}, [0, 0, 0, 0]],
    ['the brand’s device', { ...device, storeId: 'home' }, {}, [1, 1, 1, 1]],
    [
      'the same with a generic serial',
      { ...device, hasBrandSerial: false, storeId: 'home' },
      {},
      [1, 1, 0, 1],
    ],
    ['a device of a second store', { ...device, storeId: 'there' }, {}, [0, 0, 0, 0]],
    [
      'the second store includes the first',
      { ...device, storeId: 'there' },
      { inclusions: [whole] },
      [1, 0, 0, 0],
    ],
    ['the second store has licences', { ...device, storeId: 'there' }, { licences }, [1, 1, 1, 1]],
    ['nobody, with that store', { ...nobody, storeId: 'there' }, { licences }, [1, 0, 0, 0]],
  ])('%s', (_, visitor, change, expected) => {
    const flags = { isPrivate: false, isProtected: false, isPaid: false };
    const base = {
      brandId: 'owner',
      storeId: 'home',
      type: 'app',
      defaultTrack: 'latest',
    } as const;
    const snaps = NAMES.map((name) => ({
      ...base,
      ...flags,
      id: name,
      name,
      ...(name === 'private' && { isPrivate: true }),
      ...(name === 'protected' && { isProtected: true }),
      ...(name === 'paid' && { isPaid: true }),
    }));
    const rows = { brandId: 'owner', version: 1, revisions: [], lanes: [], laneEvents: [] };
    const policy = compilePolicy({ ...rows, snaps, stores: [closed], ...change });
    const seen = NAMES.map((name) => {
      const snap = policy.snaps[name];
      return snap && isVisible(visitor, snap, policy, T) ? 1 : 0;
    });
    expect(seen).toEqual(expected);
  });
});
