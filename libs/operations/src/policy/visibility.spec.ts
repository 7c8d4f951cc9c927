import { describe, expect, it } from 'vitest';
import { compilePolicy, isVisible, type PolicyRows, type Visitor } from '#libs/update-control';

const SNAPS = [
  ['open', false, false],
  ['private', true, false],
  ['protected', false, true],
  ['both', true, true],
] as const;

/** What a snapshot holds of two brands: ACME's store with four snaps, and what the other brand's store includes. */
function policyOf(change: Partial<PolicyRows>): ReturnType<typeof compilePolicy> {
  return compilePolicy({
    brandId: 'acme',
    version: 1,
    snaps: SNAPS.map(([name, isPrivate, isProtected]) => ({
      id: `id-${name}`,
      brandId: 'acme',
      storeId: 'acme-store',
      name,
      type: 'app',
      isPrivate,
      isProtected,
      defaultTrack: 'latest',
    })),
    revisions: [],
    lanes: [],
    laneEvents: [],
    ...change,
  });
}

const closed = { id: 'there', allowPublic: false };
const open = { id: 'there', allowPublic: true };
const whole = { storeId: 'there', includedStoreId: 'acme-store', snapId: null };
const byName = { ...whole, snapId: 'id-private' };
const licence = { storeId: 'there', model: null };

const nobody = { uid: null, brandId: 'acme', model: null, hasBrandSerial: false } as const;
const device = { ...nobody, uid: 'u1', model: 'gateway', hasBrandSerial: true } as const;
const generic = { ...device, hasBrandSerial: false } as const;
const stranger = { ...device, brandId: 'other' } as const;

type Row = readonly [string, Visitor, Partial<PolicyRows>, readonly (0 | 1)[]];

/** Visitor and stores → which of open, private, protected and both exist (decisions 2, 13; S3, S4, S6, S17, S29). */
const TABLE: readonly Row[] = [
  ['nobody, no store named', { ...nobody, storeId: null }, {}, [1, 0, 0, 0]],
  ['nobody, the snap’s store', { ...nobody, storeId: 'acme-store' }, {}, [1, 0, 0, 0]],
  ['nobody, a closed store', { ...nobody, storeId: 'there' }, { stores: [closed] }, [0, 0, 0, 0]],
  ['nobody, an open store', { ...nobody, storeId: 'there' }, { stores: [open] }, [1, 0, 0, 0]],
  ['the brand’s device', { ...device, storeId: 'acme-store' }, {}, [1, 1, 1, 1]],
  ['the same with a generic serial', { ...generic, storeId: 'acme-store' }, {}, [1, 1, 0, 0]],
  ['the brand’s device, model without store', { ...device, storeId: null }, {}, [1, 0, 0, 0]],
  [
    'the brand’s device in a second store',
    { ...device, storeId: 'there' },
    { stores: [closed] },
    [0, 0, 0, 0],
  ],
  [
    'the second store includes the first',
    { ...device, storeId: 'there' },
    { stores: [closed], inclusions: [whole] },
    [1, 0, 0, 0],
  ],
  [
    'the second store includes one snap',
    { ...device, storeId: 'there' },
    { stores: [closed], inclusions: [byName] },
    [0, 0, 0, 0],
  ],
  [
    'a stranger in a closed store',
    { ...stranger, storeId: 'there' },
    { stores: [closed] },
    [0, 0, 0, 0],
  ],
  [
    'a stranger in an open store',
    { ...stranger, storeId: 'there' },
    { stores: [open] },
    [1, 0, 0, 0],
  ],
  [
    'a stranger with a licence for the private snap',
    { ...stranger, storeId: 'there' },
    { stores: [closed], licences: [{ ...licence, snapId: 'id-private' }] },
    [0, 1, 0, 0],
  ],
  [
    'nobody, with that store',
    { ...nobody, storeId: 'there' },
    { stores: [closed], licences: [{ ...licence, snapId: 'id-private' }] },
    [0, 0, 0, 0],
  ],
  [
    'a stranger with a licence for the protected snap',
    { ...stranger, storeId: 'there' },
    { stores: [closed], licences: [{ ...licence, snapId: 'id-protected' }] },
    [0, 0, 1, 0],
  ],
  [
    'the same with a generic serial',
    { ...stranger, hasBrandSerial: false, storeId: 'there' },
    { stores: [closed], licences: [{ ...licence, snapId: 'id-protected' }] },
    [0, 0, 0, 0],
  ],
];

describe('what exists for whom', () => {
  it.each(TABLE)('%s', (_, visitor, change, expected) => {
    const policy = policyOf(change);
    const seen = SNAPS.map(([name]) => {
      const snap = policy.snaps[`id-${name}`];
      return snap && isVisible(visitor, snap, policy) ? 1 : 0;
    });
    expect(seen).toEqual(expected);
  });
});
