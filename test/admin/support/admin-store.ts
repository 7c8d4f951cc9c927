import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import { GraphQLClient } from '../../../tools/clients/graphql.js';
import { Publisher } from '../../../tools/clients/publisher.js';
import type { Installation, InstallationOptions } from '../../../tools/installation/index.js';
import { startStore } from '../../support/store.js';

export const SNAPS = join(import.meta.dirname, '../../snaps');
export const REFUSALS = `... on Invalid { message problems { path message } } ... on Forbidden { message }
  ... on NotFound { message } ... on Conflict { message current }`;
export const ROLLOUT = `__typename ... on Rollout { id title state rev planHash
  waves { no state threshold population k } transitions { seq fromState toState actor cause evidence } } ${REFUSALS}`;

/** What a mutation answered: the thing itself, or a refusal. */
export interface Result {
  readonly __typename: string;
  readonly message?: string;
  readonly problems?: readonly { path: string; message: string }[];
  readonly current?: Readonly<Record<string, unknown>>;
  readonly id?: string;
  readonly [field: string]: unknown;
}

export interface RolloutAnswer extends Result {
  readonly id: string;
  readonly state: string;
  readonly rev: number;
  readonly planHash: string;
  readonly waves: readonly {
    no: number;
    state: string;
    threshold: number | null;
    population: number | null;
    k: number | null;
  }[];
  readonly transitions: readonly {
    seq: number;
    fromState: string | null;
    toState: string;
    actor: string;
    cause: string;
    evidence: Record<string, unknown>;
  }[];
}

/** Somebody at the store's GraphQL, in their own words. */
export class Person {
  constructor(
    readonly graphql: GraphQLClient,
    readonly token: string,
    readonly personId: string,
    readonly password: string,
    readonly email: string,
  ) {}

  /** One mutation with literal arguments; answers the result, refused or not. */
  async act<T extends Result = Result>(call: string, selection = '__typename'): Promise<T> {
    const document = `mutation { result: ${call} { __typename ${selection} ${REFUSALS} } }`;
    return (await this.graphql.run<{ result: T }>(document)).result;
  }

  async rollout(call: string): Promise<RolloutAnswer> {
    return (
      await this.graphql.run<{ result: RolloutAnswer }>(
        `mutation { result: ${call} { ${ROLLOUT} } }`,
      )
    ).result;
  }

  async ask<T>(query: string): Promise<T> {
    return this.graphql.run<T>(`query { ${query} }`);
  }
}

/** A value as a GraphQL literal. */
export function literal(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`;
  if (value instanceof Enum) return value.name;
  if (value !== null && typeof value === 'object')
    return `{${Object.entries(value)
      .map(([name, member]) => `${name}: ${literal(member)}`)
      .join(', ')}}`;
  return JSON.stringify(value);
}

/** A name of an enum, which is no text in GraphQL. */
export class Enum {
  constructor(readonly name: string) {}
}

/** A store with API and worker as real processes, a brand with people, and a snap with three revisions; 1 is on stable. */
export class AdminStore {
  operator!: Person;
  planner!: Person;
  approver!: Person;
  brand = '';
  publisher!: Publisher;

  private constructor(
    readonly installation: Installation,
    readonly owner: Client,
  ) {}

  static async start(options: Partial<InstallationOptions> = {}): Promise<AdminStore> {
    const installation = await startStore({
      apps: ['store-api', 'worker'],
      ...options,
      env: { KEY_BITS: '2048', ...options.env },
    });
    const owner = new Client({ connectionString: installation.databaseUrls.owner });
    await owner.connect();
    const store = new AdminStore(installation, owner);
    store.operator = await store.login(
      installation.store.operatorEmail,
      installation.store.password ?? '',
    );
    store.brand = await store.createBrand('acme');
    store.planner = await store.addPerson('paula@acme.example', [
      'admin',
      'releaser',
      'operator',
      'publisher',
    ]);
    store.approver = await store.addPerson('aron@acme.example', ['approver']);
    return store;
  }

  async stop(): Promise<void> {
    await this.owner.end();
    await this.installation.stop();
  }

  get anonymous(): GraphQLClient {
    return new GraphQLClient(`${this.installation.storeUrl}/graphql`);
  }

  async login(email: string, password: string): Promise<Person> {
    const { login } = await this.anonymous.run<{ login: { token: string; personId: string } }>(
      `mutation ($email: String!, $password: String!) { login(email: $email, password: $password) {
        ... on Session { token personId } } }`,
      { email, password },
    );
    return new Person(this.anonymous.as(login.token), login.token, login.personId, password, email);
  }

  async createBrand(username: string): Promise<string> {
    const made = await this.operator.act(
      `createBrand(input: {username: "${username}", displayName: "${username}", validation: verified, firstStore: {name: "main"}})`,
      '... on Brand { id }',
    );
    return made.id ?? '';
  }

  async addPerson(email: string, roles: readonly string[], brand = this.brand): Promise<Person> {
    const password = randomBytes(12).toString('base64url');
    const input = {
      email,
      displayName: email,
      roles: roles.map((role) => new Enum(role)),
      password,
    };
    await this.operator.act(`addPerson(brand: "${brand}", input: ${literal(input)})`);
    return this.login(email, password);
  }

  /** Registers a snap and uploads its sample files as revisions 1, 2, …; the first goes to stable. */
  async publish(name: string, revisions: number): Promise<void> {
    this.publisher = new Publisher(this.installation.storeUrl);
    await this.publisher.login(this.planner.email, this.planner.password);
    await this.publisher.register(name);
    for (let no = 1; no <= revisions; no += 1) {
      const channels = no === 1 ? ['stable'] : [];
      const { revision, problems } = await this.publisher.upload(
        name,
        join(SNAPS, `${name}_${no}.snap`),
        channels,
      );
      if (revision !== no) throw new Error(`cannot publish ${name}: ${problems.join('; ')}`);
    }
  }

  /** Devices of the brand with the snap installed, as their sessions and polls would have left them. */
  async addDevices(
    count: number,
    tags: Record<string, string>,
    snap?: string,
    revision = 1,
  ): Promise<string[]> {
    const uids = Array.from({ length: count }, () => randomUUID());
    const snapId = snap === undefined ? null : await this.snapId(snap);
    await this.owner.query(
      `INSERT INTO store.devices (uid, brand_id, model, serial, device_key_id, architecture, tags, serial_authority_id, store_id)
       SELECT uid, $2, 'acme-device-1', 'serial-' || uid, 'key', 'amd64', $3, $2,
         (SELECT id FROM store.brand_stores WHERE brand_id = $2 LIMIT 1) FROM unnest($1::uuid[]) AS uid`,
      [uids, this.brand, tags],
    );
    if (snapId !== null)
      await this.owner.query(
        `INSERT INTO store.device_facts (device_uid, brand_id, facts, facts_hash, seen_at)
         SELECT uid, $2, $3, 'test', app.now() FROM unnest($1::uuid[]) AS uid`,
        [
          uids,
          this.brand,
          {
            snapdVersion: '2.77',
            architecture: 'amd64',
            snaps: {
              [snapId]: {
                snapId,
                revision,
                channel: 'latest/stable',
                epoch: { read: [0], write: [0] },
              },
            },
          },
        ],
      );
    return uids;
  }

  /** The devices report another revision of the snap. */
  async setInstalled(uids: readonly string[], snap: string, revision: number): Promise<void> {
    await this.owner.query(
      `UPDATE store.device_facts SET facts = jsonb_set(facts, ARRAY['snaps', $2, 'revision'], to_jsonb($3::int))
       WHERE device_uid = ANY($1::uuid[])`,
      [uids, await this.snapId(snap), revision],
    );
  }

  async snapId(name: string): Promise<string> {
    const { rows } = await this.owner.query<{ id: string }>(
      'SELECT id FROM store.snaps WHERE name = $1',
      [name],
    );
    return rows[0]?.id ?? '';
  }

  async createFleet(
    name: string,
    priority: number,
    tag: readonly [string, string],
  ): Promise<string> {
    const predicate = { fact: `tag:${tag[0]}`, equals: tag[1] };
    const fleet = await this.planner.act(
      `createFleet(brand: "${this.brand}", input: ${literal({ name, priority, predicate })})`,
      '... on Fleet { id }',
    );
    if (fleet.id === undefined) throw new Error(`cannot make fleet: ${JSON.stringify(fleet)}`);
    return fleet.id;
  }

  createRollout(input: Record<string, unknown>, who = this.planner): Promise<RolloutAnswer> {
    const said = {
      title: 'a rollout',
      snap: 'acme-dashboard',
      channel: 'latest/stable',
      revision: 2,
      ...input,
    };
    return who.rollout(`createRollout(brand: "${this.brand}", input: ${literal(said)})`);
  }

  on(who: Person, mutation: string, rollout: { id: string }, more = ''): Promise<RolloutAnswer> {
    return who.rollout(
      `${mutation}(brand: "${this.brand}", id: "${rollout.id}"${more && `, ${more}`})`,
    );
  }

  /** Created, submitted, and approved by the second person. */
  async approved(input: Record<string, unknown>): Promise<RolloutAnswer> {
    const created = await this.createRollout(input);
    if (created.__typename !== 'Rollout')
      throw new Error(`cannot create: ${JSON.stringify(created)}`);
    const { planHash } = await this.on(this.planner, 'submitRollout', created);
    return this.on(this.approver, 'approveRollout', created, `planHash: "${planHash}"`);
  }

  async read(rollout: { id: string }): Promise<RolloutAnswer> {
    const { rollout: found } = await this.planner.ask<{ rollout: RolloutAnswer }>(
      `rollout(brand: "${this.brand}", id: "${rollout.id}") { id state rev planHash waves { no state threshold population k }
        transitions { seq fromState toState actor cause evidence } }`,
    );
    return found;
  }

  async until(
    rollout: { id: string },
    isSo: (now: RolloutAnswer) => boolean,
    limitMs = 20_000,
  ): Promise<RolloutAnswer> {
    for (const end = Date.now() + limitMs; ; await sleep(50)) {
      const now = await this.read(rollout);
      if (isSo(now)) return now;
      if (Date.now() > end) throw new Error(`cannot wait any longer: ${JSON.stringify(now)}`);
    }
  }

  /** Waits until a worker has seen that the lease is running out. */
  async leaseExtended(rollout: { id: string }, limitMs = 20_000): Promise<void> {
    for (const end = Date.now() + limitMs; ; await sleep(100)) {
      const { rows } = await this.owner.query<{ ok: boolean }>(
        `SELECT lease_until > app.now() + interval '10 minutes' AS ok FROM store.rollouts WHERE id = $1`,
        [rollout.id],
      );
      if (rows[0]?.ok === true) return;
      if (Date.now() > end) throw new Error('cannot wait any longer for the lease');
    }
  }

  explain(uid: string, snap = 'acme-dashboard'): Promise<Explanation> {
    return this.planner
      .ask<{ explainDevice: Explanation }>(
        `explainDevice(brand: "${this.brand}", device: "${uid}", snap: "${snap}") { outcome revision policyVersion fleets { name } reasons { code rule detail } }`,
      )
      .then((answer) => answer.explainDevice);
  }

  /** Those of the devices that a poll at this moment would bring to the revision. */
  async movedTo(revision: number, uids: readonly string[]): Promise<string[]> {
    const moved: string[] = [];
    for (const uid of uids) {
      const { outcome, revision: offered } = await this.explain(uid);
      if (outcome === 'UPDATE' && offered === revision) moved.push(uid);
    }
    return moved;
  }

  /** Waits until the store decides on the policy that was last changed. */
  async settled(limitMs = 60_000): Promise<void> {
    for (const end = Date.now() + limitMs; ; await sleep(50)) {
      const { rows } = await this.owner.query<{ behind: boolean }>(
        `SELECT v.version > coalesce((SELECT max(version) FROM store.policy_snapshots s WHERE s.brand_id = v.brand_id), 0) AS behind
         FROM store.policy_versions v WHERE v.brand_id = $1`,
        [this.brand],
      );
      if (rows[0]?.behind === false) break;
      if (Date.now() > end) throw new Error('cannot wait any longer for the policy');
    }
    // An answer for people has the API look for the newest first, and devices get that one from then on.
    const { rows } = await this.owner.query<{ id: string }>(
      `SELECT id FROM store.brand_stores WHERE brand_id = $1 LIMIT 1`,
      [this.brand],
    );
    await this.planner.ask(
      `storeSnaps(brand: "${this.brand}", store: "${rows[0]?.id}", first: 1) { edges { cursor } }`,
    );
    // Other processes of the store take it when they are told of it.
    await sleep(150);
  }
}

export interface Explanation {
  readonly outcome: string;
  readonly revision: number | null;
  readonly policyVersion: number;
  readonly fleets: readonly { name: string }[];
  readonly reasons: readonly {
    code: string;
    rule: unknown;
    detail: Record<string, unknown> | null;
  }[];
}
