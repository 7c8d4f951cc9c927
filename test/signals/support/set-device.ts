import { randomUUID } from 'node:crypto';
import { timestamp } from '#libs/operations';
import type { TestSnap } from '../../device/support/device-store.js';
import { SCHEDULED, contextOf, refresh } from '../../device/support/refreshing.js';
import type { SignalStore } from './signal-store.js';
import type { WalkingDevice } from './walking-device.js';

/** A validation set of two snaps of revisions 1 and 2; each sequence pins both to the revision of its number. */
export class SetOfTwo {
  private constructor(
    readonly store: SignalStore,
    readonly name: string,
    readonly snaps: readonly TestSnap[],
  ) {}

  static async make(store: SignalStore): Promise<SetOfTwo> {
    const { steered } = store;
    const name = `set-${randomUUID().slice(0, 8)}`;
    const snaps: TestSnap[] = [];
    for (const part of ['kernel', 'app']) {
      const snap = await steered.released(`${name}-${part}`, [1]);
      await steered.wire.revision(snap, 2);
      snaps.push(snap);
    }
    return new SetOfTwo(store, name, snaps);
  }

  /** The brand brings the sequence. */
  async publish(sequence: number): Promise<void> {
    const { steered, now } = this.store;
    const { id, signer } = steered.brand;
    const assertion = await steered.wire.sign(
      {
        type: 'validation-set',
        headers: {
          ...{ 'authority-id': id, 'account-id': id, series: '16', timestamp: timestamp(now) },
          ...{ name: this.name, sequence: String(sequence) },
          snaps: this.snaps.map((snap) => ({
            ...{ id: snap.id, name: snap.name, presence: 'required', revision: String(sequence) },
          })),
        },
      },
      signer,
    );
    const text = { assertion: assertion.bytes.toString() };
    await steered.call('addAssertion', text, '... on BrandAssertion { type }');
    await steered.settle();
  }
}

/** A device that enforces sequence 2 of the set as soon as it is given it. */
export class SetDevice {
  revisions: [number, number] = [1, 1];
  private offers: readonly { 'sha3-384': string }[] = [];

  constructor(
    private readonly set: SetOfTwo,
    private readonly device: WalkingDevice,
  ) {}

  /** The scheduled refresh of both snaps; the revisions that it is told to have. */
  async poll(): Promise<(number | undefined)[]> {
    const { name, snaps, store } = this.set;
    const enforced = { 'validation-sets': [['16', store.steered.brand.id, name, '2']] };
    const context = snaps.map(({ id }, index) => ({
      ...contextOf({ id, revision: this.revisions[index] ?? 0 }),
      ...enforced,
    }));
    const { results } = await refresh(store.steered.url, {
      context,
      actions: snaps.map(({ id }) => ({
        ...{ action: 'refresh', 'instance-key': id, 'snap-id': id, ...enforced },
      })),
      headers: { ...this.device.headers, ...SCHEDULED },
    });
    this.offers = results.flatMap(({ snap }) => (snap?.download ? [snap.download] : []));
    return results.map(({ snap }) => snap?.revision);
  }

  /** The `snap-revision` of each is fetched, as right before an installation. */
  async attempt(): Promise<void> {
    for (const download of this.offers) await this.device.fetchAssertion(download['sha3-384']);
  }
}
