import { describe, expect, it } from 'vitest';
import type { RevisionDetails } from '#libs/database';
import type { DecidedAction, PollAction, SeenSnap } from '#libs/operations';
import { compilePolicy, type Decision, type PolicyRows } from '#libs/update-control';
import { repeat, toRefreshResult, wantsDetails, type ResultGround } from './to-refresh-result.js';

const ROWS: PolicyRows = {
  brandId: 'acme',
  version: 1,
  snaps: [
    {
      id: 'id1',
      brandId: 'acme',
      storeId: 's',
      name: 'dash',
      type: 'app',
      isPrivate: false,
      isProtected: false,
      defaultTrack: '22',
    },
  ],
  revisions: [],
  lanes: [
    {
      id: 'l1',
      brandId: 'acme',
      snapId: 'id1',
      track: '22',
      risk: 'stable',
      branch: '',
      isProtected: false,
      expiresAt: null,
    },
    {
      id: 'l2',
      brandId: 'acme',
      snapId: 'id1',
      track: '22',
      risk: 'edge',
      branch: 'fix',
      isProtected: false,
      expiresAt: 500,
    },
  ],
  laneEvents: [
    {
      laneId: 'l1',
      seq: 1,
      kind: 'release',
      revision: 5,
      architectures: ['amd64'],
      rank: 1,
      at: 0,
    },
    {
      laneId: 'l1',
      seq: 2,
      kind: 'release',
      revision: 6,
      architectures: ['arm64'],
      rank: 2,
      at: 0,
    },
    {
      laneId: 'l1',
      seq: 3,
      kind: 'close',
      revision: null,
      architectures: ['arm64'],
      rank: null,
      at: 0,
    },
    {
      laneId: 'l2',
      seq: 1,
      kind: 'release',
      revision: 5,
      architectures: ['amd64'],
      rank: 1,
      at: 0,
    },
  ],
};
const snapshot = compilePolicy(ROWS);
// The only snap of the rows above.
const snap = Object.values(snapshot.snaps)[0] as SeenSnap['snap'];
const seen = {
  snap,
  policy: { snapshot, byName: new Map([['dash', snap]]) },
} as unknown as SeenSnap;

const DETAILS: RevisionDetails = {
  snapId: 'id1',
  name: 'dash',
  revision: 5,
  version: '5.0',
  type: 'app',
  architectures: ['amd64'],
  epoch: { read: [0], write: [0] },
  confinement: 'strict',
  base: 'core24',
  snapYaml: 'name: dash\n',
  components: [],
  sizeBytes: 7,
  sha3384: 'ab',
  isYanked: false,
  createdAt: new Date(0),
  storageKey: 'k',
  title: null,
  summary: 's',
  description: null,
  license: null,
  website: 'https://dash.example',
  contact: null,
  isPrivate: false,
  categories: [],
  icon: null,
  publisher: { id: 'acme', username: 'acme', displayName: 'ACME', validation: 'verified' },
};
const GROUND: ResultGround = {
  publicUrl: 'https://s',
  t: 100,
  fields: null,
  details: DETAILS,
  delta: null,
};

const action = (change: Partial<PollAction> = {}): PollAction => ({
  action: 'install',
  instanceKey: 'install-1',
  by: 'name',
  snap: 'dash',
  channel: null,
  revision: null,
  ignoreValidation: false,
  ...change,
});
const refresh = (change: Partial<PollAction> = {}): PollAction =>
  action({ action: 'refresh', instanceKey: 'id1:hash', by: 'id', snap: 'id1', ...change });
const decided = (change: Partial<DecidedAction>): DecidedAction => ({
  action: action(),
  seen,
  decision: null,
  basis: null,
  withheld: null,
  ...change,
});
const update: Decision = {
  outcome: 'UPDATE',
  revision: 5,
  channel: '22/stable',
  reasons: [{ code: 'BASELINE' }],
};
const staying: Decision = { outcome: 'STAY', revision: 4, reasons: [{ code: 'UP_TO_DATE' }] };
const missing: Decision = { outcome: 'NOT_FOUND', reasons: [{ code: 'NOTHING_RELEASED' }] };

describe('toRefreshResult', () => {
  it('describes an update in full', () => {
    expect(toRefreshResult(decided({ decision: update }), GROUND)).toMatchObject({
      result: 'install',
      'instance-key': 'install-1',
      name: 'dash',
      'snap-id': 'id1',
      'effective-channel': '22/stable',
      'redirect-channel': '22/stable',
      snap: {
        name: 'dash',
        title: 'dash',
        links: { website: ['https://dash.example'] },
        download: {
          url: 'https://s/api/v1/snaps/download/id1_5.snap',
          size: 7,
          'sha3-384': 'ab',
          deltas: [],
        },
      },
    });
  });

  it.each([
    ['latest/stable', null],
    ['22/edge', null],
    ['22', null],
    ['edge', '22/edge'],
    [null, '22/stable'],
  ])('asked for channel %s it redirects to %s', (channel, redirect) => {
    const result = toRefreshResult(
      decided({ action: action({ channel }), decision: update }),
      GROUND,
    );
    expect(result['redirect-channel']).toBe(redirect);
  });

  it('gives the fields that were asked for, and always those that snapd needs', () => {
    const result = toRefreshResult(decided({ decision: update }), {
      ...GROUND,
      fields: new Set(['base']),
    });
    const names = Object.keys(result['snap'] as object).sort();
    const needed = 'architectures confinement download epoch name revision snap-id type version';
    expect(names).toEqual([...needed.split(' '), 'base'].sort());
  });

  it('repeats the installed revision to stay, with nothing else to download', () => {
    const result = toRefreshResult(decided({ action: refresh(), decision: staying }), {
      ...GROUND,
      details: null,
    });
    expect(result).toEqual(repeat('id1:hash', 4, 'id1', 'dash'));
    expect(JSON.stringify(result).length).toBeLessThan(160);
  });

  it('describes what stays only where its resources are wanted', () => {
    const one = decided({ action: refresh(), decision: staying });
    expect(wantsDetails(one, new Set(['revision']))).toBeNull();
    expect(wantsDetails(one, null)).toBeNull();
    expect(wantsDetails(one, new Set(['resources']))).toBe(4);
    expect(wantsDetails(decided({ decision: update }), new Set())).toBe(5);
    expect(wantsDetails(decided({ decision: missing }), null)).toBeNull();
  });

  it('tells a person why a newer revision waits', () => {
    const held: Decision = {
      outcome: 'STAY',
      revision: 4,
      reasons: [{ code: 'HELD_FLEET', detail: { reason: 'audit', until: 0 } }],
    };
    const result = toRefreshResult(
      decided({ action: refresh(), decision: held, withheld: 5 }),
      GROUND,
    );
    expect(result).toMatchObject({
      result: 'error',
      'instance-key': 'id1:hash',
      error: {
        code: 'update-withheld',
        message:
          'revision 5 of dash waits: held for a fleet of this device until 1970-01-01T00:00:00.000Z: audit',
      },
    });
  });

  it('lists where a snap is released when it is not released there', () => {
    expect(toRefreshResult(decided({ decision: missing }), GROUND)).toEqual({
      result: 'error',
      'instance-key': 'install-1',
      name: 'dash',
      'snap-id': 'id1',
      error: {
        code: 'revision-not-found',
        message: 'No revision was found matching the request.',
        extra: {
          releases: [
            { architecture: 'amd64', channel: '22/edge/fix' },
            { architecture: 'amd64', channel: '22/stable' },
          ],
        },
      },
    });
    const later = toRefreshResult(decided({ decision: missing }), { ...GROUND, t: 500 });
    expect(JSON.stringify(later)).not.toContain('edge');
  });

  it.each(['NOT_ENTITLED', 'NO_SUCH_SNAP'] as const)(
    '%s looks like a snap that does not exist',
    (code) => {
      const decision: Decision = { outcome: 'NOT_FOUND', reasons: [{ code }] };
      for (const one of [action(), refresh()]) {
        const hidden = toRefreshResult(decided({ action: one, decision }), GROUND);
        expect(hidden).toEqual(toRefreshResult(decided({ action: one, seen: null }), GROUND));
      }
      expect(toRefreshResult(decided({ seen: null }), GROUND)).toMatchObject({
        name: 'dash',
        error: { code: 'name-not-found' },
      });
      expect(toRefreshResult(decided({ action: refresh(), seen: null }), GROUND)).toMatchObject({
        'snap-id': 'id1',
        error: { code: 'id-not-found' },
      });
    },
  );
});
