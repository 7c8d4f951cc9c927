import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inject } from 'vitest';
import { encodeAssertions, type Signer } from '#libs/assertions';
import { AdminModule } from '../../apps/store-api/src/admin/admin.module.js';
import { DeviceModule } from '../../apps/store-api/src/device/device.module.js';
import { PublisherModule } from '../../apps/store-api/src/publisher/publisher.module.js';
import { DeviceStore, makeSigner, type TestBrand } from '../device/support/device-store.js';
import { makeDevice } from '../device/support/test-device.js';
import { startVaultProcess, type VaultProcess } from './vault-process.js';
import type { Headers, Login, Side, World } from './side.js';
import { StoreSide } from './store-side.js';
import { vaultSide } from './vault-side.js';

/** One store and one vault with two brands of the same shape, in which every text holds the brand's word. */
export class TwoBrands implements World {
  private readonly stranger = makeSigner();

  private constructor(
    private readonly store: DeviceStore,
    private readonly vault: VaultProcess,
    readonly sides: readonly [Side, Side],
  ) {}

  static async start(): Promise<TwoBrands> {
    const surfaces = [DeviceModule, PublisherModule, AdminModule];
    const store = await DeviceStore.start({ shedDelayMs: 60_000 }, surfaces);
    const trusted = join(inject('stackDir'), `trusted-${randomBytes(4).toString('hex')}`);
    writeFileSync(trusted, encodeAssertions(store.trusted));
    const vault = await startVaultProcess({ TRUSTED_FILE: trusted });
    const third = await store.brand('heron');
    const make = (word: string): Promise<Side> => makeSide(store, vault, word, third);
    return new TwoBrands(store, vault, await Promise.all([make('kestrel'), make('ostrich')]));
  }

  get urls(): Readonly<Record<'store' | 'vault', string>> {
    return { store: this.store.url, vault: this.vault.url };
  }

  signerOf(brandId: string): Signer {
    return this.sides.find(({ things }) => things.brand === brandId)?.signer ?? this.stranger;
  }

  async stop(): Promise<void> {
    await this.vault.stop();
    await this.store.stop();
  }
}

async function makeSide(
  store: DeviceStore,
  vault: VaultProcess,
  word: string,
  third: TestBrand,
): Promise<Side> {
  const brand = await store.brand(word, { name: `${word} main` });
  const box = await makeDevice(store, brand, {
    model: { model: `${word}-box` },
    serial: { serial: `${word}-1` },
  });
  await box.openSession();
  const atStore = await new StoreSide(store, brand, word).make(third);
  const atVault = await vaultSide(store, vault, brand, box);
  const logins: Readonly<Record<Exclude<Login, 'guest'>, Headers>> = {
    stranger: {},
    device: {
      'snap-device-authorization': `Macaroon root="${box.session}"`,
      'snap-device-series': '16',
      'snap-device-store': brand.storeId,
      'snap-device-architecture': 'amd64',
    },
    ...atStore.logins,
    ...atVault.logins,
  };
  return {
    things: {
      word,
      brand: brand.id,
      store: brand.storeId,
      keyId: brand.signer.publicKey.id,
      model: `${word}-box`,
      serial: `${word}-1`,
      deviceKey: box.signer.publicKey.id,
      ...atStore.things,
      ...atVault.things,
    },
    headersOf: (login) => (login === 'guest' ? atStore.newGuest() : Promise.resolve(logins[login])),
    signer: brand.signer,
    box,
    gadgetKey: atVault.gadgetKey,
  };
}
