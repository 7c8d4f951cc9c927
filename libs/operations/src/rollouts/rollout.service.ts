import { randomBytes } from 'node:crypto';
import { Rollout, RolloutTransition, Wave, type Tx } from '#libs/database';
import { nextState, planHash, type RolloutPlan, type RolloutState } from '#libs/update-control';
import { performAct } from '../brands/act.js';
import { actorOf, type Principal } from '../brands/principal.js';
import { keepQuota } from '../brands/quota.js';
import { OperationError } from '../operation-error.js';
import type { Resources } from '../resources.js';
import type { Page } from '../brands/reader.js';
import type { Seen } from '../brands/sight.js';
import { approveIfNoneNeeded } from './approval-count.js';
import { getFleet, requireUuid } from './find.js';
import { moveRollout } from './move-rollout.js';
import { requirePlan } from './plan-facts.js';
import { PreviewService, keepPreview } from './preview/preview.service.js';
import { actOnRollout, by, planOfRow, type RolloutAct } from './rollout-act.js';
import { checkOrder, type RolloutCheck } from './rollout-check.js';
import { fleetOf, inheritedSalt, planOf, type RolloutOrder } from './rollout-order.js';
import { rolloutView, type RolloutView } from './rollout-view.js';
import { targetColumns, type TargetColumns } from './target-columns.js';

/**
 * The plans of rollouts, until they wait for approval (update-control.md 2.5). Yes and no are in RolloutApprovalService, pause
 * and abort in RolloutControlService, what time does in RolloutProgressService.
 */
export class RolloutService {
  private readonly previews: PreviewService;

  constructor(private readonly resources: Resources) {
    this.previews = new PreviewService(resources);
  }

  /** Throws `invalid` with a path for every problem of the plan. */
  create(who: Principal, brandId: string, order: RolloutOrder, key?: string): Promise<RolloutView> {
    const act = { who, brandId, action: 'create-rollout', idempotencyKey: key, request: order };
    return performAct(this.resources.db, act, async (tx) => {
      const { plan, columns } = await this.planned(tx, brandId, order);
      const salt =
        order.inheritSaltFrom === undefined
          ? randomBytes(16)
          : await inheritedSalt(tx, brandId, requireUuid(order.inheritSaltFrom, 'rollout'));
      const row = await tx.save(
        tx.create(Rollout, {
          ...columns,
          brandId,
          salt,
          authorId: who.personId,
          lastEditorId: who.personId,
        }),
      );
      await insertWaves(tx, row, plan);
      await tx.insert(RolloutTransition, {
        rolloutId: row.id,
        seq: row.rev,
        brandId,
        fromState: null,
        toState: 'DRAFT',
        actor: actorOf(who),
        cause: 'created',
        evidence: { planHash: row.planHash },
      });
      const detail = { title: plan.title, planHash: row.planHash };
      return { result: rolloutView(row), subject: `rollout:${row.id}`, detail };
    });
  }

  /** What would become of an order, without writing anything. */
  check(brandId: string, order: RolloutOrder): Promise<RolloutCheck> {
    const { db } = this.resources;
    return db.asBrand(brandId, (tx) => checkOrder(tx, brandId, order, db.clock.now()));
  }

  /** A new plan for one that is not yet approved; approvals are void, unless only the title changed (U50). */
  edit(
    who: Principal,
    brandId: string,
    act: RolloutAct,
    order: RolloutOrder,
  ): Promise<RolloutView> {
    return actOnRollout(this.resources, who, brandId, 'edit-rollout', act, async (tx, row) => {
      if (row.parentId !== null)
        throw new OperationError(
          'conflict',
          'cannot edit a rollback: reject or abort it and draft another one',
          { current: rolloutView(row) },
        );
      const { plan, columns } = await this.planned(tx, brandId, order);
      if (columns.planHash === row.planHash) {
        await tx.update(Rollout, { id: row.id }, { name: plan.title, plan });
        return Object.assign(row, { name: plan.title, plan });
      }
      if (nextState(row.state as RolloutState, 'edit') === null)
        throw new OperationError(
          'conflict',
          `cannot edit a rollout that is ${row.state}: abort it and start a new one, with inheritSaltFrom to keep the same first devices`,
          { current: rolloutView(row) },
        );
      if (row.state !== 'DRAFT' && row.authorId !== who.personId)
        throw new OperationError('forbidden', 'cannot edit a submitted rollout of somebody else');
      const moved = await moveRollout(tx, this.now, row, {
        event: 'edit',
        ...by(who, 'edited'),
        evidence: { planHash: columns.planHash, before: row.planHash },
        nextDueAt: null,
        set: { ...columns, lastEditorId: who.personId },
      });
      await tx.delete(Wave, { rolloutId: row.id });
      await insertWaves(tx, moved, plan);
      return moved;
    });
  }

  /**
   * Freezes the fleet's definition into the plan, stores with it what it would do, and asks for approval of both, where the
   * brand wants any.
   */
  async submit(who: Principal, brandId: string, act: RolloutAct): Promise<RolloutView> {
    const shown = await this.previewOfDraft(brandId, act.rolloutId);
    return actOnRollout(this.resources, who, brandId, 'submit-rollout', act, async (tx, row) => {
      const fleet = await getFleet(tx, brandId, row.fleetId);
      const plan: RolloutPlan = { ...planOfRow(row), fleet: fleetOf(fleet) };
      const { population } = await requirePlan(tx, plan, fleet, this.now);
      const hash = planHash(plan);
      if (
        nextState(row.state as RolloutState, 'submit') !== null &&
        shown?.preview.planHash !== hash
      )
        throw new OperationError('conflict', 'cannot submit a plan that changed meanwhile', {
          current: rolloutView(row),
        });
      const submitted = await moveRollout(tx, this.now, row, {
        event: 'submit',
        ...by(who, 'submitted'),
        evidence: { planHash: hash, population, previewHash: shown?.hash ?? null },
        nextDueAt: plan.expiresAt === null ? null : new Date(plan.expiresAt),
        set: { plan, planHash: hash },
      });
      // What takes a live one back needs no room of its own.
      if (plan.replaces === null) await keepQuota(tx, brandId, 'rollouts under way');
      if (shown !== null) await keepPreview(tx, submitted, shown);
      return approveIfNoneNeeded(tx, this.now, submitted, actorOf(who));
    });
  }

  /** Takes a submitted plan back to work on it; what was said of it does not count any more. */
  withdraw(who: Principal, brandId: string, act: RolloutAct): Promise<RolloutView> {
    return actOnRollout(this.resources, who, brandId, 'withdraw-rollout', act, (tx, row) => {
      if (row.authorId !== who.personId)
        throw new OperationError('forbidden', 'cannot withdraw a rollout of somebody else');
      return moveRollout(tx, this.now, row, {
        event: 'withdraw',
        ...by(who, 'withdrawn', act.reason),
        evidence: { planHash: row.planHash },
        nextDueAt: null,
      });
    });
  }

  find(brandId: string, id: string): Promise<RolloutView | null> {
    const rolloutId = requireUuid(id, 'rollout');
    return this.resources.db.asBrand(brandId, async (tx) => {
      const row = await tx.findOneBy(Rollout, { id: rolloutId, brandId });
      return row === null ? null : rolloutView(row);
    });
  }

  /** Newest first; `after`: id of the last rollout of the page before. */
  list(
    brandId: string,
    limit: number,
    after: string | null = null,
    seen: Seen | null = null,
  ): Promise<Page<RolloutView>> {
    return this.resources.db.asBrand(brandId, async (tx) => {
      const query = tx
        .createQueryBuilder(Rollout, 'rollout')
        .where('rollout.brand_id = :brandId', { brandId })
        .orderBy('rollout.created_at', 'DESC')
        .addOrderBy('rollout.id', 'DESC')
        .take(limit + 1);
      if (after !== null)
        query.andWhere(
          '(rollout.created_at, rollout.id) < (SELECT r.created_at, r.id FROM store.rollouts r WHERE r.id = :after)',
          { after },
        );
      if (seen !== null)
        query
          .andWhere('rollout.fleet_id = ANY(:fleets)', { fleets: [...seen.fleets] })
          .andWhere('rollout.snap_id = ANY(:snaps)', { snaps: [...seen.snaps] });
      const rows = await query.getMany();
      return { rows: rows.slice(0, limit).map(rolloutView), hasMore: rows.length > limit };
    });
  }

  /** Made before the transaction of the act: it may take a while. Null where `submit` itself will say what is wrong. */
  private async previewOfDraft(
    brandId: string,
    rolloutId: string,
  ): Promise<Awaited<ReturnType<PreviewService['prepare']>> | null> {
    const row = await this.find(brandId, rolloutId);
    if (row?.state !== 'DRAFT') return null;
    try {
      return await this.previews.prepare(brandId, rolloutId);
    } catch (error) {
      if (error instanceof OperationError) return null;
      throw error;
    }
  }

  private get now(): Date {
    return this.resources.db.clock.now();
  }

  private async planned(
    tx: Tx,
    brandId: string,
    order: RolloutOrder,
  ): Promise<{ plan: RolloutPlan; columns: PlanColumns }> {
    const fleet = await getFleet(tx, brandId, order.fleetId);
    const plan = await planOf(tx, brandId, order, fleet);
    await requirePlan(tx, plan, fleet, this.now);
    const columns = {
      ...(await targetColumns(tx, brandId, plan)),
      fleetId: fleet.id,
      name: plan.title,
      plan,
      planHash: planHash(plan),
    };
    return { plan, columns };
  }
}

type PlanColumns = TargetColumns & Pick<Rollout, 'fleetId' | 'name' | 'plan' | 'planHash'>;

async function insertWaves(tx: Tx, { id, brandId }: Rollout, plan: RolloutPlan): Promise<void> {
  await tx.insert(
    Wave,
    plan.waves.map((_, index) => ({ rolloutId: id, no: index + 1, brandId })),
  );
}
