import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  AdminStore,
  Enum,
  literal,
  type Person,
  type RolloutAnswer,
} from './support/admin-store.js';

interface Event {
  readonly seq: number;
  readonly kind: string;
  readonly subject: string;
  readonly detail: Readonly<Record<string, unknown>>;
}
interface Check {
  readonly problems: readonly { path: string; message: string }[];
  readonly planHash: string | null;
  readonly population: number | null;
  readonly architectures: readonly string[];
  readonly waves: readonly { no: number; name: string | null; k: number; rampSeconds: number }[];
  readonly windows: { text: string; hitPercentPerDay: number; daysUntil95: number } | null;
  readonly approvalsNeeded: number | null;
}

const HOUR = 3_600_000;
const manual = (...percents: number[]): object[] =>
  percents.map((percent) => ({ percent, soakSeconds: 0, isManual: true }));
/** Nobody needs to report anything. */
const byTimeAlone = { health: { minSample: 0, coveragePercent: 0 } };
const soaked = (...percents: number[]): object[] =>
  percents.map((percent) => ({ percent, soakSeconds: 0, ...byTimeAlone }));
const wall = (hours: number): string =>
  new Date(Date.now() + hours * HOUR).toISOString().slice(0, 16);
const causes = ({ transitions }: RolloutAnswer): string[] => transitions.map(({ cause }) => cause);

describe('rollout plans over HTTP, with the worker', () => {
  let store: AdminStore;
  let second: Person;
  let groups = 0;

  beforeAll(async () => {
    store = await AdminStore.start();
    await store.publish('acme-dashboard', 3);
    second = await store.addPerson('ada@acme.example', ['admin', 'approver', 'releaser']);
  });
  afterAll(() => store?.stop());

  async function group(count: number): Promise<{ fleetId: string; uids: string[]; tag: string }> {
    groups += 1;
    const tag = `plan-${groups}`;
    const uids = await store.addDevices(count, { group: tag }, 'acme-dashboard');
    return { fleetId: await store.createFleet(tag, 100 + groups, ['group', tag]), uids, tag };
  }
  const orderOf = (more: object): object => ({
    title: 'a plan',
    snap: 'acme-dashboard',
    channel: 'latest/stable',
    revision: 2,
    ...more,
  });
  const check = async (input: object): Promise<Check> =>
    (
      await store.planner.ask<{ checkRollout: Check }>(
        `checkRollout(brand: "${store.brand}", input: ${literal(orderOf(input))}) {
          problems { path message } planHash population architectures approvalsNeeded
          waves { no name k rampSeconds } windows { text hitPercentPerDay daysUntil95 } }`,
      )
    ).checkRollout;
  const events = async (after = 0): Promise<Event[]> => {
    const cursor = Buffer.from(String(after)).toString('base64url');
    const { events: page } = await store.planner.ask<{ events: { edges: { node: Event }[] } }>(
      `events(brand: "${store.brand}", after: "${cursor}", first: 500) { edges { node { seq kind subject detail } } }`,
    );
    return page.edges.map(({ node }) => node);
  };
  const eventsOf = async ({ id }: { id: string }): Promise<Event[]> =>
    (await events()).filter(({ subject }) => subject === `rollout:${id}`);
  const field = async <T>({ id }: { id: string }, selection: string): Promise<T> =>
    (
      await store.planner.ask<{ rollout: T }>(
        `rollout(brand: "${store.brand}", id: "${id}") { ${selection} }`,
      )
    ).rollout;
  const approve = (who: Person, { id, planHash }: RolloutAnswer): Promise<RolloutAnswer> =>
    store.on(who, 'approveRollout', { id }, `planHash: "${planHash}"`);
  const submitted = async (input: object): Promise<RolloutAnswer> =>
    store.on(store.planner, 'submitRollout', await store.createRollout({ ...input }));
  const setApprovals = (who: Person, count: number) =>
    who.act(
      `setApprovalsRequired(brand: "${store.brand}", count: ${count}, reason: "a test")`,
      '... on ApprovalSettings { approvalsRequired proposed { id change proposedBy } }',
    );

  it('a check says what would become of a plan, and writes nothing', async () => {
    const { fleetId, uids } = await group(40);
    await store.planner.act(
      `tagDevice(brand: "${store.brand}", device: "${uids[0] ?? ''}", tags: {site: "plan-lab"})`,
    );
    const input = {
      fleetId,
      waves: [
        {
          name: 'lab',
          selector: { fact: 'tag:site', equals: 'plan-lab' },
          soakSeconds: 0,
          ...byTimeAlone,
        },
        { name: 'some', percent: 10, devicesPerHour: 6 },
        { percent: 100 },
      ],
      schedule: { windows: [{ days: [1, 2, 3, 4, 5, 6, 7], from: '00:00', to: '03:00' }] },
    };
    const found = await check(input);
    expect(found).toMatchObject({ problems: [], population: 40, architectures: ['amd64'] });
    expect(found.waves.map(({ name, k }) => [name, k])).toEqual([
      ['lab', 1],
      ['some', 4],
      [null, 40],
    ]);
    expect(found.waves[1]?.rampSeconds).toBe(1_800);
    expect(found.windows).toMatchObject({ hitPercentPerDay: 50, daysUntil95: 5 });
    expect(found.windows?.text).toContain('daily 00:00–03:00');
    expect(found.approvalsNeeded).toBe(1);
    const { rollouts } = await store.planner.ask<{ rollouts: { edges: unknown[] } }>(
      `rollouts(brand: "${store.brand}", first: 500) { edges { cursor } }`,
    );
    expect(rollouts.edges).toEqual([]);
    const created = await store.createRollout(input);
    expect(created.planHash).toBe(found.planHash);
    const { planHash } = await store.on(store.planner, 'submitRollout', created);
    expect(planHash).toBe(found.planHash);
  });

  it('a check and createRollout name the place of every fault', async () => {
    const { fleetId } = await group(3);
    const faults: readonly (readonly [object, string[]])[] = [
      [{ snap: 'nothing' }, ['snap']],
      [{ fleetId: '00000000-0000-4000-8000-000000000000' }, ['fleetId']],
      [{ channel: 'a/b/c/d' }, ['channel']],
      [{ revision: 99 }, ['revision']],
      [{ revision: undefined, revisions: { amd64: 99 } }, ['revisions.amd64']],
      [{ revision: undefined, revisions: { arm64: 2 } }, ['revisions']],
      [
        { waves: [{ percent: 0, deadlineSeconds: 1, name: ' ' }, { count: 0 }] },
        [
          'waves[0].name',
          'waves[0].percent',
          'waves[0].deadlineSeconds',
          'waves[1].count',
          'waves',
        ],
      ],
      [
        { waves: [{ percent: 100, health: { minSample: -1, failPercent: 101 } }] },
        ['waves[0].health.minSample', 'waves[0].health.failPercent'],
      ],
      [{ waves: [{ percent: 100, selector: { fact: 1 } }] }, ['waves[0].selector']],
      [{ waves: [{ percent: 100, devicesPerHour: 0 }] }, ['waves[0].devicesPerHour']],
      [
        {
          schedule: {
            windows: [{ days: [], from: '25:00', to: '1:00' }],
            freezes: [{ from: 'x', until: 'y', reason: 'z' }],
          },
        },
        ['schedule.windows[0]', 'schedule.freezes[0]'],
      ],
      [{ requires: [{ snap: 'nothing', revision: 1 }] }, ['requires[0].snap']],
      [{ requires: [{ snap: 'acme-dashboard', revision: 9 }] }, ['requires[0]', 'requires[0]']],
      [
        { startAt: '2020-01-01T00:00:00Z', expiresAt: '2019-01-01T00:00:00Z' },
        ['expiresAt', 'startAt', 'startAt'],
      ],
      [
        { latestStartSeconds: -1, maxGrowthPercent: -1 },
        ['latestStartSeconds', 'maxGrowthPercent'],
      ],
      [
        {
          snap: undefined,
          channel: undefined,
          revision: undefined,
          sequence: { set: 's', sequence: 0 },
        },
        ['sequence.sequence'],
      ],
      [{ sequence: { set: 's', sequence: 1 } }, ['snap']],
    ];
    for (const [more, paths] of faults) {
      const order = Object.fromEntries(
        Object.entries(orderOf({ fleetId, ...more })).filter(([, value]) => value !== undefined),
      );
      const { checkRollout } = await store.planner.ask<{ checkRollout: Check }>(
        `checkRollout(brand: "${store.brand}", input: ${literal(order)}) { problems { path message } }`,
      );
      expect([more, checkRollout.problems.map(({ path }) => path)]).toEqual([more, paths]);
      const refused = await store.planner.rollout(
        `createRollout(brand: "${store.brand}", input: ${literal(order)})`,
      );
      expect(['Invalid', 'NotFound']).toContain(refused.__typename);
    }
  });

  it('what the input says reaches the decision: a freeze holds devices back, a critical rollout pierces it', async () => {
    const frozen = {
      windows: [
        { days: [1, 2, 3, 4, 5, 6, 7], from: '00:00', to: '00:00', lastOfferBeforeMinutes: 0 },
      ],
      freezes: [{ from: wall(-24), until: wall(24), reason: 'year end' }],
    };
    const { fleetId, uids } = await group(4);
    const input = { fleetId, schedule: frozen, onFail: new Enum('abort'), waves: manual(50, 100) };
    const rollout = await store.approved({ ...input, promote: new Enum('none') });
    const { plan } = await field<{ plan: Record<string, unknown> }>(rollout, 'plan');
    expect(plan).toMatchObject({ schedule: frozen, onFail: 'abort', promote: 'none' });
    await store.until(rollout, ({ waves: [wave] }) => wave?.state === 'OPEN');
    await store.settled();
    expect(await store.movedTo(2, uids)).toEqual([]);
    const codes = (await Promise.all(uids.map((uid) => store.explain(uid)))).map(({ reasons }) =>
      reasons.map(({ code }) => code),
    );
    expect(codes.filter((of) => of.includes('FROZEN'))).toHaveLength(2);
    await store.on(store.planner, 'abortRollout', rollout);

    const urgent = await submitted({ ...input, revision: 3, isCritical: true });
    expect(await approve(store.approver, urgent)).toMatchObject({ state: 'PENDING_APPROVAL' });
    expect(await approve(second, urgent)).toMatchObject({ state: 'SCHEDULED' });
    await store.until(urgent, ({ waves: [wave] }) => wave?.state === 'OPEN');
    await store.settled();
    expect(await store.movedTo(3, uids)).toHaveLength(2);
    await store.on(store.planner, 'abortRollout', urgent);
  });

  it('snaps that wait for each other are refused', async () => {
    const { fleetId } = await group(2);
    const own = await store.createRollout({
      fleetId,
      requires: [{ snap: 'acme-dashboard', revision: 1 }],
    });
    expect(own).toMatchObject({
      __typename: 'Invalid',
      problems: [
        {
          path: 'requires[0]',
          message: expect.stringContaining('neither would ever move') as string,
        },
      ],
    });
  });

  it('a brand chooses how many approve; fewer takes two admins', async () => {
    const { fleetId } = await group(2);
    const input = { fleetId, startAt: new Date(Date.now() + 24 * HOUR).toISOString() };
    expect(await setApprovals(store.planner, 4)).toMatchObject({ __typename: 'Invalid' });
    expect(await setApprovals(store.planner, 2)).toMatchObject({ approvalsRequired: 2 });
    const two = await submitted(input);
    expect(await approve(store.approver, two)).toMatchObject({ state: 'PENDING_APPROVAL' });
    const lower = await setApprovals(store.planner, 0);
    expect(lower).toMatchObject({
      approvalsRequired: 2,
      proposed: [{ change: { before: 2, count: 0 } }],
    });
    const [{ id } = { id: '' }] = lower['proposed'] as { id: string }[];
    const decide = (who: Person, verb: string) =>
      who.act(
        `${verb}(brand: "${store.brand}", id: "${id}")`,
        '... on ApprovalSettings { approvalsRequired proposed { id } }',
      );
    expect(await decide(store.planner, 'confirmChange')).toMatchObject({ __typename: 'Forbidden' });
    expect(await decide(store.approver, 'confirmChange')).toMatchObject({
      __typename: 'Forbidden',
    });
    expect(await decide(second, 'confirmChange')).toMatchObject({
      approvalsRequired: 0,
      proposed: [],
    });
    expect(await decide(second, 'rejectChange')).toMatchObject({ __typename: 'Conflict' });
    const none = await submitted(input);
    expect(none).toMatchObject({ state: 'SCHEDULED' });
    const critical = await submitted({ ...input, isCritical: true });
    expect(critical).toMatchObject({ state: 'PENDING_APPROVAL' });
    expect(await approve(store.approver, critical)).toMatchObject({ state: 'SCHEDULED' });
    expect(await setApprovals(second, 1)).toMatchObject({ approvalsRequired: 1 });
    const kinds = (await events()).map(({ kind }) => kind);
    expect(kinds).toEqual(expect.arrayContaining(['change-proposed', 'change-decided']));
  });

  it('an admin may break the glass, with a reason that stays and that everybody is told', async () => {
    const { fleetId } = await group(2);
    const waiting = await submitted({ fleetId, waves: soaked(100) });
    const breakGlass = (who: Person, reason: string) =>
      store.on(who, 'breakGlass', waiting, `reason: "${reason}"`);
    expect(await breakGlass(store.planner, ' ')).toMatchObject({
      __typename: 'Invalid',
      problems: [{ path: 'reason' }],
    });
    expect(await breakGlass(store.approver, 'x')).toMatchObject({ __typename: 'Forbidden' });
    expect(await breakGlass(store.planner, 'the lab burns')).toMatchObject({ state: 'SCHEDULED' });
    await store.until(waiting, ({ state }) => state === 'COMPLETED');
    expect(await field(waiting, 'breakGlassReason')).toEqual({ breakGlassReason: 'the lab burns' });
    const told = (await eventsOf(waiting)).find(({ kind }) => kind === 'break-glass');
    expect(told?.detail).toMatchObject({
      actor: `person:${store.planner.personId}`,
      cause: 'started without approval: the lab burns',
    });
  });

  it('a stop pauses what is in its scope; it goes on with the stop lifted, the evidence named, and another person', async () => {
    const { fleetId } = await group(4);
    const beside = await group(2);
    const rollout = await store.approved({ fleetId, waves: manual(50, 100) });
    const other = await store.approved({ fleetId: beside.fleetId, waves: manual(50, 100) });
    for (const each of [rollout, other])
      await store.until(each, ({ waves: [wave] }) => wave?.state === 'OPEN');
    const stop = await store.planner.act(
      `stop(brand: "${store.brand}", input: {scope: fleet, fleetId: "${fleetId}", level: 1, reason: "smoke"})`,
      '... on EmergencyStop { id }',
    );
    await store.until(rollout, ({ state }) => state === 'PAUSED');
    expect(await store.read(other)).toMatchObject({ state: 'ACTIVE' });
    const next = await store.approved({
      fleetId,
      revision: 3,
      supersedes: rollout.id,
      waves: soaked(100),
    });
    const { pause } = await field<{
      pause: { isAutomatic: boolean; evidence: unknown; evidenceHash: string };
    }>(rollout, 'pause { isAutomatic cause evidence evidenceHash }');
    expect(pause).toMatchObject({
      isAutomatic: true,
      evidence: { stops: [{ id: stop.id, reason: 'smoke' }] },
    });
    const resume = (who: Person, more = ''): Promise<RolloutAnswer> =>
      store.on(who, 'resumeRollout', rollout, more);
    const naming = `acknowledges: "${pause.evidenceHash}"`;
    expect(await resume(store.planner, naming)).toMatchObject({
      __typename: 'Conflict',
      message: 'cannot resume while stopped: smoke',
    });
    // What would start meanwhile waits as well.
    expect(await store.read(next)).toMatchObject({ state: 'SCHEDULED' });
    await store.on(store.planner, 'abortRollout', next);
    await second.act(`liftStop(brand: "${store.brand}", id: "${stop.id ?? ''}", reason: "out")`);
    expect(await resume(store.planner)).toMatchObject({
      __typename: 'Invalid',
      problems: [{ path: 'acknowledges' }],
    });
    expect(await resume(store.planner, `acknowledges: "${'0'.repeat(64)}"`)).toMatchObject({
      __typename: 'Conflict',
    });
    expect(await resume(store.planner, naming)).toMatchObject({ __typename: 'Forbidden' });
    expect(await approve(store.planner, rollout)).toMatchObject({ __typename: 'Forbidden' });
    expect(await approve(second, rollout)).toMatchObject({ state: 'PAUSED' });
    // Who approved is not the one who resumes.
    expect(await resume(second, naming)).toMatchObject({ __typename: 'Forbidden' });
    expect(await resume(store.planner, naming)).toMatchObject({ state: 'ACTIVE' });
    const resumed = (await store.read(rollout)).transitions.at(-1);
    expect(resumed?.evidence).toMatchObject({
      acknowledges: pause.evidenceHash,
      approvedBy: [second.personId],
    });
    const kinds = (await events())
      .filter(
        ({ subject, detail }) =>
          [`stop:${stop.id ?? ''}`, `rollout:${rollout.id}`].includes(subject) && detail !== null,
      )
      .map(({ kind }) => kind);
    expect(kinds).toEqual([
      'approval-requested',
      'approval-decided',
      'rollout-state',
      'rollout-state',
      'wave-opened',
      'stop-engaged',
      'auto-paused',
      'stop-lifted',
      'approval-decided',
      'rollout-state',
    ]);
    for (const each of [rollout, other]) await store.on(store.planner, 'abortRollout', each);
  });

  it('U56 aborted at 50 %: nobody moves any more, those left on the target are counted, and the next release takes them along', async () => {
    const { fleetId, uids } = await group(10);
    const rollout = await store.approved({ fleetId, waves: manual(50, 100) });
    await store.until(rollout, ({ waves: [wave] }) => wave?.state === 'OPEN');
    await store.settled();
    const admitted = await store.movedTo(2, uids);
    expect(admitted).toHaveLength(5);
    await store.setInstalled(admitted.slice(0, 3), 'acme-dashboard', 2);
    const stranded = () => field(rollout, 'strandedOnTarget');
    expect(await stranded()).toEqual({ strandedOnTarget: null });
    await store.on(store.planner, 'abortRollout', rollout);
    await store.settled();
    expect(await store.movedTo(1, uids)).toEqual([]);
    expect(await store.movedTo(2, uids)).toEqual([]);
    expect(await stranded()).toEqual({ strandedOnTarget: 3 });
    const next = await store.approved({ fleetId, revision: 3, waves: soaked(100) });
    await store.until(next, ({ state }) => state === 'COMPLETED');
    await store.settled();
    expect(await store.movedTo(3, uids)).toHaveLength(10);
    await store.setInstalled(uids, 'acme-dashboard', 3);
    expect(await stranded()).toEqual({ strandedOnTarget: 0 });
  });

  it('U51 an approved plan whose fleet grew by more than it allows goes back to approval, with an alarm', async () => {
    const [much, little] = [await group(10), await group(10)];
    const input = {
      startAt: new Date(Date.now() + 4_000).toISOString(),
      maxGrowthPercent: 20,
      waves: soaked(100),
    };
    const [grown, same] = [
      await store.approved({ ...input, fleetId: much.fleetId }),
      await store.approved({ ...input, fleetId: little.fleetId }),
    ];
    await store.addDevices(3, { group: much.tag }, 'acme-dashboard');
    await store.addDevices(2, { group: little.tag }, 'acme-dashboard');
    // The state is read before the transitions: both must be there.
    const back = await store.until(
      grown,
      (now) => now.state === 'PENDING_APPROVAL' && causes(now).some((of) => of.includes('grew')),
    );
    const evidence = { approved: 10, population: 13 };
    expect(back.transitions.at(-1)?.evidence).toEqual(evidence);
    const alarm = (await eventsOf(grown)).find(({ kind }) => kind === 'impact-grew');
    expect(alarm?.detail).toMatchObject({ evidence, to: 'PENDING_APPROVAL' });
    await store.settled();
    expect(await store.movedTo(2, much.uids)).toEqual([]);
    await store.until(same, ({ state }) => state === 'COMPLETED');
    expect(await approve(store.approver, back)).toMatchObject({ state: 'SCHEDULED' });
    await store.until(grown, ({ state }) => state === 'COMPLETED');
  });

  it('lists rollouts newest first, page by page, each once', async () => {
    interface Page {
      readonly edges: readonly {
        readonly node: { readonly id: string; readonly createdAt: string };
      }[];
      readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
    }
    const page = async (first: number, after: string | null): Promise<Page> =>
      (
        await store.planner.ask<{ rollouts: Page }>(
          `rollouts(brand: "${store.brand}", first: ${first}, after: ${JSON.stringify(after)}) {
            edges { node { id createdAt } } pageInfo { hasNextPage endCursor } }`,
        )
      ).rollouts;
    const all = (await page(500, null)).edges.map(({ node }) => node);
    expect(all.length).toBeGreaterThan(4);
    expect(all.map((one) => one.createdAt)).toEqual(
      all
        .map((one) => one.createdAt)
        .sort()
        .reverse(),
    );
    const found: string[] = [];
    for (let after: string | null = null, more = true; more;) {
      const { edges, pageInfo }: Page = await page(3, after);
      found.push(...edges.map(({ node }) => node.id));
      [after, more] = [pageInfo.endCursor, pageInfo.hasNextPage];
    }
    expect(found).toEqual(all.map(({ id }) => id));
    await expect(page(3, 'bm9uc2Vuc2U')).rejects.toThrow(/cursor/);
  });

  it('tells everything once, numbered without gaps', async () => {
    const all = await events();
    expect(all.map(({ seq }) => seq)).toEqual(all.map((_, index) => index + 1));
    expect(await events(all.length - 2)).toEqual(all.slice(-2));
    const { rows } = await store.owner.query<{ transitions: string; told: string }>(
      `SELECT (SELECT count(*) FROM store.rollout_transitions WHERE from_state IS NOT NULL) AS transitions,
         (SELECT count(*) FROM store.brand_events WHERE detail ? 'from') AS told`,
    );
    expect(rows[0]?.told).toBe(rows[0]?.transitions);
  });
});
