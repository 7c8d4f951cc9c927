import { createHash, randomBytes } from 'node:crypto';
import {
  formatToken,
  hashPassword,
  ROLES,
  SALT_BYTES,
  TOKEN_RANDOM_BYTES,
  type Role,
} from '#libs/auth';
import { Device, Membership, Person, SnapRevision, Token } from '#libs/database';
import { GraphQLClient, taken } from '../../tools/clients/graphql.js';
import { Publisher } from '../../tools/clients/publisher.js';
import type { DeviceStore, TestBrand, TestSnap } from '../device/support/device-store.js';
import type { Headers, Login } from './side.js';
import type { Kind } from './things.js';

const PASSWORD = 'long enough, I say';
const DAY_MS = 86_400_000;
const REFUSED =
  '... on Invalid { message } ... on Forbidden { message } ... on NotFound { message } ... on Conflict { message }';

type StoreKind = Exclude<
  Kind,
  | 'word'
  | 'brand'
  | 'store'
  | 'keyId'
  | 'model'
  | 'serial'
  | 'deviceKey'
  | 'signingKey'
  | 'apiKey'
  | 'vaultToken'
  | 'vaultMember'
  | 'pending'
  | 'remodel'
>;

interface SideAtStore {
  readonly things: Readonly<Record<StoreKind, string>>;
  readonly logins: Readonly<
    Record<Extract<Login, 'person' | 'viewer' | 'token' | 'publisher'>, Headers>
  >;
  readonly newGuest: () => Promise<Headers>;
}

interface Member {
  readonly personId: string;
  readonly session: string;
  readonly headers: Headers;
}

/** What a brand has at the store: of every kind of thing one, and somebody for every kind of login. */
export class StoreSide {
  constructor(
    private readonly store: DeviceStore,
    private readonly brand: TestBrand,
    private readonly word: string,
  ) {}

  async make(third: TestBrand): Promise<SideAtStore> {
    const { store, brand, word } = this;
    const snap = await store.snap(brand, `${word}-tool`, { isPrivate: true });
    const bytes = await store.revision(snap, 1);
    await store.revision(snap, 2);
    await store.release(snap, 1);
    const boss = await this.member('boss', ROLES);
    const viewer = await this.member('view', ['viewer']);
    const guest = await this.member('guest', ['viewer']);
    const made = await this.made(boss, third);
    const publisher = new Publisher(store.url);
    await publisher.login(`boss@${word}.example`, PASSWORD);
    await store.compile(brand);
    return {
      things: {
        snap: snap.name,
        snapId: snap.id,
        sha3: createHash('sha3-384').update(bytes).digest('base64url'),
        person: boss.personId,
        email: `boss@${word}.example`,
        session: boss.session,
        ...(await this.rows(snap)),
        ...made.ids,
      },
      logins: {
        person: boss.headers,
        viewer: viewer.headers,
        token: { authorization: `Bearer ${made.secret}` },
        publisher: { authorization: publisher.authorization },
      },
      newGuest: async () => (await this.session(guest.personId)).headers,
    };
  }

  /** As an invitation and a login would leave them. */
  private async member(name: string, roles: readonly Role[]): Promise<Member> {
    const email = `${name}@${this.word}.example`;
    const passwordHash = await hashPassword(PASSWORD, randomBytes(SALT_BYTES));
    const personId = await this.store.resources.db.asSystem(async (tx) => {
      const { id } = await tx.save(tx.create(Person, { email, displayName: email, passwordHash }));
      const rows = roles.map((role) => ({
        brandId: this.brand.id,
        personId: id,
        role,
        limits: {},
      }));
      await tx.insert(Membership, rows);
      return id;
    });
    return { personId, ...(await this.session(personId)) };
  }

  private session(personId: string): Promise<{ session: string; headers: Headers }> {
    const secret = formatToken('session', randomBytes(TOKEN_RANDOM_BYTES));
    const values = {
      kind: 'session' as const,
      secretHash: secret.hash,
      personId,
      expiresAt: new Date(Date.now() + DAY_MS),
    };
    return this.store.resources.db.asSystem(async (tx) => {
      const { id } = await tx.save(tx.create(Token, values));
      return { session: id, headers: { authorization: `Bearer ${secret.text}` } };
    });
  }

  /** What people make. */
  private async made({ headers }: Member, third: TestBrand) {
    const { word, store, brand } = this;
    const client = new GraphQLClient(`${store.url}/graphql`).as(
      (headers['authorization'] ?? '').replace('Bearer ', ''),
    );
    const make = async (call: string, type: string, more = ''): Promise<Made> => {
      const document = `mutation ($brand: ID!) { made: ${call} { __typename ... on ${type} { id ${more} } ${REFUSED} } }`;
      return taken((await client.run<{ made: Made }>(document, { brand: brand.id })).made);
    };
    const snap = `snap: "${word}-tool"`;
    const reason = `reason: "${word} says so"`;
    const predicate = `predicate: {fact: "tag:site", equals: "${word}"}`;
    const { id: fleet } = await make(
      `createFleet(brand: $brand, input: {name: "${word} lab", priority: 1, ${predicate}})`,
      'Fleet',
    );
    const roles = '[viewer, operator, auditor, releaser]';
    const token = await make(
      `createApiToken(brand: $brand, input: {description: "${word} ci", expiresInDays: 1, roles: ${roles}})`,
      'ApiToken',
      'secret',
    );
    const lane = `${snap}, channel: "latest/stable"`;
    const calls: Readonly<Record<string, readonly [string, string]>> = {
      hold: [
        `hold(brand: $brand, input: {${snap}, until: "2999-01-01T00:00:00Z", ${reason}})`,
        'Hold',
      ],
      pin: [
        `pin(brand: $brand, input: {${snap}, revision: 1, fleetId: "${fleet}", ${reason}})`,
        'Pin',
      ],
      floor: [`setFloor(brand: $brand, input: {${lane}, revision: 1, ${reason}})`, 'Floor'],
      stop: [
        `stop(brand: $brand, input: {scope: fleet, fleetId: "${fleet}", level: 1, ${reason}})`,
        'EmergencyStop',
      ],
      rollout: [
        `createRollout(brand: $brand, input: {title: "${word} two", ${lane}, revision: 2, fleetId: "${fleet}"})`,
        'Rollout',
      ],
      licence: [
        `grantLicence(brand: $brand, ${snap}, ${reason}, input: {store: "${third.storeId}"})`,
        'Licence',
      ],
      webhook: [
        `createWebhook(brand: $brand, input: {url: "https://${word}.example/hook"})`,
        'WebhookWithSecret',
      ],
      credentials: [
        `createPublisherCredentials(brand: $brand, input: {description: "${word} build", days: 1})`,
        'PublisherCredentials',
      ],
    };
    const ids: Record<string, string> = { fleet, token: token.id };
    for (const [kind, [call, type]] of Object.entries(calls))
      ids[kind] = (await make(call, type)).id;
    return { ids: ids as Record<MadeKind, string>, secret: token.secret };
  }

  /** Ids that no route tells. */
  private rows(snap: TestSnap): Promise<Record<'device' | 'upload' | 'blob', string>> {
    const brandId = this.brand.id;
    return this.store.resources.db.asSystem(async (tx) => {
      const { uid } = await tx.findOneByOrFail(Device, { brandId });
      const row = await tx.findOneByOrFail(SnapRevision, { snapId: snap.id, revision: 1 });
      return { device: uid, upload: row.uploadId, blob: row.blobId };
    });
  }
}

interface Made {
  readonly id: string;
  readonly secret: string;
}

type MadeKind =
  | 'fleet'
  | 'token'
  | 'credentials'
  | 'hold'
  | 'pin'
  | 'floor'
  | 'stop'
  | 'rollout'
  | 'licence'
  | 'webhook';
