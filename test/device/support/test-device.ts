import type { Assertion, Signer } from '#libs/assertions';
import { timestamp } from '#libs/operations';
import { ScriptedDevice } from '../../../tools/clients/device.js';
import { makeSigner, type DeviceStore, type TestBrand } from './device-store.js';

export interface DeviceChange {
  readonly model?: Readonly<Record<string, unknown>>;
  readonly serial?: Readonly<Record<string, unknown>>;
  /** Who signs the serial; by default the brand. */
  readonly serialSigner?: Signer;
}

export function makeModel(
  store: DeviceStore,
  brand: TestBrand,
  change: DeviceChange['model'] = {},
): Promise<Assertion> {
  const headers = {
    'authority-id': brand.id,
    series: '16',
    'brand-id': brand.id,
    model: 'gateway',
    architecture: 'amd64',
    gadget: 'acme-gadget',
    kernel: 'acme-kernel',
    store: brand.storeId,
    timestamp: timestamp(new Date()),
    ...change,
  };
  return store.sign({ type: 'model', headers }, brand.signer);
}

let lastSerial = 0;

/** A device with a model and a serial of this brand, made at the factory; no session yet. */
export async function makeDevice(
  store: DeviceStore,
  brand: TestBrand,
  change: DeviceChange = {},
): Promise<ScriptedDevice> {
  const key = makeSigner();
  const model = await makeModel(store, brand, change.model);
  const proposedSerial = `SN-${++lastSerial}`;
  const headers = {
    'authority-id': brand.id,
    'brand-id': brand.id,
    model: model.headers['model'],
    serial: proposedSerial,
    'device-key': key.publicKey.encoded,
    'device-key-sha3-384': key.publicKey.id,
    timestamp: timestamp(new Date()),
    ...change.serial,
  };
  const serial = await store.sign({ type: 'serial', headers }, change.serialSigner ?? brand.signer);
  const scripted = new ScriptedDevice({
    storeUrl: store.url,
    vaultUrl: store.url,
    model,
    key,
    proposedSerial,
    trusted: store.trusted,
  });
  scripted.serial = serial;
  return scripted;
}
