import {
  findPolicySnapshot,
  findPolicyVersion,
  findSnapshotVersion,
  listPolicyVersions,
  readOverlay,
  type PolicyVersions,
} from '#libs/database';
import { RESOLVER_VERSION, type PolicySnapshot } from '#libs/update-control';
import { OneAtATime } from '../one-at-a-time.js';
import type { Resources } from '../resources.js';
import { CompilePolicyService } from './compile-policy.service.js';
import {
  hasForgotten,
  hasSameOverlay,
  holdPolicy,
  type HeldPolicy,
  type LoadedPolicy,
} from './held-policy.js';

const CHECK_EVERY_MS = 2_000;
/** Without a version check for this long a policy may be outdated: then nothing moves (update-control.md 2.6, 3.3). */
const STALE_AFTER_MS = 30_000;
/** And after this long a balancer should send nobody here (update-control.md 3.3). */
const UNREADY_AFTER_MS = 60_000;

/** Monotonic: no wall clock has a say in how old a policy is. */
const uptimeMs = (): number => process.uptime() * 1_000;

export interface PolicyStoreOptions {
  /** The newest form of snapshots that this process reads. */
  readonly understood?: number;
}

/**
 * The policies of the brands whose devices call this process: compiled snapshots under their overlays. Loaded on demand,
 * renewed when NOTIFY or the check every two seconds finds something newer, straight from Postgres: stops, pauses and
 * leases need neither worker nor queue (update-control.md 3.3).
 */
export class PolicyStore {
  private readonly held = new Map<string, Promise<HeldPolicy>>();
  /** When it was last known that what is held is the latest. */
  private readonly confirmedAt = new Map<string, number>();
  private readonly compiler: CompilePolicyService;
  private readonly understood: number;
  private readonly checks = new OneAtATime(() => this.keepUp());
  private timer: NodeJS.Timeout | undefined;
  private checkedAt = uptimeMs();
  private notUnderstood = 0;

  constructor(
    private readonly resources: Pick<Resources, 'db' | 'alarm'>,
    options: PolicyStoreOptions = {},
  ) {
    this.compiler = new CompilePolicyService(resources);
    this.understood = options.understood ?? RESOLVER_VERSION;
  }

  start(): void {
    for (const channel of ['policy', 'policy-overlay'])
      this.resources.db.listener.on(channel, (brandId) => this.onNotice(brandId));
    this.timer = setInterval(() => void this.check().catch(() => undefined), CHECK_EVERY_MS);
    this.timer.unref();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** True when nobody could ask Postgres for 30 s whether the brand's policy is the latest, or the time is not to be trusted. */
  isStale(brandId: string): boolean {
    const since = this.confirmedAt.get(brandId) ?? this.checkedAt;
    return this.resources.db.clock.isFarOff || uptimeMs() - since > STALE_AFTER_MS;
  }

  /** For readiness: throws when Postgres could not be asked for a minute. */
  assertInTouch(): void {
    const ageMs = uptimeMs() - this.checkedAt;
    if (ageMs > UNREADY_AFTER_MS)
      throw new Error(`cannot tell whether policies hold: not checked for ${Math.round(ageMs)} ms`);
  }

  /** The brand's policy; compiled here and now when it never was. Callers at the same time share one loading. */
  async get(brandId: string): Promise<LoadedPolicy> {
    const known = this.held.get(brandId);
    if (known) return known;
    const loading = this.load(brandId);
    this.held.set(brandId, loading);
    try {
      return await loading;
    } catch (error) {
      this.held.delete(brandId);
      throw error;
    }
  }

  /** As `get`, and surely not older than the newest at the time of the call: for people, not for polls. */
  async getLatest(brandId: string): Promise<LoadedPolicy> {
    await this.get(brandId);
    await this.check();
    return this.get(brandId);
  }

  /** Asks for the versions of all that is held, and takes what is newer. */
  check(): Promise<void> {
    return this.checks.run();
  }

  /** An empty payload follows a reconnect: anything may have been missed. */
  private async onNotice(brandId: string): Promise<void> {
    if (brandId === '' || this.held.has(brandId)) await this.check();
  }

  private async keepUp(): Promise<void> {
    const { db } = this.resources;
    const askedAt = uptimeMs();
    const brands = [...this.held.keys()];
    const found = await db.asSystem((tx) => listPolicyVersions(tx, brands, this.understood));
    this.checkedAt = askedAt;
    // Of several brands none waits for another's large snapshot: stops of all first.
    const outcomes = await Promise.allSettled(found.map((now) => this.renew(now, askedAt)));
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failed) throw failed.reason;
  }

  /** The overlay first, and alone: a stop does not wait for a snapshot. */
  private async renew(now: PolicyVersions, askedAt: number): Promise<void> {
    const { brandId } = now;
    let held = await this.held.get(brandId)?.catch(() => undefined);
    if (!held) return;
    if (hasForgotten(now, held)) return this.recover(brandId, held);
    this.noticeNewer(now);
    if (!hasSameOverlay(held, now)) {
      const before = held.fleetStops;
      held = this.keep(brandId, await this.withNewestOverlay(held));
      // Who is in a fleet is said by the snapshot: a stop of a fleet wants the newest, whoever has to compile it.
      if ([...held.fleetStops].some((id) => !before.has(id)) && (await this.isBehind(brandId))) {
        await this.compiler.compile(brandId);
        this.keep(brandId, await this.load(brandId));
        return;
      }
    }
    // Null, or lower: what is there is not understood, or was forgotten to be kept; the one held goes on.
    if ((now.version ?? 0) > held.seen.version) this.keep(brandId, await this.load(brandId));
    this.confirmedAt.set(brandId, askedAt);
  }

  private keep(brandId: string, policy: HeldPolicy): HeldPolicy {
    this.held.set(brandId, Promise.resolve(policy));
    return policy;
  }

  /** Reads after a doubt: only what was read later than the doubtful can prove that the database forgot something (U62). */
  private async recover(brandId: string, held: HeldPolicy): Promise<void> {
    const fresh = await this.load(brandId);
    if (hasForgotten(fresh.seen, held))
      this.resources.alarm?.('policy-lost', { brandId, held: held.seen, found: fresh.seen });
    this.keep(brandId, fresh);
  }

  /** During a deployment others may run a newer resolver; here the last snapshot that is understood goes on (U69). */
  private noticeNewer({ brandId, version, newest }: PolicyVersions): void {
    if (newest === null || newest === version || newest <= this.notUnderstood) return;
    this.notUnderstood = newest;
    this.resources.alarm?.('policy-not-understood', { brandId, version, newest });
  }

  private async isBehind(brandId: string): Promise<boolean> {
    return this.resources.db.asSystem(
      async (tx) =>
        (await findPolicyVersion(tx, brandId)) > (await findSnapshotVersion(tx, brandId)),
    );
  }

  private async withNewestOverlay(held: HeldPolicy): Promise<HeldPolicy> {
    const { snapshot, byName } = held;
    const overlay = await this.resources.db.asSystem((tx) => readOverlay(tx, snapshot.brandId));
    return holdPolicy(snapshot, overlay, byName);
  }

  private async load(brandId: string): Promise<HeldPolicy> {
    const askedAt = uptimeMs();
    let stored = await this.find(brandId);
    if (stored === null) {
      await this.compiler.compile(brandId);
      stored = await this.find(brandId);
    }
    if (stored === null) throw new Error(`cannot read the policy of ${brandId}: it is too new`);
    // After the snapshot, so that it is never the older of the two.
    const overlay = await this.resources.db.asSystem((tx) => readOverlay(tx, brandId));
    this.confirmedAt.set(brandId, askedAt);
    return holdPolicy(stored, overlay);
  }

  private async find(brandId: string): Promise<PolicySnapshot | null> {
    const { db } = this.resources;
    // Written by CompilePolicyService; newer forms are passed over.
    return (await db.asSystem((tx) =>
      findPolicySnapshot(tx, brandId, this.understood),
    )) as PolicySnapshot | null;
  }
}
