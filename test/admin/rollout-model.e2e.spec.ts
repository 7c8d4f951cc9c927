import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Person, Rollout, RolloutTransition, Wave } from '#libs/database';
import {
  FleetService,
  OperationError,
  RolloutApprovalService,
  RolloutControlService,
  RolloutCountService,
  RolloutProgressService,
  RolloutService,
  type Principal,
  type RolloutOrder,
} from '#libs/operations';
import { TRANSITIONS, nextState, type RolloutEvent, type RolloutState } from '#libs/update-control';
import { DeviceStore, type TestBrand, type TestSnap } from '../device/support/device-store.js';

const WORDS = [
  'submit',
  'edit',
  'edit-other',
  'withdraw',
  'approve',
  'approve-own',
  'approve-else',
  'reject',
  'break-glass',
  'pause',
  'resume',
  'advance',
  'abort',
  'tick',
] as const;
type Word = (typeof WORDS)[number];

interface Command {
  readonly word: Word;
  /** What the caller believes: the revision as it is, an older one, or nothing. */
  readonly rev: 'current' | 'stale' | 'none';
  /** Said twice at the same instant. */
  readonly isDoubled: boolean;
}

/** What the rollout should be. */
interface Model {
  state: RolloutState;
  rev: number;
  /** The wave that is open, of two; 0: none yet. */
  wave: number;
  isAdvanced: boolean;
  isOther: boolean;
}

const EVENTS: Partial<Record<Word, RolloutEvent>> = {
  submit: 'submit',
  'edit-other': 'edit',
  withdraw: 'withdraw',
  approve: 'approve',
  reject: 'reject',
  'break-glass': 'break-glass',
  pause: 'pause',
  resume: 'resume',
};

/** Moves the model by one command; what the table does not know leaves it as it was. */
function step(model: Model, { word, rev }: Command): void {
  if (word === 'tick') return passTime(model);
  if (rev === 'stale') return;
  if (word === 'advance') {
    if (model.state === 'ACTIVE' && model.wave > 0) model.isAdvanced = true;
    return;
  }
  const isUnderWay = model.state === 'ACTIVE' || model.state === 'PAUSED';
  const event = word === 'abort' ? (isUnderWay ? 'abort' : 'cancel') : EVENTS[word];
  const to = event === undefined ? null : nextState(model.state, event);
  if (to === null) return;
  if (word === 'edit-other') model.isOther = !model.isOther;
  move(model, to);
}

function move(model: Model, to: RolloutState): void {
  model.state = to;
  model.rev += 1;
}

function passTime(model: Model): void {
  if (model.state === 'SCHEDULED') {
    move(model, 'ACTIVE');
    model.wave = 1;
  } else if (model.state === 'ACTIVE' && model.isAdvanced) {
    model.isAdvanced = false;
    model.wave += 1;
    if (model.wave <= 2) return;
    move(model, 'COMPLETING');
    move(model, 'COMPLETED');
  }
}

const command = fc.record({
  word: fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom<Word>('submit', 'approve', 'tick', 'advance') },
    { weight: 2, arbitrary: fc.constantFrom(...WORDS) },
  ),
  rev: fc.constantFrom<Command['rev']>('current', 'current', 'none', 'stale'),
  isDoubled: fc.boolean(),
});
const inTurn = (...words: readonly Word[]): Command[] =>
  words.map((word) => ({ word, rev: 'current', isDoubled: false }));
/** Ways that chance seldom takes to the end. */
const WAYS: readonly Command[][] = [
  inTurn('submit', 'approve', 'tick', 'advance', 'tick', 'advance', 'tick', 'abort'),
  inTurn('submit', 'approve', 'tick', 'pause', 'tick', 'resume', 'pause'),
  inTurn('submit', 'reject', 'submit'),
  inTurn('submit', 'abort', 'approve'),
  inTurn('submit', 'approve', 'abort', 'tick'),
  inTurn('submit', 'break-glass', 'tick', 'pause', 'abort', 'resume'),
];
/** Half of the runs begin where there is most to happen. */
const commands = fc
  .tuple(fc.boolean(), fc.array(command, { minLength: 4, maxLength: 18 }))
  .map(([isLive, rest]): Command[] => [
    ...(isLive ? inTurn('submit', 'approve', 'tick') : []),
    ...rest,
  ]);

describe('rollouts over a real database', () => {
  let store: DeviceStore;
  let owner: Client;
  let brand: TestBrand;
  let snap: TestSnap;
  let author: Principal;
  let approver: Principal;
  let plans: RolloutService;
  let approvals: RolloutApprovalService;
  let control: RolloutControlService;
  let progress: RolloutProgressService;
  let fleets: FleetService;
  let priority = 0;

  beforeAll(async () => {
    store = await DeviceStore.start();
    owner = new Client({ connectionString: store.databaseUrls.owner });
    await owner.connect();
    brand = await store.brand('acme');
    snap = await store.snap(brand, 'dash');
    await store.revision(snap, 1);
    await store.revision(snap, 2);
    await store.release(snap, 1);
    [author, approver] = [await person('author'), await person('approver')];
    plans = new RolloutService(store.resources);
    approvals = new RolloutApprovalService(store.resources);
    control = new RolloutControlService(store.resources);
    progress = new RolloutProgressService(store.resources);
    fleets = new FleetService(store.resources);
  });
  afterAll(async () => {
    await owner?.end();
    await store?.stop();
  });

  async function person(name: string): Promise<Principal> {
    const personId = randomUUID();
    const email = `${name}@acme.example`;
    const row = { id: personId, email, displayName: name, passwordHash: '-' };
    await store.resources.db.asSystem((tx) => tx.insert(Person, row));
    const who = { kind: 'session', tokenId: randomUUID(), isOperator: false } as const;
    return { ...who, personId, email, displayName: name, grants: new Map() };
  }

  async function fleet(tag: string): Promise<string> {
    priority += 1;
    const predicate = { fact: 'tag:group', equals: tag };
    const made = await fleets.create(author, brand.id, {
      name: `${tag} ${priority}`,
      priority,
      predicate,
    });
    return made.id;
  }

  const orderOf = (fleetId: string, percents: readonly number[]): RolloutOrder => ({
    title: 'a model',
    fleetId,
    snap: 'dash',
    channel: 'latest/stable',
    revision: 2,
    promote: 'none',
    waves: percents.map((percent) => ({ percent, soakSeconds: 0, isManual: true })),
  });

  const read = (rolloutId: string) =>
    store.resources.db.asBrand(brand.id, async (tx) => ({
      row: await tx.findOneByOrFail(Rollout, { id: rolloutId }),
      waves: await tx.find(Wave, { where: { rolloutId }, order: { no: 'ASC' } }),
      transitions: await tx.find(RolloutTransition, {
        where: { rolloutId },
        order: { seq: 'ASC' },
      }),
    }));

  /** Everything that is due, with the jobs that count and compile: a rollout settles when its end is compiled. */
  async function tick(rolloutId: string): Promise<void> {
    await new RolloutCountService(store.resources).count(brand.id, rolloutId);
    await progress.tick(brand.id, rolloutId);
    if ((await read(rolloutId)).row.state === 'COMPLETING') {
      await store.compile(brand);
      await progress.tick(brand.id, rolloutId);
    }
    for (const { no, state } of (await read(rolloutId)).waves)
      if (state === 'OPENING') await progress.freeze(brand.id, rolloutId, no);
  }

  async function say(
    rolloutId: string,
    fleetId: string,
    model: Model,
    said: Command,
  ): Promise<void> {
    const expectedRevision = { current: model.rev, stale: model.rev - 1, none: undefined }[
      said.rev
    ];
    const act = { rolloutId, expectedRevision, reason: 'because' };
    const { row } = await read(rolloutId);
    const { planHash } = row;
    const share = model.isOther === (said.word === 'edit') ? 40 : 50;
    const acts: Record<Word, () => Promise<unknown>> = {
      submit: () => plans.submit(author, brand.id, act),
      edit: () => plans.edit(author, brand.id, act, orderOf(fleetId, [share, 100])),
      'edit-other': () => plans.edit(author, brand.id, act, orderOf(fleetId, [share, 100])),
      withdraw: () => plans.withdraw(author, brand.id, act),
      approve: () => approvals.approve(approver, brand.id, { ...act, planHash }),
      'approve-own': () => approvals.approve(author, brand.id, { ...act, planHash }),
      'approve-else': () =>
        approvals.approve(approver, brand.id, { ...act, planHash: 'f'.repeat(64) }),
      reject: () => approvals.reject(approver, brand.id, act),
      'break-glass': () => approvals.breakGlass(author, brand.id, act),
      pause: () => control.pause(author, brand.id, act),
      resume: () => control.resume(author, brand.id, act),
      advance: () => control.advance(author, brand.id, act),
      abort: () => control.abort(author, brand.id, act),
      tick: () => tick(rolloutId),
    };
    const outcomes = await Promise.allSettled(
      Array.from({ length: said.isDoubled ? 2 : 1 }, acts[said.word]),
    );
    for (const outcome of outcomes)
      if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(OperationError);
  }

  it('U47 random commands, doubled and with stale revisions, never leave the table; every transition has actor, cause and evidence', async () => {
    const reached = new Set<string>();
    await fc.assert(
      fc.asyncProperty(commands, async (list) => {
        const fleetId = await fleet('nobody');
        const made = await plans.create(author, brand.id, orderOf(fleetId, [50, 100]));
        const model: Model = { state: 'DRAFT', rev: 1, wave: 0, isAdvanced: false, isOther: false };
        for (const said of list) {
          await say(made.id, fleetId, model, said);
          const first = model.rev;
          step(model, said);
          // Of two at once that believe in one revision the second is stale, and one edit made twice is one edit.
          const isOnce = said.rev === 'current' || said.word === 'edit-other';
          if (said.isDoubled && !(isOnce && model.rev > first)) step(model, said);
          const { row } = await read(made.id);
          expect([said, row.state, row.rev]).toEqual([said, model.state, model.rev]);
        }
        const { row, waves, transitions } = await read(made.id);
        expect(waves.filter(({ state }) => state !== 'WAITING')).toHaveLength(
          Math.min(model.wave, 2),
        );
        expect(transitions.map(({ seq }) => seq)).toEqual(transitions.map((_, index) => index + 1));
        expect(transitions.at(-1)).toMatchObject({ seq: row.rev, toState: row.state });
        transitions.forEach(({ fromState, toState, actor, cause, evidence }, index) => {
          expect(actor).toMatch(/^(person:[0-9a-f-]{36}|job:[a-z-]+)$/);
          expect(cause).not.toBe('');
          expect(Object.keys(evidence as object)).not.toEqual([]);
          expect(fromState).toBe(transitions[index - 1]?.toState ?? null);
          if (index > 0)
            expect(TRANSITIONS).toContainEqual(
              expect.objectContaining({ from: fromState, to: toState }),
            );
          reached.add(`${fromState} ${toState}`);
        });
      }),
      // One who fails here is read, not shrunk: a run costs a second.
      {
        numRuns: 24,
        seed: 20261121,
        endOnFailure: true,
        examples: WAYS.map((way): [Command[]] => [way]),
      },
    );
    // The runs are worth something: they have been nearly everywhere that people and time alone can go.
    expect([...reached].sort()).toEqual(
      expect.arrayContaining([
        'ACTIVE ABORTED',
        'ACTIVE COMPLETING',
        'ACTIVE PAUSED',
        'COMPLETING COMPLETED',
        'DRAFT DRAFT',
        'DRAFT PENDING_APPROVAL',
        'PAUSED ABORTED',
        'PAUSED ACTIVE',
        'PENDING_APPROVAL ABORTED',
        'PENDING_APPROVAL DRAFT',
        'PENDING_APPROVAL REJECTED',
        'PENDING_APPROVAL SCHEDULED',
        'SCHEDULED ABORTED',
        'SCHEDULED ACTIVE',
      ]),
    );
  }, 240_000);

  it('U46 a fleet that is emptied and then gets 10^5 devices at once: an open wave stays, the next one counts them, and what was approved for few is asked again', async () => {
    const addDevices = (count: number, tag: string) =>
      owner.query(
        `INSERT INTO store.devices (brand_id, model, serial, device_key_id, architecture, tags)
         SELECT $1, 'm', gen_random_uuid()::text, 'key', 'amd64', jsonb_build_object('group', $2::text)
         FROM generate_series(1, $3)`,
        [brand.id, tag, count],
      );
    const [running, waiting] = [await fleet('crowd'), await fleet('crowd')];
    await addDevices(10, 'crowd');
    const approved = async (order: RolloutOrder): Promise<string> => {
      const { id: rolloutId } = await plans.create(author, brand.id, order);
      const { planHash } = await plans.submit(author, brand.id, { rolloutId });
      await approvals.approve(approver, brand.id, { rolloutId, planHash });
      return rolloutId;
    };
    const live = await approved(orderOf(running, [20, 50, 100]));
    await tick(live);
    const [opened] = (await read(live)).waves;
    expect(opened).toMatchObject({ state: 'OPEN', population: 10, k: 2 });
    const later = await approved(orderOf(waiting, [50, 100]));

    await owner.query(`UPDATE store.devices SET tags = '{}' WHERE tags ->> 'group' = 'crowd'`);
    await tick(live);
    expect((await read(live)).waves[0]).toEqual(opened);
    await addDevices(100_000, 'elsewhere');
    await owner.query(
      `UPDATE store.devices SET tags = '{"group": "crowd"}' WHERE tags ->> 'group' = 'elsewhere'`,
    );
    await tick(live);
    expect((await read(live)).waves[0]).toEqual(opened);
    await control.advance(author, brand.id, { rolloutId: live });
    await tick(live);
    const [first, next] = (await read(live)).waves;
    expect(first).toMatchObject({ threshold: opened?.threshold, population: 10, k: 2 });
    expect(next).toMatchObject({ state: 'OPEN', population: 100_000, k: 50_000 });

    await tick(later);
    const { row, transitions, waves } = await read(later);
    expect(row.state).toBe('PENDING_APPROVAL');
    expect(transitions.at(-1)?.evidence).toEqual({ approved: 10, population: 100_000 });
    expect(waves.map(({ state }) => state)).toEqual(['WAITING', 'WAITING']);
  }, 240_000);
});
