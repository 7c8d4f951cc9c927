import { mintDeviceSession, type DeviceIdentity, type SessionKey } from '#libs/auth';
import type { StoreAnswer, StoreCall, VirtualDevice } from '../model/virtual-device.js';
import type { DeviceWire, WireAnswer } from './device-wire.js';

const SNAPD = 'snapd/2.77 (series 16) ubuntu-core/24';
const CHANNEL = 'latest/stable';
const FIELDS = ['architectures', 'download', 'epoch', 'name', 'revision', 'snap-id', 'version'];
const EPOCH = { read: [0], write: [0] };
/** A device asks for a new session when the store wants it to: after a day (decisions 9). */
const RENEWS_AFTER_MS = 20 * 3_600_000;

interface Offer {
  readonly revision: number;
  readonly download?: { readonly url: string; readonly 'sha3-384': string };
}

/** What all devices of a rehearsal share. */
export interface Habitat {
  readonly wire: DeviceWire;
  readonly key: SessionKey;
  readonly brandId: string;
  readonly storeId: string;
  readonly model: string;
  readonly snapId: string;
}

/**
 * A virtual device with a body on the wire: each of its calls is the request that snapd makes (update-control.md F10, F12). Of a
 * download only the link is fetched, which is what the store sees of it.
 */
export class EmbodiedDevice {
  private offer: Offer | null = null;
  private session = '';
  private sessionAt = -Infinity;

  constructor(
    readonly mind: VirtualDevice,
    private readonly habitat: Habitat,
  ) {}

  get nextPollAt(): number {
    return this.mind.nextPollAt;
  }

  /** The poll that is due, and what follows from it; `now`: the store's time. */
  async poll(now: Date): Promise<void> {
    if (now.getTime() - this.sessionAt > RENEWS_AFTER_MS) {
      this.session = this.mintAt(now);
      this.sessionAt = now.getTime();
    }
    const conversation = this.mind.poll();
    for (let next = conversation.next(); next.done !== true;)
      next = conversation.next(await this.ask(next.value));
  }

  mintAt(issuedAt: Date): string {
    const { key, brandId, storeId, model } = this.habitat;
    const { uid: deviceUid, serial } = this.mind.traits;
    const identity: DeviceIdentity = {
      ...{ deviceUid, serial, brandId, storeId, model },
      deviceKeyId: 'simulated',
    };
    return mintDeviceSession(identity, key, issuedAt);
  }

  /** The status of a poll with this session. */
  async statusWith(session: string): Promise<number> {
    const { status } = await this.refresh(this.mind.installed, { session });
    return status;
  }

  private ask(call: StoreCall): Promise<StoreAnswer> {
    switch (call.kind) {
      case 'refresh':
        return this.askRefresh(call);
      case 'download':
        return this.given(this.offer?.download?.url ?? '', 302);
      case 'assertion':
        return this.given(assertionPath(this.offer), 200);
    }
  }

  private async askRefresh({
    revision,
    isScheduled,
    isHeld,
  }: Extract<StoreCall, { kind: 'refresh' }>): Promise<StoreAnswer> {
    const answer = await this.refresh(revision, { isScheduled, isHeld });
    if (answer.status !== 200)
      throw new Error(`cannot accept ${answer.status} ${answer.text} as answer to a poll`);
    const { results } = JSON.parse(answer.text) as { results: { snap?: Offer }[] };
    const [{ snap } = {}] = results;
    if (results.length !== 1 || snap === undefined)
      throw new Error(`cannot accept ${answer.text} as answer to a poll`);
    this.offer = snap.revision === revision ? null : snap;
    return { revision: snap.revision, isGiven: true };
  }

  /** What an emergency stop withholds is refused; whatever else is no answer of a store. */
  private async given(target: string, status: number): Promise<StoreAnswer> {
    const answer = await this.habitat.wire.call(target, {
      headers: {
        'x-ubuntu-store': this.habitat.storeId,
        'x-device-authorization': `Macaroon root="${this.session}"`,
      },
    });
    if (answer.status >= 500) throw new Error(`cannot fetch ${target}: ${answer.status}`);
    return { isGiven: answer.status === status };
  }

  private refresh(
    revision: number,
    {
      session = this.session,
      isScheduled = false,
      isHeld = false,
    }: { session?: string; isScheduled?: boolean; isHeld?: boolean },
  ): Promise<WireAnswer> {
    const { wire, snapId, storeId } = this.habitat;
    const { architecture } = this.mind.traits;
    const instance = { 'instance-key': snapId, 'snap-id': snapId };
    const installed = { revision, 'tracking-channel': CHANNEL, epoch: EPOCH };
    const held = isHeld && { held: { by: ['system'] } };
    return wire.call('/v2/snaps/refresh', {
      method: 'POST',
      headers: {
        accept: 'application/json',
        'content-type': 'application/json',
        'user-agent': `${SNAPD} (${architecture}) linux/6.8.0`,
        'snap-device-architecture': architecture,
        'snap-device-series': '16',
        'snap-device-store': storeId,
        'snap-device-authorization': `Macaroon root="${session}"`,
        ...(isScheduled && { 'snap-refresh-reason': 'scheduled' }),
      },
      body: JSON.stringify({
        context: [{ ...instance, ...installed, ...held }],
        actions: [{ action: 'refresh', ...instance, channel: CHANNEL }],
        fields: FIELDS,
      }),
    });
  }
}

function assertionPath(offer: Offer | null): string {
  const digest = Buffer.from(offer?.download?.['sha3-384'] ?? '', 'hex').toString('base64url');
  return `/v2/assertions/snap-revision/${digest}?max-format=0`;
}
