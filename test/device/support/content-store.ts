import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeAssertions, type Assertion } from '#libs/assertions';
import { mintDeviceSession } from '#libs/auth';
import { Device, listDueDeltaTargets } from '#libs/database';
import { CompilePolicyService, DeltaService, deviceSessionKey } from '#libs/operations';
import { DeviceServices } from '../../../apps/store-api/src/device/device-services.js';
import { DeviceModule } from '../../../apps/store-api/src/device/device.module.js';
import { PublisherModule } from '../../../apps/store-api/src/publisher/publisher.module.js';
import {
  PASSWORD,
  startPublisherStore,
  type PublisherStore,
} from '../../publisher/publisher-store.js';
import { SnapcraftClient } from '../../publisher/snapcraft-client.js';
import { sessionHeader } from './refreshing.js';

/**
 * What publishers upload and devices download, in one store: both surfaces over HTTP, a real signer under a real root. The
 * worker's part is done when it is asked for.
 */
export class ContentStore {
  private constructor(
    readonly publisherStore: PublisherStore,
    readonly brandId: string,
    readonly storeId: string,
    readonly snapcraft: SnapcraftClient,
    readonly trusted: readonly Assertion[],
  ) {}

  /** `snapcraftAt` makes the publisher's tool. */
  static async start(
    snapcraftAt = (url: string): SnapcraftClient => new SnapcraftClient(url),
  ): Promise<ContentStore> {
    const surfaces = [DeviceModule, PublisherModule];
    const store = await startPublisherStore({ surfaces, downloads: 'redirect' });
    const { id } = await store.addBrand('acme');
    await store.addPerson(id, 'dev@acme.test', ['publisher']);
    const snapcraft = snapcraftAt(store.url);
    await snapcraft.login('dev@acme.test', PASSWORD);
    const { stores } = (await snapcraft.get('/dev/api/account')).json();
    const trusted = decodeAssertions(readFileSync(join(store.blobDir, '..', 'trusted')));
    return new ContentStore(store, id, stores[0].id, snapcraft, trusted);
  }

  get url(): string {
    return this.publisherStore.url;
  }

  get resources(): PublisherStore['resources'] {
    return this.publisherStore.resources;
  }

  async register(name: string): Promise<string> {
    const order = { snap_name: name, is_private: false, series: '16' };
    const answer = await this.snapcraft.post('/dev/api/register-name/', order);
    if (answer.status !== 201) throw new Error(answer.text);
    return String(answer.json()['snap_id']);
  }

  /** `snapcraft upload [--release] [--component NAME=FILE]` to its end: the final status. */
  async publish(
    name: string,
    file: string,
    channels: readonly string[] = [],
    components: Readonly<Record<string, string>> = {},
  ): Promise<Readonly<Record<string, unknown>>> {
    const statusUrl = await this.snapcraft.upload(name, file, channels, components);
    await this.publisherStore.drainReviews();
    await this.compile();
    return (await this.snapcraft.get(statusUrl)).json();
  }

  async compile(): Promise<void> {
    await new CompilePolicyService(this.resources).compile(this.brandId);
    await this.publisherStore.app.get(DeviceServices).policies.check();
  }

  /** Headers of a device with a session that nobody had to open (decisions 23); its serial is the brand's, unless said otherwise. */
  async device(serialAuthorityId = this.brandId): Promise<Record<string, string>> {
    const row = {
      uid: randomUUID(),
      brandId: this.brandId,
      model: 'gateway',
      serial: randomUUID(),
      storeId: this.storeId,
      deviceKeyId: 'key',
      serialAuthorityId,
      architecture: 'amd64',
    };
    await this.resources.db.asSystem((tx) => tx.insert(Device, row));
    const key = deviceSessionKey(this.resources.settings);
    return sessionHeader(mintDeviceSession({ ...row, deviceUid: row.uid }, key, new Date()));
  }

  /** What devices said of themselves is in the database. */
  async settle(): Promise<void> {
    await this.publisherStore.app.get(DeviceServices).facts.flush();
  }

  /** What the reconciler finds and the worker does: deltas to what is released, as if a day had gone by since the last look. */
  async makeDeltas(xdelta3: string | null): Promise<void> {
    const { db, settings } = this.resources;
    const due = { lateMs: 0, againMs: 0, keepMs: 86_400_000 };
    const targets = await db.asSystem((tx) => listDueDeltaTargets(tx, due));
    const deltas = new DeltaService({
      ...this.resources,
      settings: { ...settings, ...(xdelta3 !== null && { xdelta3 }) },
    });
    for (const { brandId, snapId, revision } of targets)
      await deltas.make(brandId, snapId, revision);
  }

  stop(): Promise<void> {
    return this.publisherStore.stop();
  }
}
