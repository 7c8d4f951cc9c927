import { randomBytes, randomUUID } from 'node:crypto';
import { expect, vi } from 'vitest';
import {
  BrandEvent,
  DeviceRolloutState,
  DeviceSnapMemory,
  Fleet,
  Lane,
  Rollout,
  RolloutCounts,
  Wave,
  shiftClock,
  type Tx,
} from '#libs/database';
import { RolloutCountService, type Counts } from '#libs/operations';
import {
  EVERYBODY,
  draftPlan,
  draftWave,
  planHash,
  type LadderState,
  type SnapMemory,
} from '#libs/update-control';
import { GraphQLClient } from '../../../tools/clients/graphql.js';
import { SteeredStore } from '../../admin/support/steered-store.js';
import type { RolloutAnswer } from '../../admin/support/admin-store.js';
import type { TestBrand, TestSnap } from '../../device/support/device-store.js';
import { WalkingDevice } from './walking-device.js';

export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;
const NOTICED_WITHIN_MS = 60_000;

/** Health as a small fleet can show it; the soak of a wave is a day. */
export const SMALL = { minSample: 5, failCount: 2, failPercent: 20, successPercent: 50 };

/**
 * A store with one snap of two revisions, the second on no channel, whose time is the test's: what worker and timers would have
 * done is done when the test says so.
 */
export class SignalStore {
  private shiftMs = 0;
  private fleets = 0;

  private constructor(
    readonly steered: SteeredStore,
    readonly snap: TestSnap,
  ) {}

  static async start(): Promise<SignalStore> {
    const steered = await SteeredStore.start();
    const snap = await steered.released('acme-dashboard', [1]);
    for (const revision of [2, 3]) await steered.wire.revision(snap, revision);
    return new SignalStore(steered, snap);
  }

  stop(): Promise<void> {
    return this.steered.stop();
  }

  get now(): Date {
    return this.steered.wire.resources.db.clock.now();
  }

  /** Lets so much time pass. */
  async pass(ms: number): Promise<void> {
    const { databaseUrls, resources } = this.steered.wire;
    this.shiftMs += ms;
    await shiftClock(databaseUrls.owner, this.shiftMs);
    await vi.waitFor(
      () => expect(Math.abs(resources.db.clock.aheadMs - this.shiftMs)).toBeLessThan(10_000),
      { timeout: NOTICED_WITHIN_MS },
    );
    await this.logInAgain();
  }

  /** People log in again: no session outlives the time that has passed. */
  private async logInAgain(): Promise<void> {
    const { url, planner, approver } = this.steered;
    const anonymous = new GraphQLClient(`${url}/graphql`);
    for (const person of [planner, approver]) {
      const { email, password } = person;
      const { login } = await anonymous.run<{ login: { token: string } }>(
        `mutation { login(email: "${email}", password: "${password}") { ... on Session { token } } }`,
      );
      Object.assign(person, { token: login.token, graphql: anonymous.as(login.token) });
    }
  }

  /** A fleet of its own with so many devices of each architecture, which have polled once. */
  async fleet(
    devices: Readonly<Record<string, number>>,
  ): Promise<{ fleetId: string; devices: WalkingDevice[]; tag: string }> {
    this.fleets += 1;
    const tag = `fleet-${this.fleets}`;
    const fleetId = await this.steered.fleet(tag, 1_000 + this.fleets);
    const made: WalkingDevice[] = [];
    for (const [architecture, count] of Object.entries(devices))
      for (let index = 0; index < count; index += 1)
        made.push(await WalkingDevice.make(this, { fleet: tag }, architecture));
    await this.steered.settle();
    for (const device of made) await device.poll();
    await this.flush();
    return { fleetId, devices: made, tag };
  }

  /** A rollout of revision 2 that is active, with its first wave open. */
  rollout(fleetId: string, waves: readonly object[], more: object = {}): Promise<RolloutAnswer> {
    const input = { fleetId, snap: this.snap.name, revision: 2, waves, ...more };
    return this.steered.rollout(input);
  }

  /** Writes what was heard. */
  async flush(): Promise<void> {
    const { facts, observations } = this.steered.wire.services;
    await facts.flush();
    await observations.flush();
  }

  /** What the worker does within a minute: counts, asks the gates, does what they say. */
  async judge(rollout: { id: string }): Promise<Rollout> {
    const { wire, brand } = this.steered;
    await this.flush();
    await new RolloutCountService(wire.resources).count(brand.id, rollout.id);
    await this.steered.tick(rollout);
    return this.row(rollout);
  }

  row({ id }: { id: string }): Promise<Rollout> {
    return this.db((tx) => tx.findOneByOrFail(Rollout, { id }));
  }

  waves({ id }: { id: string }): Promise<Wave[]> {
    return this.db((tx) => tx.find(Wave, { where: { rolloutId: id }, order: { no: 'ASC' } }));
  }

  async counts({ id }: { id: string }): Promise<Counts> {
    const row = await this.db((tx) => tx.findOneByOrFail(RolloutCounts, { rolloutId: id }));
    return row.counts as Counts;
  }

  /** Where a device stands; null: it was never offered the target. */
  async place({ id }: { id: string }, device: WalkingDevice): Promise<LadderState | null> {
    await this.flush();
    const where = { rolloutId: id, deviceUid: device.uid };
    const row = await this.db((tx) => tx.findOneBy(DeviceRolloutState, where));
    return row && (row.state as LadderState);
  }

  async step(rollout: { id: string }, device: WalkingDevice): Promise<string | null> {
    return (await this.place(rollout, device))?.step ?? null;
  }

  async memory(device: WalkingDevice): Promise<SnapMemory> {
    await this.flush();
    const where = { deviceUid: device.uid };
    const row = await this.db((tx) => tx.findOneBy(DeviceSnapMemory, where));
    return row?.memory ?? {};
  }

  /** Kinds of what the brand's people were told of a rollout. */
  async events({ id }: { id: string }): Promise<string[]> {
    const rows = await this.db((tx) => tx.findBy(BrandEvent, { rolloutId: id }));
    return rows.map(({ kind }) => kind);
  }

  countsRow(rolloutId: string): Promise<RolloutCounts> {
    return this.db((tx) => tx.findOneByOrFail(RolloutCounts, { rolloutId }));
  }

  /** A rollout whose one wave is open to so many devices of a brand; as rows, because nobody registers as many in a test. */
  async largeRollout(brand: TestBrand, count: number): Promise<string> {
    const { wire, planner } = this.steered;
    const snap = await wire.snap(brand, `large-${randomUUID().slice(0, 8)}`);
    await wire.revision(snap, 1);
    await wire.release(snap, 1);
    // What devices have on them is looked up one by one: such fleets take longest to count.
    const isElsewhere = { fact: `snap:${snap.id}:channel`, equals: 'latest/edge' } as const;
    const predicate = { all: [{ fact: 'model', equals: 'large' }, { not: isElsewhere }] } as const;
    return this.db(async (tx) => {
      await tx.query(
        `INSERT INTO store.devices (brand_id, model, serial, store_id, device_key_id, architecture)
         SELECT $1, 'large', n::text, $2, 'none', 'amd64' FROM generate_series(1, $3) AS n`,
        [brand.id, brand.storeId, count],
      );
      const lane = await tx.findOneByOrFail(Lane, { snapId: snap.id });
      const { id: fleetId } = await tx.save(
        tx.create(Fleet, { brandId: brand.id, name: 'large', priority: 1, predicate }),
      );
      const plan = draftPlan({
        title: 'large',
        target: {
          kind: 'revision',
          snapId: snap.id,
          channel: 'latest/stable',
          revisions: { all: 1 },
        },
        fleet: { id: fleetId, predicate },
        waves: [draftWave({ percent: 100 })],
      });
      const who = { authorId: planner.personId, lastEditorId: planner.personId };
      const { id } = await tx.save(
        tx.create(Rollout, {
          ...{ brandId: brand.id, snapId: snap.id, laneId: lane.id, fleetId, plan, ...who },
          ...{ name: 'large', state: 'ACTIVE', salt: randomBytes(16), planHash: planHash(plan) },
        }),
      );
      await tx.insert(Wave, {
        ...{ rolloutId: id, no: 1, brandId: brand.id, state: 'OPEN', threshold: EVERYBODY },
        ...{ prevThreshold: 0, population: count, k: count, openedAt: this.now },
        attemptAt: this.now,
      });
      return id;
    });
  }

  db<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    return this.steered.wire.resources.db.asSystem(work);
  }
}
