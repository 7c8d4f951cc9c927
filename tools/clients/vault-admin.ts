import { type Assertion, header } from '#libs/assertions';
import type { ScriptedDevice } from './device.js';
import { type GraphQLClient, taken } from './graphql.js';

const REFUSALS =
  '... on Invalid { message } ... on Forbidden { message } ... on NotFound { message } ... on Conflict { message }';

export interface SerialKey {
  readonly keyId: string;
  /** What the store is to certify. */
  readonly accountKeyRequest: string;
}

/** Somebody of the brand at the vault's GraphQL. */
export class VaultAdmin {
  constructor(private readonly graphql: GraphQLClient) {}

  async registerBrand(brandId: string, assertions: string): Promise<void> {
    const { registerBrand } = await this.graphql.run<{ registerBrand: object }>(
      `mutation ($brand: ID!, $assertions: String!) {
        registerBrand(brand: $brand, assertions: $assertions) { __typename ${REFUSALS} }
      }`,
      { brand: brandId, assertions },
    );
    taken(registerBrand);
  }

  async createSigningKey(brandId: string, name: string): Promise<SerialKey> {
    const { createSigningKey } = await this.graphql.run<{ createSigningKey: SerialKey }>(
      `mutation ($brand: ID!, $name: String!) {
        createSigningKey(brand: $brand, name: $name) {
          __typename ... on SigningKey { keyId accountKeyRequest } ${REFUSALS}
        }
      }`,
      { brand: brandId, name },
    );
    return taken(createSigningKey);
  }

  async importAccountKey(brandId: string, assertions: string): Promise<void> {
    const { importAccountKey } = await this.graphql.run<{ importAccountKey: object }>(
      `mutation ($brand: ID!, $assertions: String!) {
        importAccountKey(brand: $brand, assertions: $assertions) { __typename ${REFUSALS} }
      }`,
      { brand: brandId, assertions },
    );
    taken(importAccountKey);
  }

  async registerModel(
    brandId: string,
    model: Assertion,
    signingKeyId: string,
    minimumKeyBits: number,
  ): Promise<void> {
    const { registerModel } = await this.graphql.run<{ registerModel: object }>(
      `mutation ($brand: ID!, $assertion: String!, $policy: PolicyInput!) {
        registerModel(brand: $brand, assertion: $assertion, policy: $policy) { __typename ${REFUSALS} }
      }`,
      {
        brand: brandId,
        assertion: model.bytes.toString(),
        policy: { signingKeyId, minimumKeyBits },
      },
    );
    taken(registerModel);
  }

  /** The key that the gadget sends; shown once. */
  async createApiKey(brandId: string, model: string, name: string): Promise<string> {
    const { createApiKey } = await this.graphql.run<{ createApiKey: { key: string } }>(
      `mutation ($brand: ID!, $model: ID!, $input: ApiKeyInput!) {
        createApiKey(brand: $brand, model: $model, input: $input) {
          __typename ... on NewApiKey { key } ${REFUSALS}
        }
      }`,
      { brand: brandId, model, input: { name } },
    );
    return taken(createApiKey).key;
  }

  async revokeDevice(brandId: string, device: ScriptedDevice, reason: string): Promise<void> {
    const { revokeDevice } = await this.graphql.run<{ revokeDevice: object }>(
      `mutation ($brand: ID!, $model: ID!, $serial: ID!, $reason: String!) {
        revokeDevice(brand: $brand, model: $model, serial: $serial, reason: $reason) { __typename ${REFUSALS} }
      }`,
      {
        brand: brandId,
        model: header(device.options.model, 'model'),
        serial: device.serialNumber,
        reason,
      },
    );
    taken(revokeDevice);
  }
}
