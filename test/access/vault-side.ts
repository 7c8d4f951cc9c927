import { decodeAssertion, encodeAssertions, header, type Assertion } from '#libs/assertions';
import { ScriptedDevice } from '../../tools/clients/device.js';
import { GraphQLClient } from '../../tools/clients/graphql.js';
import { expectStatus } from '../../tools/clients/http.js';
import { VaultAdmin } from '../../tools/clients/vault-admin.js';
import { makeSigner, type DeviceStore, type TestBrand } from '../device/support/device-store.js';
import { loggedIn } from '../vault/support/people.js';
import { mutate, type Administered } from '../vault/vault-kit.js';
import type { Headers, Login } from './side.js';
import type { Kind } from './things.js';

interface SideAtVault {
  readonly things: Readonly<
    Record<
      Extract<Kind, 'signingKey' | 'apiKey' | 'vaultToken' | 'vaultMember' | 'pending' | 'remodel'>,
      string
    >
  >;
  readonly logins: Readonly<
    Record<Extract<Login, 'vaultAdmin' | 'vaultOperator' | 'vaultViewer' | 'gadget'>, Headers>
  >;
  readonly gadgetKey: string;
}

/** What a brand has at the vault: its model with keys, a device, a second one that wants the first one's serial. */
export async function vaultSide(
  store: DeviceStore,
  vault: Administered,
  brand: TestBrand,
  box: ScriptedDevice,
): Promise<SideAtVault> {
  const { model } = box.options;
  const name = header(model, 'model');
  const admin = new VaultAdmin(new GraphQLClient(`${vault.url}/graphql`).as(vault.token));
  await admin.registerBrand(brand.id, await chainOf(box, brand));
  const made = await admin.createSigningKey(brand.id, `${name}-serials`);
  const accountKey = await certify(
    store,
    brand,
    decodeAssertion(Buffer.from(made.accountKeyRequest)),
  );
  await admin.importAccountKey(brand.id, accountKey.bytes.toString());
  await admin.registerModel(brand.id, model, made.keyId, 2048);
  const gadget = await mutate<{ id: string; key: string }>(
    vault,
    vault.token,
    `createApiKey(brand: "${brand.id}", model: "${name}", input: {name: "${name} gadget"})`,
    'NewApiKey',
    'id key',
  );
  const token = (roles: string): Promise<{ id: string; token: string }> => {
    const call = `createToken(brand: "${brand.id}", input: {name: "${name}", roles: [${roles}]})`;
    return mutate(vault, vault.token, call, 'NewToken', 'id token');
  };
  const viewer = await token('auditor');
  // People: what they alone may do is looked at as far as it goes.
  const [boss, operator] = [
    await loggedIn(
      vault,
      ['vault-admin', 'key-custodian', 'approver', 'auditor', 'system-user-signer'],
      brand.id,
    ),
    await loggedIn(vault, ['production', 'approver'], brand.id),
  ];
  const { items } = await mutate<{ items: { id: string }[] }>(
    vault,
    vault.token,
    `allowRemodels(brand: "${brand.id}", rules: [{fromModel: "${name}", toModel: "${name}", note: "${name}"}])`,
    'RemodelRules',
    'items { id }',
  );
  const member = await mutate<{ id: string }>(
    vault,
    vault.token,
    `setMember(brand: "${brand.id}", input: {email: "vault@${name}.example", displayName: "${name}", roles: [auditor]})`,
    'Member',
    'id',
  );
  const bearer = (of: { token: string }): Headers => ({ authorization: `Bearer ${of.token}` });
  return {
    things: {
      signingKey: made.keyId,
      apiKey: gadget.id,
      vaultToken: viewer.id,
      vaultMember: member.id,
      pending: await holdSerial(vault, brand, box, gadget.key),
      remodel: items[0]?.id ?? '',
    },
    logins: {
      vaultAdmin: bearer(boss),
      vaultOperator: bearer(operator),
      vaultViewer: bearer(viewer),
      gadget: { 'api-key': gadget.key },
    },
    gadgetKey: gadget.key,
  };
}

/** The brand's account and key, with the store key that signed them. */
async function chainOf(box: ScriptedDevice, brand: TestBrand): Promise<string> {
  const fetch = async (path: string): Promise<Assertion> =>
    decodeAssertion(Buffer.from(expectStatus(path, await box.assertion(path), 200).text));
  const account = await fetch(`account/${brand.id}`);
  const storeKey = await fetch(`account-key/${account.signKeyId}`);
  const key = await fetch(`account-key/${brand.signer.publicKey.id}`);
  return encodeAssertions([storeKey, account, key]).toString();
}

/** What the store does with an account-key-request. */
function certify(store: DeviceStore, brand: TestBrand, request: Assertion): Promise<Assertion> {
  const headers = {
    'authority-id': store.operatorAccountId,
    'public-key-sha3-384': request.headers['public-key-sha3-384'],
    'account-id': brand.id,
    name: request.headers['name'],
    since: '2026-01-01T00:00:00Z',
  };
  return store.signAsStore({ type: 'account-key', headers, body: request.body });
}

/** The box is registered; another one comes with its serial and has to wait. The id of what waits. */
async function holdSerial(
  vault: Administered,
  brand: TestBrand,
  box: ScriptedDevice,
  apiKey: string,
): Promise<string> {
  const at = { vaultUrl: `${vault.url}/v1`, apiKey, proposedSerial: box.serialNumber };
  const twin = (key: typeof box.signer): ScriptedDevice =>
    new ScriptedDevice({ ...box.options, ...at, key });
  await twin(box.signer).register();
  expectStatus('wait for the serial', await twin(makeSigner()).requestSerial(), 202);
  const { pending } = await new GraphQLClient(`${vault.url}/graphql`)
    .as(vault.token)
    .run<{ pending: { id: string }[] }>('query ($brand: ID!) { pending(brand: $brand) { id } }', {
      brand: brand.id,
    });
  return pending[0]?.id ?? '';
}
