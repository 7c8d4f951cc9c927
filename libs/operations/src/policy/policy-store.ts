import { findPolicySnapshot, listPolicyVersions } from '#libs/database';
import { assertUnderstood, type PolicySnapshot, type SnapPolicy } from '#libs/update-control';
import type { Resources } from '../resources.js';
import { CompilePolicyService } from './compile-policy.service.js';

const CHECK_EVERY_MS = 5_000;
/** Without a version check for this long a policy may be outdated: then nothing moves (update-control.md 2.6, 3.3). */
const STALE_AFTER_MS = 30_000;

/** A brand's policy as this process has it. */
export interface LoadedPolicy {
  readonly snapshot: PolicySnapshot;
  readonly byName: ReadonlyMap<string, SnapPolicy>;
}

/**
 * The compiled policies of the brands whose devices call this process: loaded on demand, renewed when NOTIFY 'policy' or
 * the check every five seconds finds a higher version, never replaced by a lower one.
 */
export class PolicyStore {
  private readonly held = new Map<string, Promise<LoadedPolicy>>();
  private readonly compiler: CompilePolicyService;
  private timer: NodeJS.Timeout | undefined;
  private checkedAt = process.uptime();

  constructor(private readonly resources: Pick<Resources, 'db'>) {
    this.compiler = new CompilePolicyService(resources);
  }

  start(): void {
    this.resources.db.listener.on('policy', (brandId) => this.onNotice(brandId));
    this.timer = setInterval(() => void this.check().catch(() => undefined), CHECK_EVERY_MS);
    this.timer.unref();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** True when nobody could ask Postgres for 30 s whether the policies held here are the latest. */
  get isStale(): boolean {
    return (process.uptime() - this.checkedAt) * 1000 > STALE_AFTER_MS;
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

  /** As `get`, and surely not older than the newest snapshot at the time of the call: for people, not for polls. */
  async getLatest(brandId: string): Promise<LoadedPolicy> {
    await this.get(brandId);
    await this.check();
    return this.get(brandId);
  }

  /** Asks for the versions of all that is held, and takes what is newer. */
  async check(): Promise<void> {
    const { db } = this.resources;
    const versions = await db.asSystem((tx) => listPolicyVersions(tx, [...this.held.keys()]));
    this.checkedAt = process.uptime();
    for (const [brandId, version] of versions) {
      if (version > (await this.heldVersion(brandId))) await this.renew(brandId);
    }
  }

  /** An empty payload follows a reconnect: anything may have been missed. */
  private async onNotice(brandId: string): Promise<void> {
    if (brandId === '' || this.held.has(brandId)) await this.check();
  }

  /** Two renewals may overlap: the version is compared after loading, with what is held by then. */
  private async renew(brandId: string): Promise<void> {
    const newer = await this.load(brandId);
    if (newer.snapshot.version > (await this.heldVersion(brandId))) {
      this.held.set(brandId, Promise.resolve(newer));
    }
  }

  /** Infinity while nothing is held: then there is nothing to renew. */
  private async heldVersion(brandId: string): Promise<number> {
    const held = await this.held.get(brandId)?.catch(() => undefined);
    return held?.snapshot.version ?? Infinity;
  }

  private async load(brandId: string): Promise<LoadedPolicy> {
    const { db } = this.resources;
    const find = (): Promise<unknown> => db.asSystem((tx) => findPolicySnapshot(tx, brandId));
    let stored = await find();
    if (stored === null) {
      await this.compiler.compile(brandId);
      stored = await find();
    }
    // Written by CompilePolicyService; a newer resolver's snapshot is refused, and the one held goes on (update-control.md 2.6).
    const snapshot = stored as PolicySnapshot;
    assertUnderstood(snapshot);
    const byName = new Map(Object.values(snapshot.snaps).map((snap) => [snap.name, snap]));
    return { snapshot, byName };
  }
}
