import { decodeAssertion, localSigner, signAssertion, type Assertion } from '#libs/assertions';
import { GraphQLClient } from '../../tools/clients/graphql.js';
import { VaultAdmin } from '../../tools/clients/vault-admin.js';
import { certify, otherBrand, vectorKey, type Administered, type TestModel } from './vault-kit.js';

/** A model of another brand of the same store, with the name of one of ours. */
export async function foreignModel(vault: Administered, ours: TestModel): Promise<TestModel> {
  const { id, chain } = await otherBrand();
  const signer = localSigner(vectorKey('brand2'));
  const certified = async (request: Assertion): Promise<string> =>
    (await certify(request)).bytes.toString();
  const key = await certified(
    await signAssertion(
      {
        type: 'account-key-request',
        headers: {
          'account-id': id,
          name: 'models',
          'public-key-sha3-384': signer.publicKey.id,
          since: '2024-01-01T00:00:00Z',
        },
        body: signer.publicKey.encoded,
      },
      signer,
      new Date(),
    ),
  );
  const admin = new VaultAdmin(new GraphQLClient(`${vault.url}/graphql`).as(vault.token));
  await admin.registerBrand(id, `${chain}\n${key}`);
  const serials = await admin.createSigningKey(id, 'globex-serials');
  const request = decodeAssertion(Buffer.from(serials.accountKeyRequest));
  await admin.importAccountKey(id, await certified(request));
  const headers = { ...ours.assertion.headers, 'authority-id': id, 'brand-id': id };
  const assertion = await signAssertion({ type: 'model', headers }, signer, new Date());
  await admin.registerModel(id, assertion, serials.keyId, 2048);
  const apiKey = await admin.createApiKey(id, ours.name, 'gadget');
  return { name: ours.name, assertion, apiKey, apiKeyId: '' };
}
