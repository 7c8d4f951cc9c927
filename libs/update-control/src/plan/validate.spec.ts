import { describe, expect, it } from 'vitest';
import { T, HOUR } from '../../testing/world.js';
import type { RolloutPlan } from './plan.js';
import { DEFAULT_WAVES, draftPlan, draftWave, planHash } from './plan.js';
import type { PlanFacts } from './validate.js';
import { planProblems } from './validate.js';
import { scheduleProblems } from './validate-schedule.js';
import { approvalProblem } from './approvals.js';

const target = {
  kind: 'revision',
  snapId: 'dash',
  channel: 'latest/stable',
  revisions: { amd64: 8 },
} as const;
const base = { title: 'Dashboard 8', target, fleet: { id: 'f', predicate: null } };
const facts: PlanFacts = {
  t: T,
  revisions: [
    { snapId: 'dash', revision: 8, architectures: ['amd64'], isYanked: false },
    { snapId: 'dash', revision: 9, architectures: ['arm64'], isYanked: true },
  ],
  fleetArchitectures: ['amd64'],
  waitsFor: {},
  pinnedBySets: 0,
};
const problems = (over: Partial<RolloutPlan>, given: Partial<PlanFacts> = {}) =>
  planProblems(draftPlan({ ...base, ...over }), { ...facts, ...given }).map(
    (p) => `${p.path}: ${p.message}`,
  );

describe('plan', () => {
  it('with the defaults is fine', () => {
    expect(problems({})).toEqual([]);
  });

  it.each<[string, Partial<RolloutPlan>, Partial<PlanFacts>, RegExp]>([
    ['no title', { title: ' ' }, {}, /title: cannot submit without a title/],
    [
      'a revision nobody has',
      { target: { ...target, revisions: { amd64: 80 } } },
      {},
      /there is none/,
    ],
    [
      'a withdrawn revision',
      { target: { ...target, revisions: { arm64: 9 } } },
      { fleetArchitectures: [] },
      /it was withdrawn/,
    ],
    [
      'a foreign architecture',
      { target: { ...target, revisions: { arm64: 8 } } },
      { fleetArchitectures: [] },
      /it was built for amd64/,
    ],
    [
      'a forgotten architecture',
      {},
      { fleetArchitectures: ['amd64', 'arm64'] },
      /cannot leave out arm64/,
    ],
    [
      'a short channel',
      { target: { ...target, channel: 'stable' } },
      {},
      /write it as track\/risk/,
    ],
    ['no wave', { waves: [] }, {}, /cannot roll out without a wave/],
    [
      'a sequence that is to be taken back',
      {
        target: { kind: 'sequence', accountId: 'acme', setName: 'kiosk', sequence: 4 },
        promote: 'none',
        onFail: 'rollback',
      },
      {},
      /^onFail: cannot roll back a sequence/,
    ],
    ['an end below 100 %', { waves: [draftWave({ percent: 50 })] }, {}, /does not reach 100 %/],
    [
      'a shrinking wave',
      {
        waves: [
          draftWave({ percent: 50 }),
          draftWave({ percent: 20 }),
          draftWave({ percent: 100 }),
        ],
      },
      {},
      /waves\[1\].size: cannot make a wave smaller/,
    ],
    ['both sizes', { waves: [draftWave({ percent: 100, count: 5 })] }, {}, /both or neither/],
    [
      'an empty wave',
      { waves: [draftWave(null), draftWave({ percent: 100 })] },
      {},
      /neither size nor selector/,
    ],
    [
      'a deadline within the soak',
      { waves: [draftWave({ percent: 100 }, { deadlineMs: HOUR })] },
      {},
      /before its soak has passed/,
    ],
    [
      'a fleet that reads the revision',
      { fleet: { id: 'f', predicate: { fact: 'snap:dash:revision', equals: 7 } } },
      {},
      /would change who belongs/,
    ],
    [
      'a cycle',
      {
        requires: [{ snapId: 'kernel', channel: 'latest/stable', revision: 1, ifMissing: 'skip' }],
      },
      { waitsFor: { kernel: ['gadget'], gadget: ['dash'] } },
      /neither would ever move/,
    ],
    ['a snap that a set pins', {}, { pinnedBySets: 40 }, /pins on 40 devices/],
    ['an expiry in the past', { expiresAt: T }, {}, /cannot expire in the past/],
    ['a start after expiry', { startAt: T + 2, expiresAt: T + 1 }, {}, /cannot start after/],
    [
      'a window nobody can hit',
      {
        schedule: {
          windows: [{ days: [1], from: '01:00', to: '02:00', lastOfferBeforeMinutes: 60 }],
          freezes: [],
        },
      },
      {},
      /over before it opens/,
    ],
    [
      'replaced revisions without a rollback',
      { replaces: { amd64: 9 } },
      {},
      /unless the rollout is a rollback/,
    ],
  ])('refuses %s', (_, over, given, sentence) => {
    expect(problems(over, given).join('\n')).toMatch(sentence);
  });

  it('windows and freezes are read strictly', () => {
    const window = { days: [1], from: '25:00', to: '02:00' } as const;
    expect(scheduleProblems({ windows: [window], freezes: [] })[0]?.path).toBe('windows[0]');
    expect(
      scheduleProblems({ windows: [{ ...window, from: '01:00', days: [] }], freezes: [] })[0]
        ?.message,
    ).toBe('cannot open a window on no day');
    const freeze = { from: '2026-12-20T00:00', until: '2026-12-19T00:00', reason: 'x' };
    expect(scheduleProblems({ windows: [], freezes: [freeze] })[0]?.message).toBe(
      'cannot freeze until before it begins',
    );
    expect(
      scheduleProblems({ windows: [], freezes: [{ ...freeze, until: 'soon' }] })[0]?.message,
    ).toMatch(/YYYY-MM-DD/);
  });
});

describe('planHash', () => {
  it('U50 one comma voids it, the title does not, nor the order of members', () => {
    const plan = draftPlan(base);
    const hash = planHash(plan);
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
    expect(planHash({ ...plan, title: 'Other' })).toBe(hash);
    expect(
      planHash(Object.fromEntries(Object.entries(plan).reverse()) as unknown as RolloutPlan),
    ).toBe(hash);
    expect(planHash(JSON.parse(JSON.stringify(plan)) as RolloutPlan)).toBe(hash);
    expect(planHash({ ...plan, waves: DEFAULT_WAVES.slice(1) })).not.toBe(hash);
    expect(planHash({ ...plan, isCritical: true })).not.toBe(hash);
    expect(planHash({ ...plan, fleet: { id: 'f', predicate: { all: [] } } })).not.toBe(hash);
  });
});

describe('approvalProblem', () => {
  const subject = { authorId: 'ann', lastEditorId: 'bob', planHash: 'h', approvedBy: ['dora'] };
  const by = (personId: string, over: { isHuman?: boolean; planHash?: string } = {}) =>
    approvalProblem({ personId, isHuman: true, planHash: 'h', ...over }, subject);

  it('U49 neither author nor last editor nor a token approves, nor the same person twice', () => {
    expect(by('ann')).toBe('cannot approve your own rollout');
    expect(by('bob')).toMatch(/edited last/);
    expect(by('carl', { isHuman: false })).toMatch(/a person must log in/);
    expect(by('dora')).toBe('cannot approve twice');
    expect(by('carl', { planHash: 'old' })).toMatch(/the plan has changed/);
    expect(by('carl')).toBeNull();
  });
});
