import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AdminStore, Person, literal, type RolloutAnswer } from './support/admin-store.js';

const manual = (...percents: number[]): object[] =>
  percents.map((percent) => ({ percent, soakSeconds: 0, isManual: true }));
/** Nobody needs to report anything. */
const byTimeAlone = { health: { minSample: 0, coveragePercent: 0 } };
const soaked = (...percents: number[]): object[] =>
  percents.map((percent) => ({ percent, soakSeconds: 0, ...byTimeAlone }));
const states = ({ transitions }: RolloutAnswer): string[] =>
  transitions.map(({ toState }) => toState);

describe('rollouts over HTTP, with the worker', () => {
  let store: AdminStore;
  let groups = 0;

  beforeAll(async () => {
    store = await AdminStore.start();
    await store.publish('acme-dashboard', 3);
  });
  afterAll(() => store?.stop());

  /** A fleet of its own for a test: no two tests share a fleet and a lane. */
  async function group(count: number): Promise<{ fleetId: string; uids: string[]; tag: string }> {
    groups += 1;
    const tag = `group-${groups}`;
    const uids = await store.addDevices(count, { group: tag }, 'acme-dashboard');
    return { fleetId: await store.createFleet(tag, 100 + groups, ['group', tag]), uids, tag };
  }

  it('opens wave after wave, and exactly the devices that a wave admits move', async () => {
    const berlin = await group(40);
    const hamburg = await group(20);
    const rollout = await store.approved({ fleetId: berlin.fleetId, waves: manual(5, 50, 100) });
    expect(rollout).toMatchObject({ state: 'SCHEDULED' });
    let before: string[] = [];
    for (const [index, k] of [2, 20, 40].entries()) {
      const open = await store.until(rollout, ({ waves }) => waves[index]?.state === 'OPEN');
      expect(open.waves[index]).toMatchObject({ k, population: 40 });
      await store.settled();
      const moved = await store.movedTo(2, berlin.uids);
      expect(moved).toHaveLength(k);
      expect(moved).toEqual(expect.arrayContaining(before));
      before = moved;
      expect(await store.movedTo(2, hamburg.uids)).toEqual([]);
      await store.on(store.planner, 'advanceRollout', rollout, `wave: ${index + 1}`);
    }
    const done = await store.until(rollout, ({ state }) => state === 'COMPLETED');
    expect(states(done)).toEqual([
      'DRAFT',
      'PENDING_APPROVAL',
      'SCHEDULED',
      'ACTIVE',
      'COMPLETING',
      'COMPLETED',
    ]);
    await store.settled();
    // Its new devices get the target at once, other fleets stay where they were.
    const [newcomer = ''] = await store.addDevices(1, { group: berlin.tag }, 'acme-dashboard');
    expect(await store.movedTo(2, [newcomer])).toEqual([newcomer]);
    expect(await store.movedTo(2, hamburg.uids)).toEqual([]);
  });

  it('opens waves by itself when their soak is over, and explains who stays', async () => {
    const { fleetId, uids } = await group(20);
    const waves = [
      { percent: 10, soakSeconds: 3, ...byTimeAlone },
      { percent: 100, soakSeconds: 0, ...byTimeAlone },
    ];
    const rollout = await store.approved({ fleetId, waves });
    await store.until(rollout, ({ waves: [first] }) => first?.state === 'OPEN');
    await store.settled();
    const explained = await Promise.all(uids.map((uid) => store.explain(uid)));
    const waiting = explained.filter(({ outcome }) => outcome === 'STAY');
    expect(waiting).toHaveLength(18);
    const [reason] = waiting[0]?.reasons ?? [];
    const told = waiting[0]?.reasons.find(({ code }) => code === 'NOT_IN_WAVE');
    expect(reason).toBeDefined();
    expect(told?.detail).toMatchObject({
      wave: 1,
      bucket: expect.any(Number) as number,
      threshold: expect.any(Number) as number,
    });
    expect(Number(told?.detail?.bucket)).toBeGreaterThanOrEqual(Number(told?.detail?.threshold));
    await store.until(rollout, ({ state }) => state === 'COMPLETED');
  });

  it('U49 nobody approves an own plan: not the author, by no other session or token, and not the last editor', async () => {
    const { fleetId } = await group(5);
    const both = await store.addPerson('both@acme.example', ['admin', 'releaser', 'approver']);
    const again = await store.login(both.email, both.password);
    const input = {
      title: 't',
      snap: 'acme-dashboard',
      channel: 'latest/stable',
      revision: 2,
      fleetId,
      waves: soaked(100),
    };
    const created = await store.createRollout(input, both);
    const { planHash } = await store.on(both, 'submitRollout', created);
    const approve = (who: Person, hash = planHash): Promise<RolloutAnswer> =>
      store.on(who, 'approveRollout', created, `planHash: "${hash}"`);
    const token = async (who: Person): Promise<Person> => {
      const made = await who.act(
        `createApiToken(brand: "${store.brand}", input: {description: "t", roles: [releaser], expiresInDays: 1})`,
        '... on ApiToken { secret }',
      );
      return new Person(store.anonymous.as(String(made.secret)), String(made.secret), '', '', '');
    };
    expect(await approve(both)).toMatchObject({
      __typename: 'Forbidden',
      message: 'cannot approve your own rollout',
    });
    expect(await approve(again)).toMatchObject({ __typename: 'Forbidden' });
    expect(await approve(await token(both))).toMatchObject({ __typename: 'Forbidden' });
    const second = await store.addPerson('second@acme.example', ['admin', 'releaser', 'approver']);
    expect(await approve(await token(second))).toMatchObject({ __typename: 'Forbidden' });
    expect(await approve(second, 'f'.repeat(64))).toMatchObject({ __typename: 'Conflict' });
    await store.on(
      both,
      'editRollout',
      created,
      `input: ${literal({ ...input, includeInstalls: true })}`,
    );
    const edited = await store.on(second, 'editRollout', created, `input: ${literal(input)}`);
    expect(edited).toMatchObject({ state: 'DRAFT' });
    const submitted = await store.on(both, 'submitRollout', created);
    expect(await approve(second, submitted.planHash)).toMatchObject({
      __typename: 'Forbidden',
      message: 'cannot approve a rollout that you edited last',
    });
    expect(await approve(store.approver, submitted.planHash)).toMatchObject({ state: 'SCHEDULED' });
  });

  it('U50 an edited comma voids approvals, an edited title does not', async () => {
    const { fleetId } = await group(5);
    const input = {
      title: 'first',
      snap: 'acme-dashboard',
      channel: 'latest/stable',
      revision: 2,
      fleetId,
      isCritical: true,
      waves: soaked(50, 100),
    };
    const third = await store.addPerson('third@acme.example', ['approver']);
    const created = await store.createRollout(input);
    const { planHash } = await store.on(store.planner, 'submitRollout', created);
    const approve = (who: Person, hash: string): Promise<RolloutAnswer> =>
      store.on(who, 'approveRollout', created, `planHash: "${hash}"`);
    const edit = (change: object): Promise<RolloutAnswer> =>
      store.on(store.planner, 'editRollout', created, `input: ${literal({ ...input, ...change })}`);
    expect(await approve(third, planHash)).toMatchObject({ state: 'PENDING_APPROVAL' });
    expect(await edit({ title: 'second' })).toMatchObject({
      state: 'PENDING_APPROVAL',
      title: 'second',
      planHash,
    });
    expect(await approve(third, planHash)).toMatchObject({
      __typename: 'Forbidden',
      message: 'cannot approve twice',
    });
    const changed = await edit({ waves: soaked(51, 100) });
    expect(changed).toMatchObject({ state: 'DRAFT' });
    expect(changed.planHash).not.toBe(planHash);
    expect(await edit({})).toMatchObject({ state: 'DRAFT', planHash });
    await store.on(store.planner, 'submitRollout', created);
    // The same plan again: what was said of it before does not count.
    expect(await approve(store.approver, planHash)).toMatchObject({ state: 'PENDING_APPROVAL' });
    expect(await approve(third, planHash)).toMatchObject({ state: 'SCHEDULED' });
  });

  it('U48 U103 of two who act on the same revision at the same instant one wins, and the other gets the new state', async () => {
    const { fleetId } = await group(5);
    const rollout = await store.approved({ fleetId, waves: manual(50, 100) });
    const { rev } = await store.until(rollout, ({ waves: [first] }) => first?.state === 'OPEN');
    const answers = await Promise.all([
      store.on(store.planner, 'pauseRollout', rollout, `expectedRevision: ${rev}`),
      store.on(store.planner, 'abortRollout', rollout, `expectedRevision: ${rev}`),
    ]);
    const won = answers.find(({ __typename }) => __typename === 'Rollout');
    const lost = answers.find(({ __typename }) => __typename === 'Conflict');
    expect(lost?.current).toMatchObject({ state: won?.state, rev: won?.rev });
    expect(states(await store.read(rollout))).toHaveLength(5);
  });

  it('U103 whatever is asked of a rollout by a revision that is past is refused with its state of now', async () => {
    const { fleetId } = await group(5);
    const input = { title: 'old', snap: 'acme-dashboard', channel: 'latest/stable', revision: 2 };
    const order = { ...input, fleetId, waves: manual(50, 100) };
    const draft = await store.createRollout(order);
    const { rev, planHash } = await store.on(store.planner, 'submitRollout', draft);
    expect(rev).toBe(draft.rev + 1);
    const { planner, approver } = store;
    for (const [who, mutation, more] of [
      [planner, 'submitRollout', ''],
      [planner, 'editRollout', `, input: ${literal({ ...order, title: 'new' })}`],
      [planner, 'withdrawRollout', ''],
      [approver, 'approveRollout', `, planHash: "${planHash}"`],
      [approver, 'rejectRollout', ''],
      [planner, 'pauseRollout', ''],
      [planner, 'resumeRollout', ''],
      [planner, 'advanceRollout', ', wave: 1'],
      [planner, 'abortRollout', ''],
      [planner, 'breakGlass', ', reason: "it burns"'],
    ] as const) {
      const stale = `expectedRevision: ${draft.rev}${more}`;
      expect(await store.on(who, mutation, draft, stale), mutation).toMatchObject({
        __typename: 'Conflict',
        message: `cannot act on revision ${draft.rev}: the rollout is at ${rev}`,
        current: { state: 'PENDING_APPROVAL', rev },
      });
    }
    expect(await store.read(draft)).toMatchObject({ state: 'PENDING_APPROVAL', rev });
    const renamed = await store.operator.act(
      `updateBrand(brand: "${store.brand}", displayName: "ACME Corp", expectedRevision: 7)`,
    );
    expect(renamed).toMatchObject({ __typename: 'Conflict', current: { displayName: 'acme' } });
  });

  it('a paused rollout admits nobody new and keeps those who moved; resumed it goes on', async () => {
    const { fleetId, uids } = await group(10);
    const rollout = await store.approved({ fleetId, waves: manual(50, 100) });
    await store.until(rollout, ({ waves: [first] }) => first?.state === 'OPEN');
    await store.settled();
    const admitted = await store.movedTo(2, uids);
    expect(admitted).toHaveLength(5);
    await store.setInstalled(admitted.slice(0, 2), 'acme-dashboard', 2);
    expect(
      await store.on(store.planner, 'pauseRollout', rollout, 'reason: "telemetry looks odd"'),
    ).toMatchObject({ state: 'PAUSED' });
    await store.settled();
    expect(await store.movedTo(2, uids)).toEqual([]);
    expect(await store.movedTo(1, uids)).toEqual([]);
    expect(await store.on(store.planner, 'advanceRollout', rollout, 'wave: 1')).toMatchObject({
      __typename: 'Conflict',
    });
    expect(await store.on(store.planner, 'resumeRollout', rollout)).toMatchObject({
      state: 'ACTIVE',
    });
    await store.settled();
    expect((await store.movedTo(2, uids)).sort()).toEqual(admitted.slice(2).sort());
    await store.on(store.planner, 'abortRollout', rollout);
    await store.settled();
    // Aborted: nobody new, nobody back.
    expect(await store.movedTo(2, uids)).toEqual([]);
    expect(await store.movedTo(1, uids)).toEqual([]);
    expect(await store.on(store.planner, 'resumeRollout', rollout)).toMatchObject({
      __typename: 'Conflict',
      current: { state: 'ABORTED' },
    });
  });

  it('U43 a salt that is inherited gives the same first devices', async () => {
    const { fleetId, uids } = await group(30);
    const first = await store.approved({ fleetId, waves: manual(20, 100) });
    await store.until(first, ({ waves: [wave] }) => wave?.state === 'OPEN');
    await store.settled();
    const canaries = (await store.movedTo(2, uids)).sort();
    await store.on(store.planner, 'abortRollout', first);
    const second = await store.approved({
      fleetId,
      revision: 3,
      inheritSaltFrom: first.id,
      waves: manual(20, 100),
    });
    await store.until(second, ({ waves: [wave] }) => wave?.state === 'OPEN');
    await store.settled();
    expect((await store.movedTo(3, uids)).sort()).toEqual(canaries);
    await store.on(store.planner, 'abortRollout', second);
  });

  it('U53 a rollout that supersedes leaves devices on the old target until it admits them, and none goes to the old one any more', async () => {
    const { fleetId, uids } = await group(20);
    const two = await store.approved({ fleetId, waves: manual(25, 100) });
    await store.until(two, ({ waves: [wave] }) => wave?.state === 'OPEN');
    await store.settled();
    const onTwo = await store.movedTo(2, uids);
    await store.setInstalled(onTwo, 'acme-dashboard', 2);
    const three = await store.approved({
      fleetId,
      revision: 3,
      supersedes: two.id,
      waves: manual(10, 100),
    });
    await store.until(three, ({ waves: [wave] }) => wave?.state === 'OPEN');
    expect(await store.read(two)).toMatchObject({ state: 'SUPERSEDED' });
    await store.settled();
    expect(await store.movedTo(2, uids)).toEqual([]);
    expect(await store.movedTo(1, uids)).toEqual([]);
    expect(await store.movedTo(3, uids)).toHaveLength(2);
    await store.on(store.planner, 'advanceRollout', three);
    await store.until(three, ({ waves }) => waves[1]?.state === 'OPEN');
    await store.settled();
    expect(await store.movedTo(3, uids)).toHaveLength(20);
    await store.on(store.planner, 'abortRollout', three);
  });

  it('a second rollout on the same fleet and lane waits for the first', async () => {
    const { fleetId } = await group(4);
    const first = await store.approved({ fleetId, waves: manual(50, 100) });
    await store.until(first, ({ state }) => state === 'ACTIVE');
    const second = await store.approved({ fleetId, revision: 3, waves: soaked(100) });
    await sleep(1_500);
    expect(await store.read(second)).toMatchObject({ state: 'SCHEDULED' });
    await store.on(store.planner, 'abortRollout', first);
    await store.until(second, ({ state }) => state === 'COMPLETED');
  });

  it('U39 a share is never lowered: not in a plan, and not of a rollout that runs, which says what to do instead', async () => {
    const { fleetId } = await group(5);
    const refused = await store.createRollout({ fleetId, waves: soaked(50, 5, 100) });
    expect(refused).toMatchObject({ __typename: 'Invalid' });
    expect(refused.problems?.[0]?.path).toBe('waves[1].percent');
    const rollout = await store.approved({ fleetId, waves: manual(50, 100) });
    await store.until(rollout, ({ waves: [wave] }) => wave?.state === 'OPEN');
    const input = {
      title: 't',
      snap: 'acme-dashboard',
      channel: 'latest/stable',
      revision: 2,
      fleetId,
      waves: manual(5, 100),
    };
    const edited = await store.on(
      store.planner,
      'editRollout',
      rollout,
      `input: ${literal(input)}`,
    );
    expect(edited.__typename).toBe('Conflict');
    expect(edited.message).toContain('abort it and start a new one, with inheritSaltFrom');
    await store.on(store.planner, 'abortRollout', rollout);
  });

  it('U18 refuses a fleet whose predicate reads the revision of the snap that is rolled out', async () => {
    const predicate = { fact: `snap:${await store.snapId('acme-dashboard')}:revision`, equals: 1 };
    const fleet = await store.planner.act(
      `createFleet(brand: "${store.brand}", input: ${literal({ name: 'on-one', priority: 9_000, predicate })})`,
      '... on Fleet { id }',
    );
    const refused = await store.createRollout({ fleetId: fleet.id });
    expect(refused.problems?.map(({ path }) => path)).toEqual(['fleet.predicate']);
  });

  it('says every problem of a plan, with its place', async () => {
    const { fleetId } = await group(3);
    const problems = async (input: object): Promise<string[]> =>
      ((await store.createRollout({ fleetId, ...input })).problems ?? []).map(({ path }) => path);
    expect(await problems({ title: ' ', waves: [{ percent: 0 }, { percent: 50 }] })).toEqual([
      'title',
      'waves[0].percent',
      'waves',
    ]);
    expect(await problems({ revision: 99 })).toEqual(['revision']);
    expect(await problems({ channel: 'a/b/c/d' })).toEqual(['channel']);
    expect(await problems({ waves: [] })).toEqual(['waves']);
    expect(await problems({ expiresAt: '2020-01-01T00:00:00Z' })).toContain('expiresAt');
    expect(await store.createRollout({ fleetId, snap: 'nothing' })).toMatchObject({
      __typename: 'NotFound',
    });
    expect(await store.createRollout({ fleetId: 'no-uuid' })).toMatchObject({
      __typename: 'NotFound',
    });
    expect(await store.createRollout({ fleetId }, store.approver)).toMatchObject({
      __typename: 'Forbidden',
    });
  });

  it('keeps acts to the states that know them', async () => {
    const { fleetId } = await group(3);
    const draft = await store.createRollout({ fleetId, waves: soaked(100) });
    for (const [who, act, more] of [
      [store.planner, 'pauseRollout', ''],
      [store.planner, 'resumeRollout', ''],
      [store.planner, 'abortRollout', ''],
      [store.planner, 'advanceRollout', ''],
      [store.approver, 'approveRollout', `planHash: "${draft.planHash}"`],
      [store.approver, 'rejectRollout', ''],
    ] as const)
      expect(await store.on(who, act, draft, more), act).toMatchObject({
        __typename: 'Conflict',
        current: { state: 'DRAFT' },
      });
    await store.on(store.planner, 'submitRollout', draft);
    expect(
      await store.on(store.approver, 'rejectRollout', draft, 'reason: "not before the fair"'),
    ).toMatchObject({ state: 'REJECTED' });
    expect(await store.on(store.planner, 'submitRollout', draft)).toMatchObject({
      __typename: 'Conflict',
    });
    const { transitions } = await store.read(draft);
    expect(transitions.at(-1)).toMatchObject({
      actor: `person:${store.approver.personId}`,
      cause: 'rejected: not before the fair',
    });
  });

  it('a protected lane is moved by rollouts only, and a selector admits whom it names first', async () => {
    const { fleetId, uids } = await group(10);
    await store.planner.act(
      `setLaneProtected(brand: "${store.brand}", snap: "acme-dashboard", channel: "latest/stable", isProtected: true)`,
    );
    const release = await store.publisher.release('acme-dashboard', 3, ['stable']);
    expect(release.status).toBeGreaterThanOrEqual(400);
    const [lab = ''] = uids;
    await store.planner.act(
      `tagDevice(brand: "${store.brand}", device: "${lab}", tags: {site: "lab"})`,
    );
    const rollout = await store.approved({
      fleetId,
      waves: [
        { selector: { fact: 'tag:site', equals: 'lab' }, soakSeconds: 0, isManual: true },
        ...manual(100),
      ],
    });
    const open = await store.until(rollout, ({ waves: [wave] }) => wave?.state === 'OPEN');
    expect(open.waves[0]).toMatchObject({ k: 1, threshold: null, population: 10 });
    await store.settled();
    expect(await store.movedTo(2, uids)).toEqual([lab]);
    await store.on(store.planner, 'advanceRollout', rollout);
    await store.until(rollout, ({ waves }) => waves[1]?.state === 'OPEN');
    await store.settled();
    expect(await store.movedTo(2, uids)).toHaveLength(10);
    await store.on(store.planner, 'advanceRollout', rollout);
    await store.until(rollout, ({ state }) => state === 'COMPLETED');
  });

  it('writes no row twice and keeps the audit chain whole', async () => {
    const { rows } = await store.owner.query<{ seq: string; hash: string; prev_hash: string }>(
      'SELECT seq, hash, prev_hash FROM store.audit_log WHERE brand_id = $1 ORDER BY seq',
      [store.brand],
    );
    rows.forEach((row, index) => {
      expect(Number(row.seq)).toBe(index + 1);
      if (index > 0) expect(row.prev_hash).toBe(rows[index - 1]?.hash);
    });
    const { rows: waves } = await store.owner.query<{ n: string }>(
      `SELECT count(*) AS n FROM store.audit_log WHERE action = 'wave-frozen' GROUP BY subject, detail ->> 'wave' HAVING count(*) > 1`,
    );
    expect(waves).toEqual([]);
  });
});
