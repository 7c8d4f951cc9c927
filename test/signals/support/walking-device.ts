import { createHash, randomUUID } from 'node:crypto';
import { mintDeviceSession, type DeviceIdentity } from '#libs/auth';
import { deviceSessionKey } from '#libs/operations';
import { Device } from '#libs/database';
import type { TestSnap } from '../../device/support/device-store.js';
import {
  SCHEDULED,
  contextOf,
  refresh,
  sessionHeader,
  type WireResult,
} from '../../device/support/refreshing.js';
import type { SteeredStore } from '../../admin/support/steered-store.js';

/** What devices live in. */
export interface Ground {
  readonly steered: SteeredStore;
  readonly snap: TestSnap;
  readonly now: Date;
}

export interface PollChange {
  readonly isScheduled?: boolean;
  readonly isHeld?: boolean;
  readonly besides?: readonly { readonly id: string; readonly revision: number }[];
  readonly action?: Readonly<Record<string, unknown>>;
  /** What it wants to know of the snap. */
  readonly fields?: readonly string[];
  /** Another process of the store. */
  readonly url?: string;
}

/** A device that takes one step of snapd at a time: poll, download, fetch of the assertion, re-refresh (update-control.md F10, F12). */
export class WalkingDevice {
  revision = 1;
  channel = 'latest/stable';
  /** What it has written its data with. */
  epoch: { read: number[]; write: number[] } = { read: [0], write: [0] };
  /** What the last poll offered. */
  offer: NonNullable<WireResult['snap']> | null = null;

  private constructor(
    private readonly store: Ground,
    readonly identity: DeviceIdentity,
    readonly architecture: string,
  ) {}

  /** As registration and a first session would have left it (decisions 23). */
  static async make(
    store: Ground,
    tags: Readonly<Record<string, string>>,
    architecture = 'amd64',
  ): Promise<WalkingDevice> {
    const { brand, wire } = store.steered;
    const identity: DeviceIdentity = {
      deviceUid: randomUUID(),
      brandId: brand.id,
      model: 'gateway',
      serial: randomUUID(),
      storeId: brand.storeId,
      deviceKeyId: 'walking',
    };
    const { deviceUid: uid, brandId, model, serial, storeId, deviceKeyId } = identity;
    await wire.resources.db.asSystem((tx) =>
      tx.insert(Device, {
        ...{ uid, brandId, model, serial, storeId, deviceKeyId, architecture, tags: { ...tags } },
        serialAuthorityId: brandId,
      }),
    );
    return new WalkingDevice(store, identity, architecture);
  }

  get uid(): string {
    return this.identity.deviceUid;
  }

  /** One refresh of the snap; scheduled, unless said otherwise. Answers what it was told to have. */
  async poll(snap: TestSnap = this.store.snap, change: PollChange = {}): Promise<number> {
    const { isScheduled = true, isHeld = false, besides = [], action = {} } = change;
    const { url = this.store.steered.url, fields } = change;
    const own = contextOf({
      ...{ id: snap.id, revision: this.revision, channel: this.channel, epoch: this.epoch },
    });
    const { results } = await refresh(url, {
      context: [
        { ...own, ...(isHeld && { held: { by: ['snap-daemon'] } }) },
        ...besides.map((one) => contextOf(one)),
      ],
      actions: [{ action: 'refresh', 'instance-key': snap.id, 'snap-id': snap.id, ...action }],
      headers: { ...this.headers, ...(isScheduled && SCHEDULED) },
      ...(fields && { fields }),
    });
    const [result] = results;
    if (result?.snap === undefined) throw new Error(`cannot read ${JSON.stringify(results)}`);
    this.offer = result.snap.revision === this.revision ? null : result.snap;
    return result.snap.revision;
  }

  /** The re-refresh after a change. */
  again(): Promise<number> {
    return this.poll(this.store.snap, { isScheduled: false });
  }

  async download(): Promise<Buffer> {
    const { download } = this.offer ?? {};
    if (!download) throw new Error('cannot download: nothing is offered');
    const first = await fetch(download.url, { redirect: 'manual', headers: this.oldHeaders });
    const response = await fetch(first.headers.get('location') ?? '');
    if (response.status !== 200) throw new Error(`cannot download: ${first.status}`);
    return Buffer.from(await response.arrayBuffer());
  }

  /** GET of the `snap-revision`, right before the installation; the status. */
  async fetchAssertion(digest = this.offer?.download['sha3-384'] ?? ''): Promise<number> {
    const key = Buffer.from(digest, 'hex').toString('base64url');
    const { url } = this.store.steered;
    const answer = await fetch(`${url}/v2/assertions/snap-revision/${key}?max-format=0`, {
      headers: { accept: 'application/x.ubuntu.assertion', ...this.oldHeaders },
    });
    return answer.status;
  }

  /** Everything that snapd does with an offer, and the re-refresh. */
  async install(): Promise<void> {
    const bytes = await this.download();
    const digest = createHash('sha3-384').update(bytes).digest('hex');
    if (digest !== this.offer?.download['sha3-384']) throw new Error('cannot install: other bytes');
    await this.fetchAssertion();
    this.revision = this.offer.revision;
    await this.again();
  }

  /** A poll, and the installation of what it offers. */
  async update(): Promise<void> {
    await this.poll();
    if (this.offer) await this.install();
  }

  /** A poll, and an installation that fails in its hooks. */
  async fail(): Promise<void> {
    await this.poll();
    if (!this.offer) return;
    await this.download();
    await this.fetchAssertion();
  }

  get headers(): Record<string, string> {
    return {
      ...sessionHeader(this.session),
      'snap-device-architecture': this.architecture,
      'snap-device-store': this.identity.storeId,
    };
  }

  private get oldHeaders(): Record<string, string> {
    return {
      'x-ubuntu-store': this.identity.storeId,
      'x-device-authorization': `Macaroon root="${this.session}"`,
    };
  }

  private get session(): string {
    const { resources } = this.store.steered.wire;
    return mintDeviceSession(this.identity, deviceSessionKey(resources.settings), this.store.now);
  }
}
