import { type Assertion, signAssertion, type Signer } from '#libs/assertions';
import { ScriptedDevice } from '../../clients/device.js';
import { known, type Story, type Stranger } from './story.js';

const at = (): string => new Date().toISOString().replace(/\.\d+Z$/, 'Z');

/** Everything about it is in order; it is just not ACME. Its serial is signed by its brand's key, without a vault. */
export async function foundStranger(story: Story): Promise<Stranger> {
  const operator = known(story.operator, 'the operator');
  const brand = await operator.createBrand('other-brand', 'Other Brand', 'other-brand-store');
  const admin = await operator.addPerson(brand.brandId, 'boss@other.example', 'The other boss', [
    'admin',
    'publisher',
  ]);
  const signer = story.keys.stranger;
  await admin.certifyKey(brand.brandId, 'other-models', signer);
  const model = await signModel(brand, signer);
  await admin.registerModel(brand.brandId, model);
  const key = known(story.keys.devices.at(-1), 'a key for the stranger');
  const device = new ScriptedDevice({
    storeUrl: story.installation.storeUrl,
    vaultUrl: story.installation.vaultUrl,
    model,
    key,
    proposedSerial: 'OTHER-1',
    trusted: known(story.trusted, 'the root'),
  });
  device.serial = await signSerial(brand.brandId, device, signer);
  return { brandId: brand.brandId, signer, device };
}

function signModel(
  { brandId, storeId }: { brandId: string; storeId: string },
  signer: Signer,
): Promise<Assertion> {
  return signAssertion(
    {
      type: 'model',
      headers: {
        series: '16',
        'brand-id': brandId,
        'authority-id': brandId,
        model: 'other-device-1',
        architecture: 'amd64',
        base: 'core24',
        gadget: 'pc',
        kernel: 'pc-kernel',
        store: storeId,
        timestamp: at(),
      },
    },
    signer,
    new Date(),
  );
}

function signSerial(brandId: string, device: ScriptedDevice, signer: Signer): Promise<Assertion> {
  const { publicKey } = device.signer;
  return signAssertion(
    {
      type: 'serial',
      headers: {
        'authority-id': brandId,
        'brand-id': brandId,
        model: 'other-device-1',
        serial: 'OTHER-1',
        'device-key': publicKey.encoded,
        'device-key-sha3-384': publicKey.id,
        timestamp: at(),
      },
    },
    signer,
    new Date(),
  );
}
