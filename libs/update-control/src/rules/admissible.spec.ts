import { describe, expect, it } from 'vitest';
import { ask } from '../../testing/ask.js';
import {
  BRAND,
  device,
  install,
  refresh,
  revision,
  snap,
  SNAP,
  STORE,
} from '../../testing/world.js';
import type { PolicyRows } from '../policy/rows.js';
import type { DeviceFacts } from '../facts.js';

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
      { snaps: [snap({ storeId: 'other' })], stores: [{ id: STORE, allowPublic: false }] },
      {},
      'NOT_ENTITLED',
    ],
    [
      'a kernel which the model does not name',
      {
        snaps: [snap({ type: 'kernel' })],
        models: [
          {
            brandId: BRAND,
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
        stores: [{ id: STORE, allowPublic: false }],
        inclusions: [{ storeId: STORE, includedStoreId: 'other', snapId: null }],
      },
    ],
    [
      'is included by itself',
      {
        snaps: [snap({ storeId: 'other' })],
        stores: [{ id: STORE, allowPublic: false }],
        inclusions: [{ storeId: STORE, includedStoreId: 'other', snapId: SNAP }],
      },
    ],
    ['is public', { snaps: [snap({ storeId: 'other' })] }],
    [
      'is licensed to the model',
      {
        snaps: [snap({ storeId: 'other', brandId: 'maker', isPrivate: true, isProtected: true })],
        licences: [{ snapId: SNAP, storeId: null, model: 'panel', from: 0, until: null }],
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
