import { type Assertion, signAssertion } from '#libs/assertions';
import { DEVICE_KEY_BITS } from './story-keys.js';
import { known, type Story } from './story.js';

const MODEL = 'acme-device-1';

/** Step 3: the model, signed with ACME's key, known to store and vault; the vault's own serial key, certified for ACME. */
export async function modelAndVault(story: Story): Promise<void> {
  const { narrator } = story;
  const planner = known(story.planner, 'the planner');
  const brandId = known(story.brandId, 'the brand');
  story.model = await signModel(story);
  await planner.registerModel(brandId, story.model);
  narrator.say(`model ${MODEL} signed with ACME's key and registered for store ${story.storeId}`);

  const vault = known(story.vault, 'the vault');
  // Its key that signs models is newer than what the vault knows.
  await vault.importAssertions(brandId, await planner.accountChain(brandId));
  const serialKey = await known(story.serialKey, 'the serial key');
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
    story.keys.acme,
    new Date(),
  );
}
