import { randomBytes } from 'node:crypto';
import { type Assertion, signAssertion, type Signer } from '#libs/assertions';
import type { RolloutAccount, RolloutCheck, RolloutView, RolloutWish } from './rollout-answers.js';
import { type GraphQLClient, GraphQLRefusal, taken } from './graphql.js';

export type { RolloutAccount, RolloutView } from './rollout-answers.js';

/** Devices that are tagged by one request. */
const TAGGED_AT_ONCE = 50;
const REFUSALS =
  '... on Invalid { message } ... on Forbidden { message } ... on NotFound { message } ... on Conflict { message }';
const ROLLOUT = 'id title state rev planHash waves { no state threshold population k }';
const FINAL = `${ROLLOUT} fleet { population } progress { no members admitted updated }
  transitions { seq fromState toState actor cause at } pause { isAutomatic evidenceHash }`;

export interface Reason {
  readonly code: string;
  readonly detail: Readonly<Record<string, string | number>> | null;
}

interface DevicePage {
  readonly devices: {
    readonly edges: readonly { readonly node: { readonly uid: string; readonly serial: string } }[];
    readonly pageInfo: { readonly endCursor: string | null; readonly hasNextPage: boolean };
  };
}

export interface Figures {
  readonly devices: number;
  readonly blobs: number;
  readonly blobBytes: number;
  readonly jobsAsked: number;
  readonly jobsWaiting: number;
}

/** A person of the brand (or the operator) at the store's GraphQL. */
export class BrandAdmin {
  private constructor(
    private readonly graphql: GraphQLClient,
    private readonly anonymous: GraphQLClient,
    readonly password: string,
  ) {}

  static async login(graphql: GraphQLClient, email: string, password: string): Promise<BrandAdmin> {
    const { login } = await graphql.run<{ login: { token: string } }>(
      `mutation ($email: String!, $password: String!) {
        login(email: $email, password: $password) { __typename ... on Session { token } ${REFUSALS} }
      }`,
      { email, password },
    );
    return new BrandAdmin(graphql.as(taken(login).token), graphql, password);
  }

  async createBrand(
    username: string,
    displayName: string,
    store: string,
  ): Promise<{ brandId: string; storeId: string }> {
    const created = await this.act<{ id: string; stores: { id: string }[] }>(
      'createBrand(input: $input)',
      '... on Brand { id stores { id } }',
      {
        input: [
          'BrandInput!',
          { username, displayName, validation: 'verified', firstStore: { name: store } },
        ],
      },
    );
    const [first] = created.stores;
    if (!first) throw new Error('cannot use a brand without a store');
    return { brandId: created.id, storeId: first.id };
  }

  /** Adds a person with a password and logs them in. */
  async addPerson(
    brandId: string,
    email: string,
    displayName: string,
    roles: readonly string[],
  ): Promise<BrandAdmin> {
    const password = randomBytes(12).toString('base64url');
    await this.act('addPerson(brand: $brand, input: $input)', '... on Member { personId }', {
      brand: ['ID!', brandId],
      input: ['PersonInput!', { email, displayName, roles, password }],
    });
    return BrandAdmin.login(this.anonymous, email, password);
  }

  async registerModel(brandId: string, model: Assertion): Promise<void> {
    await this.act(
      'registerModel(brand: $brand, assertion: $assertion)',
      '... on Model { model }',
      {
        brand: ['ID!', brandId],
        assertion: ['String!', model.bytes.toString()],
      },
    );
  }

  /** An account-key assertion for the key of an account-key-request, with the assertions it hangs from. */
  async certifyRequest(brandId: string, request: string, constraints?: unknown): Promise<string> {
    const key = await this.act<{ assertion: string }>(
      'certifyAccountKey(brand: $brand, input: $input)',
      '... on AccountKey { assertion }',
      {
        brand: ['ID!', brandId],
        input: ['AccountKeyInput!', { request, ...(constraints !== undefined && { constraints }) }],
      },
    );
    return key.assertion;
  }

  /** Makes the request for a key of one's own and has it certified. */
  async certifyKey(brandId: string, name: string, signer: Signer): Promise<string> {
    const request = await signAssertion(
      {
        type: 'account-key-request',
        headers: {
          'account-id': brandId,
          name,
          'public-key-sha3-384': signer.publicKey.id,
          since: new Date().toISOString().replace(/\.\d+Z$/, 'Z'),
        },
        body: signer.publicKey.encoded,
      },
      signer,
      new Date(),
    );
    return this.certifyRequest(brandId, request.bytes.toString());
  }

  /** The brand's account and account-keys up to the root, as a vault wants them. */
  async accountChain(brandId: string): Promise<string> {
    const { brand } = await this.graphql.run<{ brand: { assertions: string } }>(
      'query ($brand: ID!) { brand(brand: $brand) { assertions } }',
      { brand: brandId },
    );
    return brand.assertions;
  }

  async protectSnap(brandId: string, snap: string): Promise<void> {
    await this.act(
      'setSnapVisibility(brand: $brand, snap: $snap, isPrivate: false, isProtected: true)',
      '... on Snap { id }',
      {
        brand: ['ID!', brandId],
        snap: ['String!', snap],
      },
    );
  }

  async protectLane(brandId: string, snap: string, channel: string): Promise<void> {
    await this.act(
      'setLaneProtected(brand: $brand, snap: $snap, channel: $channel, isProtected: true)',
      '... on Lane { id }',
      {
        brand: ['ID!', brandId],
        snap: ['String!', snap],
        channel: ['String!', channel],
      },
    );
  }

  /** Serial number → uid, of all devices of the brand. */
  async deviceUids(brandId: string): Promise<Map<string, string>> {
    const uids = new Map<string, string>();
    let after: string | null = null;
    do {
      const { devices }: DevicePage = await this.graphql.run<DevicePage>(
        `query ($brand: ID!, $after: String) {
          devices(brand: $brand, first: 100, after: $after) {
            edges { node { uid serial } }
            pageInfo { endCursor hasNextPage }
          }
        }`,
        { brand: brandId, after },
      );
      for (const { node } of devices.edges) uids.set(node.serial, node.uid);
      after = devices.pageInfo.hasNextPage ? devices.pageInfo.endCursor : null;
    } while (after !== null);
    return uids;
  }

  /** Serial number → revision of a snap, as the devices reported last. */
  async installedRevisions(brandId: string, snapId: string): Promise<Record<string, number>> {
    interface Page {
      readonly devices: {
        readonly edges: readonly {
          readonly node: {
            readonly serial: string;
            readonly installed: readonly { readonly snapId: string; readonly revision: number }[];
          };
        }[];
        readonly pageInfo: DevicePage['devices']['pageInfo'];
      };
    }
    const installed: Record<string, number> = {};
    let after: string | null = null;
    do {
      const { devices }: Page = await this.graphql.run<Page>(
        `query ($brand: ID!, $after: String) {
          devices(brand: $brand, first: 100, after: $after) {
            edges { node { serial installed { snapId revision } } }
            pageInfo { endCursor hasNextPage }
          }
        }`,
        { brand: brandId, after },
      );
      for (const { node } of devices.edges)
        installed[node.serial] =
          node.installed.find((snap) => snap.snapId === snapId)?.revision ?? 0;
      after = devices.pageInfo.hasNextPage ? devices.pageInfo.endCursor : null;
    } while (after !== null);
    return installed;
  }

  tagDevice(brandId: string, uid: string, tags: Readonly<Record<string, string>>): Promise<void> {
    return this.tagDevices(brandId, new Map([[uid, tags]]));
  }

  /** Of many devices, some dozens a request. */
  async tagDevices(
    brandId: string,
    tagsOf: ReadonlyMap<string, Readonly<Record<string, string>>>,
  ): Promise<void> {
    const all = [...tagsOf];
    for (let from = 0; from < all.length; from += TAGGED_AT_ONCE) {
      const some = all.slice(from, from + TAGGED_AT_ONCE);
      const declared = some.map((_, no) => `$device${no}: ID!, $tags${no}: JSON!`);
      const calls = some.map(
        (_, no) =>
          `tagged${no}: tagDevice(brand: $brand, device: $device${no}, tags: $tags${no}) {
            __typename ... on Device { uid } ${REFUSALS}
          }`,
      );
      const values = some.flatMap(([uid, tags], no) => [
        [`device${no}`, uid],
        [`tags${no}`, tags],
      ]);
      const data = await this.graphql.run<Record<string, object>>(
        `mutation ($brand: ID!, ${declared.join(', ')}) { ${calls.join('\n')} }`,
        { brand: brandId, ...(Object.fromEntries(values) as Record<string, unknown>) },
      );
      for (const result of Object.values(data)) taken(result);
    }
  }

  async createFleet(
    brandId: string,
    name: string,
    priority: number,
    predicate: unknown,
  ): Promise<string> {
    const fleet = await this.act<{ id: string }>(
      'createFleet(brand: $brand, input: $input)',
      '... on Fleet { id }',
      {
        brand: ['ID!', brandId],
        input: ['FleetInput!', { name, priority, predicate }],
      },
    );
    return fleet.id;
  }

  async createRollout(brandId: string, { percents, ...wish }: RolloutWish): Promise<RolloutView> {
    return this.act(
      'createRollout(brand: $brand, input: $input)',
      `... on Rollout { ${ROLLOUT} }`,
      {
        brand: ['ID!', brandId],
        input: [
          'RolloutInput!',
          {
            ...wish,
            waves: percents.map((percent) => ({ percent, soakSeconds: 0, isManual: true })),
          },
        ],
      },
    );
  }

  /** What would become of the store's `RolloutInput`; nothing is written. */
  async checkRollout(brandId: string, input: object): Promise<RolloutCheck> {
    const { checkRollout } = await this.graphql.run<{ checkRollout: RolloutCheck }>(
      `query ($brand: ID!, $input: RolloutInput!) {
        checkRollout(brand: $brand, input: $input) {
          problems { path message } planHash population approvalsNeeded
          waves { no name k rampSeconds } windows { text }
        }
      }`,
      { brand: brandId, input },
    );
    return checkRollout;
  }

  /** Of the store's `RolloutInput`, whole. */
  planRollout(brandId: string, input: object): Promise<RolloutView> {
    return this.act(
      'createRollout(brand: $brand, input: $input)',
      `... on Rollout { ${ROLLOUT} }`,
      {
        brand: ['ID!', brandId],
        input: ['RolloutInput!', input],
      },
    );
  }

  /** Freezes the plan; returns the hash that an approval is bound to. */
  async submitRollout(brandId: string, id: string): Promise<string> {
    return (await this.onRollout('submitRollout', brandId, id)).planHash;
  }

  /** Null when it was taken; else the words of the refusal. */
  async approveRollout(brandId: string, id: string, planHash: string): Promise<string | null> {
    try {
      await this.act(
        'approveRollout(brand: $brand, id: $id, planHash: $planHash)',
        '... on Rollout { id }',
        {
          brand: ['ID!', brandId],
          id: ['ID!', id],
          planHash: ['String!', planHash],
        },
      );
      return null;
    } catch (error) {
      if (error instanceof GraphQLRefusal) return error.message;
      throw error;
    }
  }

  /** Drafts what takes a rollout back, in one wave. */
  rollBack(
    brandId: string,
    id: string,
    reason: string,
    waves: readonly object[],
  ): Promise<RolloutView> {
    return this.act(
      'rollbackRollout(brand: $brand, id: $id, reason: $reason, waves: $waves)',
      `... on Rollout { ${ROLLOUT} }`,
      {
        brand: ['ID!', brandId],
        id: ['ID!', id],
        reason: ['String!', reason],
        waves: ['[WaveInput!]', waves],
      },
    );
  }

  /** A person's word that the next wave may open. */
  async advanceRollout(brandId: string, id: string, wave?: number): Promise<void> {
    await this.act('advanceRollout(brand: $brand, id: $id, wave: $wave)', '... on Rollout { id }', {
      brand: ['ID!', brandId],
      id: ['ID!', id],
      wave: ['Int', wave],
    });
  }

  async rollout(brandId: string, id: string): Promise<RolloutView> {
    const { rollout } = await this.graphql.run<{ rollout: RolloutView }>(
      `query ($brand: ID!, $id: ID!) { rollout(brand: $brand, id: $id) { ${ROLLOUT} } }`,
      { brand: brandId, id },
    );
    return rollout;
  }

  async rolloutAccount(brandId: string, id: string): Promise<RolloutAccount> {
    const { rollout } = await this.graphql.run<{ rollout: RolloutAccount }>(
      `query ($brand: ID!, $id: ID!) { rollout(brand: $brand, id: $id) { ${FINAL} } }`,
      { brand: brandId, id },
    );
    return rollout;
  }

  /** After an automatic pause: names the evidence that was seen. */
  async resumeRollout(brandId: string, id: string, acknowledges: string): Promise<void> {
    await this.act(
      'resumeRollout(brand: $brand, id: $id, acknowledges: $acknowledges)',
      '... on Rollout { id }',
      { brand: ['ID!', brandId], id: ['ID!', id], acknowledges: ['String!', acknowledges] },
    );
  }

  /** The brake of level 1 on one rollout: no offers. Returns the id by which it is lifted. */
  async stopRollout(brandId: string, rolloutId: string, reason: string): Promise<string> {
    const stop = await this.act<{ id: string }>(
      'stop(brand: $brand, input: $input)',
      '... on EmergencyStop { id }',
      {
        brand: ['ID!', brandId],
        input: ['StopInput!', { scope: 'rollout', rolloutId, level: 1, reason }],
      },
    );
    return stop.id;
  }

  async liftStop(brandId: string, id: string, reason: string): Promise<void> {
    await this.act(
      'liftStop(brand: $brand, id: $id, reason: $reason)',
      '... on EmergencyStop { id }',
      { brand: ['ID!', brandId], id: ['ID!', id], reason: ['String!', reason] },
    );
  }

  async explain(brandId: string, device: string, snap: string): Promise<readonly Reason[]> {
    const { explainDevice } = await this.graphql.run<{ explainDevice: { reasons: Reason[] } }>(
      `query ($brand: ID!, $device: ID!, $snap: String!) {
        explainDevice(brand: $brand, device: $device, snap: $snap) { outcome revision reasons { code detail } }
      }`,
      { brand: brandId, device, snap },
    );
    return explainDevice.reasons;
  }

  async figures(brandId: string): Promise<Figures> {
    const { figures } = await this.graphql.run<{ figures: Figures }>(
      'query ($brand: ID!) { figures(brand: $brand) { devices blobs blobBytes jobsAsked jobsWaiting } }',
      { brand: brandId },
    );
    return figures;
  }

  private onRollout(mutation: string, brandId: string, id: string): Promise<RolloutView> {
    return this.act(`${mutation}(brand: $brand, id: $id)`, `... on Rollout { ${ROLLOUT} }`, {
      brand: ['ID!', brandId],
      id: ['ID!', id],
    });
  }

  /** One mutation; its variables are given as [GraphQL type, value]. Throws the refusal, if it is one. */
  private async act<T extends object>(
    call: string,
    selection: string,
    variables: Readonly<Record<string, readonly [type: string, value: unknown]>>,
  ): Promise<T> {
    const declared = Object.entries(variables).map(([name, [type]]) => `$${name}: ${type}`);
    const values = Object.fromEntries(
      Object.entries(variables).map(([name, [, value]]) => [name, value]),
    );
    const data = await this.graphql.run<Record<string, T>>(
      `mutation (${declared.join(', ')}) { result: ${call} { __typename ${selection} ${REFUSALS} } }`,
      values,
    );
    return taken(data['result'] as T);
  }
}
