import { FleetBaseline, LaneEvent, Rollout, type Tx } from '#libs/database';
import { In } from 'typeorm';
import type { Resources } from '../resources.js';
import { membersOf } from './fleet-members.js';
import { requireUuid } from './find.js';
import { planOfRow } from './rollout-act.js';

/**
 * Devices that an aborted rollout has left on its target, which nobody else gets: nobody moves them back, the next release
 * picks them up (update-control.md 2.5, U56).
 */
export class StrandedService {
  constructor(private readonly resources: Resources) {}

  /** How many there are, by what devices reported last; null for a rollout that was not aborted. */
  count(brandId: string, id: string): Promise<number | null> {
    return this.resources.db.asBrand(brandId, async (tx) => {
      const rolloutId = requireUuid(id, 'rollout');
      const row = await tx.findOneByOrFail(Rollout, { id: rolloutId, brandId });
      const { fleet, target } = planOfRow(row);
      if (row.state !== 'ABORTED' || target.kind !== 'revision') return null;
      const regular = await regularTargets(tx, row, target.revisions);
      let count = 0;
      for await (const { architecture, fact } of membersOf(tx, { ...fleet, brandId })) {
        const key = Object.hasOwn(target.revisions, architecture ?? '') ? architecture : 'all';
        const revision = target.revisions[key ?? ''];
        if (revision === undefined || regular.has(key ?? '')) continue;
        if (fact(`snap:${target.snapId}:revision`) === revision) count += 1;
      }
      return count;
    });
  }
}

/** Architectures for which the target has become what everybody of the fleet gets: nobody is stranded there. */
async function regularTargets(
  tx: Tx,
  { laneId, fleetId }: Rollout,
  revisions: Readonly<Record<string, number>>,
): Promise<Set<string>> {
  if (laneId === null) return new Set();
  const kinds = In(['release', 'close', 'promote', 'rollback']);
  const where = { laneId, kind: kinds };
  const events = await tx.find(LaneEvent, { where, order: { seq: 'DESC' } });
  const baselines = await tx.findBy(FleetBaseline, { laneId, fleetId });
  const isRegular = ([architecture, revision]: [string, number]): boolean => {
    const own = baselines.find((row) => row.architecture === architecture);
    if (own !== undefined) return own.revision === revision;
    const head = events.find(
      ({ architectures }) => architectures.length === 0 || architectures.includes(architecture),
    );
    return head?.revision === revision;
  };
  return new Set(
    Object.entries(revisions)
      .filter(isRegular)
      .map(([architecture]) => architecture),
  );
}
