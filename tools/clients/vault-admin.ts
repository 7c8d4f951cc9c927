import { type Assertion, header } from '#libs/assertions';
import { ask, expectStatus, type Answer } from './http.js';
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
  constructor(
    private readonly graphql: GraphQLClient,
    private readonly token = '',
  ) {}

  async registerBrand(brandId: string, assertions: string): Promise<void> {
    const { registerBrand } = await this.graphql.run<{ registerBrand: object }>(
      `mutation ($brand: ID!, $assertions: String!) {
        registerBrand(brand: $brand, assertions: $assertions) { __typename ${REFUSALS} }
      }`,
      { brand: brandId, assertions },
    );
    taken(registerBrand);
  }

  /** Accounts and account-keys, such as a new key that signs models. */
  async importAssertions(brandId: string, assertions: string): Promise<void> {
    const { importAssertions } = await this.graphql.run<{ importAssertions: object }>(
      `mutation ($brand: ID!, $assertions: String!) {
        importAssertions(brand: $brand, assertions: $assertions) { __typename ${REFUSALS} }
      }`,
      { brand: brandId, assertions },
    );
    taken(importAssertions);
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
    more: Readonly<Record<string, unknown>> = {},
  ): Promise<void> {
    const { registerModel } = await this.graphql.run<{ registerModel: object }>(
      `mutation ($brand: ID!, $assertion: String!, $policy: PolicyInput!) {
        registerModel(brand: $brand, assertion: $assertion, policy: $policy) { __typename ${REFUSALS} }
      }`,
      {
        brand: brandId,
        assertion: model.bytes.toString(),
        policy: { signingKeyId, minimumKeyBits, ...more },
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

  /** Somebody of the brand with one role, at a login: no token approves (decisions 26). */
  async person(
    brandId: string,
    email: string,
    role: string,
    password: string,
  ): Promise<VaultAdmin> {
    const id = await this.setMember(brandId, email, role);
    const { inviteMember } = await this.graphql.run<{ inviteMember: { invitation: string } }>(
      `mutation ($brand: ID!, $id: ID!) {
        inviteMember(brand: $brand, id: $id) { __typename ... on Invitation { invitation } ${REFUSALS} }
      }`,
      { brand: brandId, id },
    );
    const { acceptInvitation } = await this.graphql.run<{ acceptInvitation: { token: string } }>(
      `mutation ($invitation: String!, $password: String!) {
        acceptInvitation(invitation: $invitation, password: $password) { __typename ... on Session { token } ${REFUSALS} }
      }`,
      { invitation: taken(inviteMember).invitation, password },
    );
    const { token } = taken(acceptInvitation);
    return new VaultAdmin(this.graphql.as(token), token);
  }

  /** Somebody of the brand with one role, and a token of theirs. */
  async colleague(brandId: string, email: string, role: string): Promise<VaultAdmin> {
    const memberId = await this.setMember(brandId, email, role);
    const { createToken } = await this.graphql.run<{ createToken: { token: string } }>(
      `mutation ($brand: ID!, $input: TokenInput!) {
        createToken(brand: $brand, input: $input) { __typename ... on NewToken { token } ${REFUSALS} }
      }`,
      { brand: brandId, input: { name: email, memberId, roles: [role] } },
    );
    const { token } = taken(createToken);
    return new VaultAdmin(this.graphql.as(token), token);
  }

  private async setMember(brandId: string, email: string, role: string): Promise<string> {
    const { setMember } = await this.graphql.run<{ setMember: { id: string } }>(
      `mutation ($brand: ID!, $input: MemberInput!) {
        setMember(brand: $brand, input: $input) { __typename ... on Member { id } ${REFUSALS} }
      }`,
      { brand: brandId, input: { email, displayName: email, roles: [role] } },
    );
    return taken(setMember).id;
  }

  /** For what is sent and fetched as files. */
  headers(): Record<string, string> {
    return { authorization: `Bearer ${this.token}` };
  }

  /** The dry run, and the first reason against. */
  async wouldSign(
    brandId: string,
    model: string,
    serial: string,
  ): Promise<{ outcome: string; why: string }> {
    interface DryRun {
      readonly outcome: string;
      readonly verdicts: readonly { readonly passed: boolean; readonly message: string }[];
    }
    const { wouldSign } = await this.graphql.run<{ wouldSign: DryRun }>(
      `query ($brand: ID!, $model: ID!, $serial: String!) {
        wouldSign(brand: $brand, model: $model, serial: $serial) { outcome verdicts { passed message } }
      }`,
      { brand: brandId, model, serial },
    );
    const why = wouldSign.verdicts.find(({ passed }) => !passed)?.message ?? '';
    return { outcome: wouldSign.outcome, why };
  }

  async importOrder(
    vaultUrl: string,
    brandId: string,
    model: string,
    order: string,
    csv: string,
  ): Promise<{ added: number }> {
    const path = `admin/v1/brands/${brandId}/models/${model}/serials?order=${order}`;
    return (await this.sendCsv(`${vaultUrl}/${path}`, csv)).json();
  }

  /** The order beside what was built; CSV. */
  async reconcile(
    vaultUrl: string,
    brandId: string,
    model: string,
    order: string,
    built: string,
  ): Promise<string> {
    const path = `admin/v1/brands/${brandId}/models/${model}/reconciliation?order=${order}`;
    return (await this.sendCsv(`${vaultUrl}/${path}`, built)).text;
  }

  /** Lets the device in that waits for this serial. */
  async approve(brandId: string, serial: string, reason: string): Promise<void> {
    const { pending } = await this.graphql.run<{ pending: { id: string; serial: string }[] }>(
      'query ($brand: ID!) { pending(brand: $brand) { id serial } }',
      { brand: brandId },
    );
    const id = pending.find((one) => one.serial === serial)?.id ?? '';
    const { approveRequest } = await this.graphql.run<{ approveRequest: object }>(
      `mutation ($brand: ID!, $id: ID!, $reason: String!) {
        approveRequest(brand: $brand, id: $id, reason: $reason) { __typename ${REFUSALS} }
      }`,
      { brand: brandId, id, reason },
    );
    taken(approveRequest);
  }

  async swapBoard(
    brandId: string,
    model: string,
    serial: string,
    newSerial: string,
    reason: string,
  ): Promise<void> {
    const { swapBoard } = await this.graphql.run<{ swapBoard: object }>(
      `mutation ($brand: ID!, $model: ID!, $serial: ID!, $newSerial: ID!, $reason: String!) {
        swapBoard(brand: $brand, model: $model, serial: $serial, newSerial: $newSerial, reason: $reason) { __typename ${REFUSALS} }
      }`,
      { brand: brandId, model, serial, newSerial, reason },
    );
    taken(swapBoard);
  }

  async isLogSound(brandId: string): Promise<boolean> {
    const { verifyLogs } = await this.graphql.run<{
      verifyLogs: { signingLog: number | null; auditLog: number | null };
    }>('query ($brand: ID!) { verifyLogs(brand: $brand) { signingLog auditLog } }', {
      brand: brandId,
    });
    return verifyLogs.signingLog === null && verifyLogs.auditLog === null;
  }

  private async sendCsv(url: string, body: string): Promise<Answer> {
    const headers = { ...this.headers(), 'content-type': 'text/csv' };
    return expectStatus('send a file', await ask(url, { method: 'POST', headers, body }), 200);
  }
}
