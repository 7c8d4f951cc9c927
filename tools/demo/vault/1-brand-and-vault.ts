import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { decodeAssertions, signAssertion } from '#libs/assertions';
import { BrandAdmin } from '../../clients/brand-admin.js';
import { GraphQLClient } from '../../clients/graphql.js';
import { VaultAdmin } from '../../clients/vault-admin.js';
import { known } from '../story/index.js';
import { keyNo, MODEL, ORDER, type VaultStory } from './vault-story.js';

/** Smaller than the 4096 of real devices, so that the keys of an order are made in seconds. */
const KEY_BITS = 2048;

/** A brand in the store, its model, and a vault that signs for it and takes what is on an order. */
export async function brandAndVault(story: VaultStory): Promise<void> {
  const { installation, narrator } = story;
  const { operatorEmail, password, rootAssertions } = installation.store;
  story.trusted = decodeAssertions(await readFile(rootAssertions));
  const store = new GraphQLClient(`${installation.storeUrl}/graphql`);
  const operator = await BrandAdmin.login(store, operatorEmail, known(password, 'the password'));
  const { brandId, storeId } = await operator.createBrand('acme', 'ACME Corp', 'acme-main');
  story.brandId = brandId;
  const planner = await operator.addPerson(brandId, 'paula@acme.example', 'Paula', [
    'admin',
    'operator',
    'publisher',
  ]);
  // Demonstrates only that the brand signs its models itself: the key is one of the simulated ones.
  const brandKey = keyNo(story, story.deviceKeys.length - 1);
  await planner.certifyKey(brandId, 'models', brandKey);
  const headers = {
    ...{ 'authority-id': brandId, series: '16', 'brand-id': brandId, model: MODEL },
    ...{ architecture: 'amd64', gadget: 'acme-gadget', kernel: 'acme-kernel', store: storeId },
    timestamp: new Date().toISOString().replace(/\.\d+Z$/, 'Z'),
  };
  const model = await signAssertion({ type: 'model', headers }, brandKey, new Date());
  story.model = model;
  await planner.registerModel(brandId, model);

  const token = known(installation.vault.token ?? story.vaultToken, 'the token of the vault');
  const graphql = new GraphQLClient(`${installation.vaultUrl}/graphql`, token);
  const vault = new VaultAdmin(graphql);
  story.admin = vault;
  await vault.registerBrand(brandId, await planner.accountChain(brandId));
  const key = await vault.createSigningKey(brandId, 'serials');
  await vault.importAccountKey(
    brandId,
    await planner.certifyRequest(brandId, key.accountKeyRequest, [
      { headers: { type: 'serial', model: MODEL } },
    ]),
  );
  await vault.registerModel(brandId, model, key.keyId, KEY_BITS, { enrolment: { list: true } });
  story.apiKey = await vault.createApiKey(brandId, MODEL, 'line 1');
  story.production = await vault.colleague(brandId, 'fay@acme.example', 'production');
  story.approver = await vault.person(
    brandId,
    'aron@acme.example',
    'approver',
    randomBytes(18).toString('base64url'),
  );
  narrator.say(`the vault signs ${MODEL} with ${key.keyId.slice(0, 12)}…, for serials on an order`);
  narrator.say(`Fay runs the line and imports ${ORDER}, Aron decides what is doubtful`);
}
