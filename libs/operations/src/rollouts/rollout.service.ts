import { randomBytes } from 'node:crypto';
import { Approval, Rollout, RolloutTransition, Wave, addToOutbox, type Tx } from '#libs/database';
import {
  approvalProblem,
  nextState,
  planHash,
  type RolloutPlan,
  type RolloutState,
} from '#libs/update-control';
import { performAct } from '../brands/act.js';
import { actorOf, requireHuman, type Principal } from '../brands/principal.js';
import { OperationError } from '../operation-error.js';
import type { Resources } from '../resources.js';
import { ensureLane, getFleet, getSnap, requireUuid } from './find.js';
import { requireChannel } from './lane.service.js';
import { lockRollout, moveRollout, tooLate, type Move } from './move-rollout.js';
import { fleetOf, inheritedSalt, planOf, requirePlan, type RolloutOrder } from './rollout-order.js';
import { rolloutView, type RolloutView } from './rollout-view.js';

/** Which rollout, and optionally what the caller believes of it. */
export interface RolloutAct {
  readonly rolloutId: string;
  /** Refused with the current state when the rollout is at another revision by now. */
  readonly expectedRevision?: number | undefined;
  readonly reason?: string | undefined;
  readonly idempotencyKey?: string | undefined;
}

/** What people do with rollouts (update-control.md 2.5); what time does is in RolloutProgressService. */
export class RolloutService {
  constructor(private readonly resources: Resources) {}

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
      });
      const detail = { title: plan.title, planHash: row.planHash };
      return { result: rolloutView(row), subject: `rollout:${row.id}`, detail };
    });
  }

  /** A new plan for one that is not yet approved; approvals are void, unless only the title changed (U50). */
  edit(
    who: Principal,
    brandId: string,
    act: RolloutAct,
    order: RolloutOrder,
  ): Promise<RolloutView> {
    return this.act(who, brandId, 'edit-rollout', act, async (tx, row) => {
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
        nextDueAt: null,
        set: { ...columns, lastEditorId: who.personId },
      });
      await tx.delete(Wave, { rolloutId: row.id });
      await insertWaves(tx, moved, plan);
      return moved;
    });
  }

  /** Freezes the fleet's definition into the plan and asks for approval. */
  submit(who: Principal, brandId: string, act: RolloutAct): Promise<RolloutView> {
    return this.act(who, brandId, 'submit-rollout', act, async (tx, row) => {
      const fleet = await getFleet(tx, brandId, row.fleetId);
      const plan: RolloutPlan = { ...planOfRow(row), fleet: fleetOf(fleet) };
      const { population } = await requirePlan(tx, plan, fleet, this.now);
      const hash = planHash(plan);
      return moveRollout(tx, this.now, row, {
        event: 'submit',
        ...by(who, 'submitted'),
        evidence: { planHash: hash, population },
        nextDueAt: plan.expiresAt === null ? null : new Date(plan.expiresAt),
        set: { plan, planHash: hash },
      });
    });
  }

  /**
   * Says yes to exactly the plan of this hash: a person, not the author, not the last editor (U49). The last approval that
   * is needed schedules the rollout. Throws `forbidden` or `conflict` with the reason.
   */
  approve(
    who: Principal,
    brandId: string,
    act: RolloutAct & { readonly planHash: string },
  ): Promise<RolloutView> {
    return this.act(who, brandId, 'approve-rollout', act, async (tx, row) => {
      if (row.state !== 'PENDING_APPROVAL') throw tooLate(row, 'approve');
      const approvals = await tx.findBy(Approval, {
        rolloutId: row.id,
        planHash: row.planHash,
        rev: row.rev,
        verdict: 'approved',
      });
      const approvedBy = approvals.map(({ personId }) => personId);
      const isHuman = who.kind === 'session';
      const problem = approvalProblem(
        { ...who, isHuman, planHash: act.planHash },
        { ...row, approvedBy },
      );
      if (problem !== null)
        throw new OperationError(
          act.planHash === row.planHash ? 'forbidden' : 'conflict',
          problem,
          { current: rolloutView(row) },
        );
      await this.insertVerdict(tx, who, row, 'approved', act.reason);
      const plan = planOfRow(row);
      // A critical rollout pierces windows: one more pair of eyes (update-control.md 2.9).
      const needed = plan.isCritical ? 2 : 1;
      if (approvedBy.length + 1 < needed) return row;
      return moveRollout(tx, this.now, row, {
        event: 'approve',
        ...by(who, 'approved', act.reason),
        evidence: { planHash: row.planHash, approvedBy: [...approvedBy, who.personId] },
        nextDueAt: plan.startAt === null ? this.now : new Date(plan.startAt),
      });
    });
  }

  reject(who: Principal, brandId: string, act: RolloutAct): Promise<RolloutView> {
    requireHuman(who, 'reject a rollout');
    return this.act(who, brandId, 'reject-rollout', act, async (tx, row) => {
      const moved = await moveRollout(tx, this.now, row, {
        event: 'reject',
        ...by(who, 'rejected', act.reason),
        nextDueAt: null,
      });
      await this.insertVerdict(tx, who, moved, 'rejected', act.reason);
      return moved;
    });
  }

  /** Devices not yet on the target count as not admitted; those on it stay. */
  pause(who: Principal, brandId: string, act: RolloutAct): Promise<RolloutView> {
    const move = { event: 'pause', nextDueAt: null } as const;
    return this.move(who, brandId, 'pause-rollout', act, 'paused', () => move);
  }

  resume(who: Principal, brandId: string, act: RolloutAct): Promise<RolloutView> {
    return this.move(who, brandId, 'resume-rollout', act, 'resumed', () => ({
      event: 'resume',
      nextDueAt: this.now,
    }));
  }

  /** No new offers; nobody is moved back. */
  abort(who: Principal, brandId: string, act: RolloutAct): Promise<RolloutView> {
    return this.move(who, brandId, 'abort-rollout', act, 'aborted', (row) => ({
      event: row.state === 'ACTIVE' || row.state === 'PAUSED' ? 'abort' : 'cancel',
      nextDueAt: null,
    }));
  }

  /** A person's word that a wave is good (none named: the open one), where the plan asks for it. Said twice of one wave, it is said once. */
  advance(
    who: Principal,
    brandId: string,
    act: RolloutAct & { readonly waveNo?: number | undefined },
  ): Promise<RolloutView> {
    return this.act(who, brandId, 'advance-rollout', act, async (tx, row) => {
      const waves = await tx.findBy(Wave, { rolloutId: row.id });
      const wave = waves.find(({ no, state }) =>
        act.waveNo === undefined ? state === 'OPEN' : no === act.waveNo,
      );
      if (wave === undefined) throw tooLate(row, 'advance a wave of');
      const gates = planOfRow(row).waves[wave.no - 1]?.gates ?? [];
      if (!gates.some(({ kind }) => kind === 'manual'))
        throw new OperationError(
          'invalid',
          `cannot advance wave ${wave.no}: its plan has no manual gate`,
          { paths: ['wave'] },
        );
      if (wave.advancedAt !== null) return row;
      if (row.state !== 'ACTIVE' || wave.state !== 'OPEN')
        throw tooLate(row, `advance wave ${wave.no} of`);
      await tx.update(
        Wave,
        { rolloutId: row.id, no: wave.no },
        { advancedAt: this.now, rev: wave.rev + 1 },
      );
      await addToOutbox(tx, 'rollout-tick', { rolloutId: row.id, brandId, rev: row.rev });
      return row;
    });
  }

  find(brandId: string, id: string): Promise<RolloutView | null> {
    const rolloutId = requireUuid(id, 'rollout');
    return this.resources.db.asBrand(brandId, async (tx) => {
      const row = await tx.findOneBy(Rollout, { id: rolloutId, brandId });
      return row === null ? null : rolloutView(row);
    });
  }

  /** Newest first. */
  list(brandId: string, limit: number): Promise<RolloutView[]> {
    return this.resources.db.asBrand(brandId, async (tx) => {
      const order = { createdAt: 'DESC' } as const;
      const rows = await tx.find(Rollout, { where: { brandId }, order, take: limit });
      return rows.map(rolloutView);
    });
  }

  private get now(): Date {
    return this.resources.db.clock.now();
  }

  private async planned(
    tx: Tx,
    brandId: string,
    order: RolloutOrder,
  ): Promise<{
    plan: RolloutPlan;
    columns: Pick<Rollout, 'snapId' | 'laneId' | 'fleetId' | 'name' | 'plan' | 'planHash'>;
  }> {
    const snap = await getSnap(tx, brandId, order.snap);
    const fleet = await getFleet(tx, brandId, order.fleetId);
    const plan = await planOf(tx, order, snap, fleet);
    await requirePlan(tx, plan, fleet, this.now);
    const lane = await ensureLane(tx, snap, requireChannel(order.channel, snap.defaultTrack));
    const columns = {
      snapId: snap.id,
      laneId: lane.id,
      fleetId: fleet.id,
      name: plan.title,
      plan,
      planHash: planHash(plan),
    };
    return { plan, columns };
  }

  private move(
    who: Principal,
    brandId: string,
    action: string,
    act: RolloutAct,
    cause: string,
    move: (row: Rollout) => Pick<Move, 'event' | 'nextDueAt'>,
  ): Promise<RolloutView> {
    return this.act(who, brandId, action, act, (tx, row) =>
      moveRollout(tx, this.now, row, { ...move(row), ...by(who, cause, act.reason) }),
    );
  }

  /** The frame: lock, compare with what the caller believes, work, audit. */
  private act(
    who: Principal,
    brandId: string,
    action: string,
    { idempotencyKey, ...request }: RolloutAct,
    work: (tx: Tx, row: Rollout) => Promise<Rollout>,
  ): Promise<RolloutView> {
    const act = { who, brandId, action, idempotencyKey, request };
    return performAct(this.resources.db, act, async (tx) => {
      const id = requireUuid(request.rolloutId, 'rollout');
      const row = await lockRollout(tx, brandId, id);
      if (row === null) throw new OperationError('not-found', `cannot find rollout ${id}`);
      if (request.expectedRevision !== undefined && request.expectedRevision !== row.rev)
        throw new OperationError(
          'conflict',
          `cannot act on revision ${request.expectedRevision}: the rollout is at ${row.rev}`,
          {
            current: rolloutView(row),
          },
        );
      const before = row.state;
      const after = await work(tx, row);
      return {
        result: rolloutView(after),
        subject: `rollout:${id}`,
        reason: request.reason ?? '',
        detail: { before, after: after.state, rev: after.rev, planHash: after.planHash },
      };
    });
  }

  private async insertVerdict(
    tx: Tx,
    who: Principal,
    row: Rollout,
    verdict: Approval['verdict'],
    note = '',
  ): Promise<void> {
    const { id: rolloutId, brandId, planHash: hash, rev } = row;
    await tx.insert(Approval, {
      ...{ rolloutId, brandId, planHash: hash, rev },
      personId: who.personId,
      verdict,
      note,
    });
  }
}

// Only this room writes plans, checked ones.
const planOfRow = (row: Rollout): RolloutPlan => row.plan as RolloutPlan;

const by = (who: Principal, cause: string, reason?: string): Pick<Move, 'actor' | 'cause'> => ({
  actor: actorOf(who),
  cause: reason ? `${cause}: ${reason}` : cause,
});

async function insertWaves(tx: Tx, { id, brandId }: Rollout, plan: RolloutPlan): Promise<void> {
  await tx.insert(
    Wave,
    plan.waves.map((_, index) => ({ rolloutId: id, no: index + 1, brandId })),
  );
}
