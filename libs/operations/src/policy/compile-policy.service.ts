import {
  findPolicySnapshot,
  insertPolicySnapshot,
  prunePolicySnapshots,
  raiseVersionsOfWatchers,
  readPolicyInputs,
} from '#libs/database';
import { compilePolicy, RESOLVER_VERSION, type PolicySnapshot } from '#libs/update-control';
import type { Resources } from '../resources.js';
import { shownToOthers } from './shown-to-others.js';
import { toPolicyRows } from './to-policy-rows.js';

const KEPT_SNAPSHOTS = 100;

export interface CompileOutcome {
  readonly version: number;
  /** False: a snapshot of this or a higher version was there already. */
  readonly isNew: boolean;
}

/** Turns a brand's policy into the one immutable value that decisions read (update-control.md 2.2). */
export class CompilePolicyService {
  constructor(private readonly resources: Pick<Resources, 'db'>) {}

  /**
   * Compiles the policy as it is now; running twice, or late, changes nothing, because a lower version never replaces a
   * higher one. When what other brands can see of this one changed, their versions are raised in the same transaction that
   * keeps the snapshot: each of them gets a compilation of its own, and none waits for another brand's transactions.
   */
  async compile(brandId: string): Promise<CompileOutcome> {
    const { db } = this.resources;
    const inputs = await db.asSystem((tx) => readPolicyInputs(tx, brandId));
    const snapshot = compilePolicy(toPolicyRows(inputs));
    return db.asSystem(async (tx) => {
      await tx.query(`SELECT pg_advisory_xact_lock(hashtext('policy ' || $1))`, [brandId]);
      // Written by this method.
      const before = (await findPolicySnapshot(
        tx,
        brandId,
        RESOLVER_VERSION,
      )) as PolicySnapshot | null;
      const isNew = await insertPolicySnapshot(tx, snapshot);
      if (isNew) {
        await prunePolicySnapshots(tx, brandId, KEPT_SNAPSHOTS);
        if (shownToOthers(before, brandId) !== shownToOthers(snapshot, brandId)) {
          await raiseVersionsOfWatchers(tx, brandId);
        }
      }
      return { version: snapshot.version, isNew };
    });
  }
}
