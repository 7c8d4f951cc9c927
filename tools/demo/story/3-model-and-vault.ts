import { type Assertion, signAssertion } from '#libs/assertions';
import { GraphQLClient } from '../../clients/graphql.js';
import { VaultAdmin } from '../../clients/vault-admin.js';
import { known, type Story } from './story.js';

const MODEL = 'acme-device-1';
/** Lowered from 4096 so that 200 keys are made in seconds (a setting of the model; serial-vault.md 4.2 nr. 5). */
const DEVICE_KEY_BITS = 2048;

/** Step 3: the model, signed with ACME's key, known to store and vault; the vault's own serial key, certified for ACME. */
export async function modelAndVault(story: Story): Promise<void> {
  const { installation, narrator } = story;
  const planner = known(story.planner, 'the planner');
  const brandId = known(story.brandId, 'the brand');
  story.model = await signModel(story);
  await planner.registerModel(brandId, story.model);
  narrator.say(`model ${MODEL} signed with ACME's key and registered for store ${story.storeId}`);

  const token = known(installation.vault.token ?? story.vaultToken, 'the token of the vault');
  const vault = new VaultAdmin(new GraphQLClient(`${installation.vaultUrl}/graphql`, token));
  story.vault = vault;
  await vault.registerBrand(brandId, await planner.accountChain(brandId));
  const serialKey = await vault.createSigningKey(brandId, 'acme-serials');
  const certified = await planner.certifyRequest(brandId, serialKey.accountKeyRequest, [
    { headers: { type: 'serial', model: MODEL } },
  ]);
  await vault.importAccountKey(brandId, certified);
  await vault.registerModel(brandId, story.model, serialKey.keyId, DEVICE_KEY_BITS);
  story.apiKey = await vault.createApiKey(brandId, MODEL, 'factory line 1');
  narrator.say(
    `the vault made serial key ${serialKey.keyId.slice(0, 12)}…; the store certified it for serials of ${MODEL} only`,
  );
}

function signModel(story: Story): Promise<Assertion> {
  const brandId = known(story.brandId, 'the brand');
  return signAssertion(
    {
      type: 'model',
      headers: {
        series: '16',
        'brand-id': brandId,
        'authority-id': brandId,
        model: MODEL,
        'display-name': 'ACME Device 1',
        architecture: 'amd64',
        base: 'acme-base',
        gadget: 'acme-gadget',
        kernel: 'acme-kernel',
        'required-snaps': ['acme-dashboard', 'acme-control-plane'],
        store: known(story.storeId, 'the store'),
        timestamp: new Date().toISOString().replace(/\.\d+Z$/, 'Z'),
      },
    },
    known(story.brandSigner, "ACME's key"),
    new Date(),
  );
}
