import { randomBytes, randomUUID } from 'node:crypto';
import { hashPassword, SALT_BYTES } from '#libs/auth';
import {
  Device,
  Membership,
  Person as PersonRow,
  Wave,
  type Role,
  type Snap,
} from '#libs/database';
import { RolloutProgressService } from '#libs/operations';
import { GraphQLClient } from '../../../tools/clients/graphql.js';
import { AdminModule } from '../../../apps/store-api/src/admin/admin.module.js';
import { DeviceStore, type TestBrand, type TestSnap } from '../../device/support/device-store.js';
import {
  SCHEDULED,
  contextOf,
  refresh,
  sessionHeader,
  type WireResult,
} from '../../device/support/refreshing.js';
import { makeDevice, type DeviceChange } from '../../device/support/test-device.js';
import { literal, Person, type Result, type RolloutAnswer } from './admin-store.js';

export interface SteeredDevice {
  readonly uid: string;
  readonly headers: Record<string, string>;
}

/**
 * Both faces of a store in this process, the brand's GraphQL and the devices' wire, over real Postgres and files. What the
 * worker does is done at once: rollouts are ticked and policies compiled when the test says so.
 */
export class SteeredStore {
  private constructor(
    readonly wire: DeviceStore,
    readonly brand: TestBrand,
    readonly planner: Person,
    readonly approver: Person,
  ) {}

  static async start(): Promise<SteeredStore> {
    const wire = await DeviceStore.start({}, [AdminModule]);
    const brand = await wire.brand('acme');
    const planner = await login(wire, brand, ['admin', 'releaser', 'operator', 'publisher']);
    return new SteeredStore(wire, brand, planner, await login(wire, brand, ['approver']));
  }

  stop(): Promise<void> {
    return this.wire.stop();
  }

  get url(): string {
    return this.wire.url;
  }

  /** A mutation of the planner's with an `input`. */
  act(name: string, input: object, selection = '', args = ''): Promise<Result> {
    const call = `${name}(brand: "${this.brand.id}", ${args && `${args}, `}input: ${literal(input)})`;
    return this.planner.act(call, selection);
  }

  /** A mutation with plain arguments. */
  call(name: string, args: object, selection = '', who = this.planner): Promise<Result> {
    const said = Object.entries({ brand: this.brand.id, ...args });
    const list = said.map(([arg, value]) => `${arg}: ${literal(value)}`).join(', ');
    return who.act(`${name}(${list})`, selection);
  }

  /** What the worker would have done by now. */
  async settle(): Promise<void> {
    await this.wire.compile(this.brand);
  }

  /** A device of the brand with a session; its model is registered by nobody, unless the test does. */
  async device(
    tags: Readonly<Record<string, string>> = {},
    change: DeviceChange = {},
  ): Promise<SteeredDevice> {
    const scripted = await makeDevice(this.wire, this.brand, change);
    await scripted.openSession();
    const { db } = this.wire.resources;
    const row = await db.asSystem((tx) =>
      tx.findOneByOrFail(Device, { brandId: this.brand.id, serial: scripted.serialNumber }),
    );
    if (Object.keys(tags).length > 0)
      await db.asSystem((tx) => tx.update(Device, { uid: row.uid }, { tags }));
    return { uid: row.uid, headers: sessionHeader(scripted.session) };
  }

  async fleet(name: string, priority: number, more: object = {}): Promise<string> {
    const predicate = { fact: 'tag:fleet', equals: name };
    const made = await this.act(
      'createFleet',
      { name, priority, predicate, ...more },
      '... on Fleet { id }',
    );
    if (made.id === undefined) throw new Error(`cannot make fleet: ${JSON.stringify(made)}`);
    return made.id;
  }

  /** A draft with one wave for everybody, unless the input says otherwise. */
  draft(input: object): Promise<RolloutAnswer> {
    const defaults = { title: `rollout ${randomUUID()}`, waves: [{ percent: 100 }] };
    const channel = 'snap' in input && { channel: 'latest/stable' };
    const said = { ...defaults, ...channel, ...input };
    return this.planner.rollout(
      `createRollout(brand: "${this.brand.id}", input: ${literal(said)})`,
    );
  }

  on(who: Person, mutation: string, { id }: { id: string }, more = ''): Promise<RolloutAnswer> {
    return who.rollout(`${mutation}(brand: "${this.brand.id}", id: "${id}"${more && `, ${more}`})`);
  }

  /** Drafted, submitted, approved, and started. */
  async rollout(input: object): Promise<RolloutAnswer> {
    const draft = await this.draft(input);
    if (draft.__typename !== 'Rollout') throw new Error(`cannot draft: ${JSON.stringify(draft)}`);
    const { planHash } = await this.on(this.planner, 'submitRollout', draft);
    const approved = await this.on(
      this.approver,
      'approveRollout',
      draft,
      `planHash: "${planHash}"`,
    );
    if (approved.state !== 'SCHEDULED')
      throw new Error(`cannot start: ${JSON.stringify(approved)}`);
    await this.tick(draft);
    return draft;
  }

  async tick({ id }: { id: string }): Promise<void> {
    const progress = new RolloutProgressService(this.wire.resources);
    await progress.tick(this.brand.id, id);
    const opening = await this.wire.resources.db.asSystem((tx) =>
      tx.findBy(Wave, { rolloutId: id, state: 'OPENING' }),
    );
    for (const { no } of opening) await progress.freeze(this.brand.id, id, no);
    await progress.tick(this.brand.id, id);
    await this.settle();
  }

  /** Why a scheduled poll of the device would be answered as it is. */
  async reasons(uid: string, snap: string): Promise<{ code: string; detail: unknown }[]> {
    await this.wire.services.facts.flush();
    const { explainDevice } = await this.planner.ask<{
      explainDevice: { reasons: { code: string; detail: unknown }[] };
    }>(
      `explainDevice(brand: "${this.brand.id}", device: "${uid}", snap: "${snap}") { reasons { code detail } }`,
    );
    return explainDevice.reasons;
  }

  /** A snap with these revisions, released to stable one after the other. */
  async released(
    name: string,
    revisions: readonly number[],
    change: Partial<Snap> = {},
    revisionChange: Parameters<DeviceStore['revision']>[2] = {},
  ): Promise<TestSnap> {
    const snap = await this.wire.snap(this.brand, name, change);
    const type = change.type ?? 'app';
    for (const revision of revisions) {
      await this.wire.revision(snap, revision, { type, ...revisionChange });
      await this.wire.release(snap, revision);
    }
    await this.settle();
    return snap;
  }

  /** The answer of a scheduled poll for one installed snap, with others beside it in the context. */
  async polled(
    device: SteeredDevice,
    snap: TestSnap,
    revision: number,
    besides: readonly { snap: TestSnap; revision: number }[] = [],
    action: Readonly<Record<string, unknown>> = {},
  ): Promise<WireResult> {
    const others = besides.map((one) => contextOf({ id: one.snap.id, revision: one.revision }));
    const { results } = await refresh(this.url, {
      context: [contextOf({ id: snap.id, revision }), ...others],
      actions: [{ action: 'refresh', 'instance-key': snap.id, 'snap-id': snap.id, ...action }],
      headers: { ...device.headers, ...SCHEDULED },
    });
    const [result] = results;
    if (result === undefined || results.length !== 1) throw new Error(`${results.length} results`);
    return result;
  }

  /** The revision in that answer. */
  async offered(...args: Parameters<SteeredStore['polled']>): Promise<number | undefined> {
    return (await this.polled(...args)).snap?.revision;
  }

  /** The codes of `reasons`. */
  async codes({ uid }: SteeredDevice, snap: TestSnap): Promise<string[]> {
    return (await this.reasons(uid, snap.name)).map(({ code }) => code);
  }
}

/** Somebody with these roles, logged in. */
async function login(wire: DeviceStore, brand: TestBrand, roles: readonly Role[]): Promise<Person> {
  const password = randomBytes(12).toString('base64url');
  const email = `${roles[0]}@acme.example`;
  const passwordHash = await hashPassword(password, randomBytes(SALT_BYTES));
  await wire.resources.db.asSystem(async (tx) => {
    const row = tx.create(PersonRow, { email, displayName: email, passwordHash });
    const { id: personId } = await tx.save(row);
    for (const role of roles) await tx.insert(Membership, { brandId: brand.id, personId, role });
  });
  const anonymous = new GraphQLClient(`${wire.url}/graphql`);
  const { login: session } = await anonymous.run<{ login: { token: string; personId: string } }>(
    `mutation { login(email: "${email}", password: "${password}") { ... on Session { token personId } } }`,
  );
  return new Person(anonymous.as(session.token), session.token, session.personId, password, email);
}
