import { mayDo } from '#libs/auth';
import {
  findSnapOwner,
  findStoreBrand,
  listPublicBrands,
  type Database,
  type SnapOwner,
} from '#libs/database';
import {
  isVisible,
  type DeviceFacts,
  type SnapPolicy,
  type SnapMemory,
} from '#libs/update-control';
import type { DeviceDirectory, KnownDevice } from '../devices/device-directory.js';
import type { Caller } from '../devices/session-reader.js';
import { Remembered } from '../remembered.js';
import type { LoadedPolicy } from './held-policy.js';
import type { PolicyStore } from './policy-store.js';

const CACHE = { max: 10_000, ttl: 60_000 };
/** What is asked of a caller who does not say what it runs on. */
const DEFAULT_ARCHITECTURE = 'amd64';

/** A snap that exists for a caller, with the policy that decides about it. */
export interface SeenSnap {
  readonly snap: SnapPolicy;
  readonly policy: LoadedPolicy;
  /** The caller as that policy's `resolve()` takes it. */
  readonly facts: DeviceFacts;
}

/** The store as one caller sees it. What is not visible is not there: both are null (decisions 13). */
export interface StoreView {
  /** Null for callers without a session. */
  readonly device: KnownDevice | null;
  /** The policy of the session's or the named store's brand, and the caller as it takes it; null where there is none. */
  readonly home: { readonly policy: LoadedPolicy; readonly facts: DeviceFacts } | null;
  find(by: 'name' | 'id', value: string): Promise<SeenSnap | null>;
  /** All that there is, by name. */
  list(): Promise<SeenSnap[]>;
}

/**
 * Finds the policy that answers a caller: that of the session's brand, else that of the named store's brand, else, for
 * callers that name no store, that of the snap's own brand. A store that is not here shows nothing.
 */
export class StoreViews {
  private readonly owners = new Remembered<SnapOwner>(CACHE, (key) => {
    const [by, value = ''] = key.split(' ');
    return this.db.asSystem((tx) => findSnapOwner(tx, by === 'name' ? 'name' : 'id', value));
  });
  private readonly brands = new Remembered<string>(CACHE, (storeId) =>
    this.db.asSystem((tx) => findStoreBrand(tx, storeId)),
  );
  /** Brands with public snaps, under the one key ''. */
  private readonly publishers = new Remembered<readonly string[]>(CACHE, () =>
    this.db.asSystem((tx) => listPublicBrands(tx)),
  );

  constructor(
    private readonly db: Database,
    private readonly policies: PolicyStore,
    private readonly devices: DeviceDirectory,
  ) {}

  /** Null when the session's device is not there any more. Warm callers cost no SQL. */
  async open(caller: Caller, snapdVersion: string | null): Promise<StoreView | null> {
    const device = caller.session && (await this.devices.get(caller.session.deviceUid));
    if (caller.session && !device) return null;
    const home = device?.brandId ?? (caller.storeId && (await this.brands.get(caller.storeId)));
    const factsFor = (brandId: string): DeviceFacts =>
      toFacts(caller, device, brandId, snapdVersion);
    if (home) return this.viewOf(device, await this.policies.get(home), factsFor(home));
    if (caller.storeId) return { device, home: null, find: async () => null, list: async () => [] };
    return {
      device,
      home: null,
      find: async (by, value) => {
        const key = `${by} ${value}`;
        const owner = await this.owners.get(key);
        if (!owner) return null;
        const policy = await this.policies.get(owner.brandId);
        const seen = this.look(policy, by, value, factsFor(owner.brandId));
        // What is not shown takes as long as what is not there, which is asked for anew each time.
        if (seen === null) this.owners.forget(key);
        return seen;
      },
      list: async () => {
        const brands = (await this.publishers.get('')) ?? [];
        const shelves = brands.map(async (brandId) => {
          const all = this.lookAtAll(await this.policies.get(brandId), factsFor(brandId));
          // Others' snaps come from their own policies.
          return all.filter(({ snap }) => snap.brandId === brandId);
        });
        return (await Promise.all(shelves)).flat().sort(byName);
      },
    };
  }

  /** As the device itself would see its store, for people who ask about it. */
  async openFor(device: KnownDevice): Promise<StoreView> {
    const policy = await this.policies.getLatest(device.brandId);
    return this.viewOf(device, policy, factsOfDevice(device));
  }

  private viewOf(device: KnownDevice | null, policy: LoadedPolicy, facts: DeviceFacts): StoreView {
    return {
      device,
      home: { policy, facts },
      find: async (by, value) => this.look(policy, by, value, facts),
      list: async () => this.lookAtAll(policy, facts),
    };
  }

  /** Licences begin and end by mere time, so each look asks what time it is. */
  private look(
    policy: LoadedPolicy,
    by: 'name' | 'id',
    value: string,
    facts: DeviceFacts,
  ): SeenSnap | null {
    const { snaps } = policy.snapshot;
    const byId = Object.hasOwn(snaps, value) ? snaps[value] : undefined;
    const snap = by === 'name' ? policy.byName.get(value) : byId;
    const t = this.db.clock.now().getTime();
    return snap && isVisible(facts, snap, policy.snapshot, t) ? { snap, policy, facts } : null;
  }

  private lookAtAll(policy: LoadedPolicy, facts: DeviceFacts): SeenSnap[] {
    const t = this.db.clock.now().getTime();
    return Object.values(policy.snapshot.snaps)
      .filter((snap) => isVisible(facts, snap, policy.snapshot, t))
      .map((snap) => ({ snap, policy, facts }))
      .sort(byName);
  }
}

const byName = (a: SeenSnap, b: SeenSnap): number => (a.snap.name < b.snap.name ? -1 : 1);

/** A device as its own brand's policy takes it, by what it reported last. */
export function factsOfDevice(device: KnownDevice): DeviceFacts {
  const { brandId, storeId, reported } = device;
  const architecture = reported?.architecture ?? null;
  const caller = { session: null, wantsRenewal: false, storeId, architecture };
  return toFacts(caller, device, brandId, reported?.snapdVersion ?? null);
}

/** `brandId` is that of the policy which is asked; for a session it is the device's own. */
function toFacts(
  caller: Caller,
  device: KnownDevice | null,
  brandId: string,
  snapdVersion: string | null,
): DeviceFacts {
  return {
    uid: device?.uid ?? null,
    brandId,
    model: device?.model ?? null,
    serial: device?.serial ?? null,
    storeId: caller.storeId,
    hasBrandSerial: device !== null && device.serialAuthorityId === device.brandId,
    ...(!device && mayBuild(caller, brandId) && { mayBuild: true }),
    architecture: caller.architecture ?? device?.architecture ?? DEFAULT_ARCHITECTURE,
    timezone: device?.timezone ?? null,
    tags: device?.tags ?? {},
    snapdVersion,
    memory: toMemory(device),
  };
}

/** Any role that reaches over the whole store: whoever may see all that is in it may build images of it. */
function mayBuild({ grants, storeId }: Caller, brandId: string): boolean {
  return storeId !== null && mayDo(grants?.get(brandId) ?? [], 'member', [{ stores: [storeId] }]);
}

function toMemory(device: KnownDevice | null): Record<string, SnapMemory> {
  const snaps = Object.entries(device?.reported?.snaps ?? {});
  const observed = snaps.map(([key, { channel }]) => [key, { observedChannel: channel }] as const);
  const memory: Record<string, SnapMemory> = Object.fromEntries(observed);
  for (const [key, remembered] of Object.entries(device?.memories ?? {}))
    memory[key] = { ...remembered, ...memory[key] };
  return memory;
}
