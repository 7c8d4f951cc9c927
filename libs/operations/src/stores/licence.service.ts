import { Account, BrandStore, Licence, Snap, recordAudit, type Tx } from '#libs/database';
import { performAct } from '../brands/act.js';
import { actorOf, type Principal } from '../brands/principal.js';
import { requireReason } from '../brands/require-reason.js';
import { OperationError } from '../operation-error.js';
import type { Resources } from '../resources.js';
import { getSnap, requireUuid } from '../rollouts/find.js';

export interface LicenceOrder {
  /** One of the brand's own snaps, by name or id. */
  readonly snap: string;
  /** Either the id of a store … */
  readonly store?: string | undefined;
  /** … or a model as `brand-id/model`. */
  readonly model?: string | undefined;
  /** By default now. */
  readonly startsAt?: Date | undefined;
  /** By default open: until somebody ends it. */
  readonly endsAt?: Date | undefined;
  readonly reason: string;
}

/** `offered`: the other brand has not accepted it yet. `waiting`: it begins later. */
export type LicenceState = 'offered' | 'waiting' | 'running' | 'ended';

export interface LicenceView extends Licence {
  readonly snapName: string;
  readonly state: LicenceState;
}

/**
 * What is not public, brought to a store or a model (S6, S34). Two consent: the owner of the snap grants, the brand that the
 * store or model belongs to accepts, because what its stores do not take does not exist there (S4). For one's own stores
 * both are one act. Either side may end it.
 */
export class LicenceService {
  constructor(private readonly resources: Resources) {}

  grant(who: Principal, brandId: string, order: LicenceOrder, key?: string): Promise<LicenceView> {
    requireReason(order.reason);
    const { db } = this.resources;
    const now = db.clock.now();
    const { startsAt = now, endsAt } = order;
    if (endsAt !== undefined && (endsAt <= startsAt || endsAt <= now))
      throw new OperationError('invalid', 'cannot grant a licence that is over before it begins', {
        paths: ['endsAt'],
      });
    const act = {
      who,
      brandId,
      acrossBrands: true,
      action: 'grant-licence',
      idempotencyKey: key,
      request: order,
    };
    return performAct(db, act, async (tx) => {
      const snap = await getSnap(tx, brandId, order.snap);
      const licensee = await findLicensee(tx, order);
      const row = await tx.save(
        tx.create(Licence, {
          ...licensee,
          ownerId: brandId,
          snapId: snap.id,
          startsAt,
          endsAt: endsAt ?? null,
          reason: order.reason,
          acceptedAt: licensee.brandId === brandId ? now : null,
        }),
      );
      return this.done(tx, who, brandId, 'grant-licence', toView(row, snap, now), order.reason);
    });
  }

  /** The brand of the store or model takes the snap. Throws `conflict` for a licence that is over. */
  accept(who: Principal, brandId: string, id: string, reason: string): Promise<LicenceView> {
    return this.change(who, brandId, { id, reason, action: 'accept-licence' }, (row, now) => {
      if (row.brandId !== brandId) throw notFound(id);
      return { acceptedAt: row.acceptedAt ?? now };
    });
  }

  /** Over from now on, whoever of the two says so. */
  end(who: Principal, brandId: string, id: string, reason: string): Promise<LicenceView> {
    return this.change(who, brandId, { id, reason, action: 'end-licence' }, (_row, now) => ({
      endsAt: now,
    }));
  }

  /** What the brand granted and what it was granted, newest first. */
  list(brandId: string): Promise<LicenceView[]> {
    const now = this.resources.db.clock.now();
    return this.resources.db.asSystem(async (tx) => {
      const rows = await tx.find(Licence, {
        where: [{ brandId }, { ownerId: brandId }],
        order: { createdAt: 'DESC', id: 'ASC' },
      });
      const views: LicenceView[] = [];
      for (const row of rows) views.push(await viewOf(tx, row, now));
      return views;
    });
  }

  private change(
    who: Principal,
    brandId: string,
    { id, reason, action }: { id: string; reason: string; action: string },
    plan: (row: Licence, now: Date) => Partial<Pick<Licence, 'acceptedAt' | 'endsAt'>>,
  ): Promise<LicenceView> {
    requireReason(reason);
    const { db } = this.resources;
    const act = { who, brandId, acrossBrands: true, action, request: { id, reason } };
    return performAct(db, act, async (tx) => {
      const row = await tx.findOne(Licence, {
        where: { id: requireUuid(id, 'licence') },
        lock: { mode: 'pessimistic_write' },
      });
      if (row?.brandId !== brandId && row?.ownerId !== brandId) throw notFound(id);
      const now = db.clock.now();
      if (row.endsAt !== null && row.endsAt <= now)
        throw new OperationError('conflict', 'cannot change a licence that is over', {
          current: { endsAt: row.endsAt.toISOString() },
        });
      const change = plan(row, now);
      await tx.update(Licence, { id: row.id }, change);
      const view = await viewOf(tx, { ...row, ...change }, now);
      return this.done(tx, who, brandId, action, view, reason);
    });
  }

  /** Both brands find it in their audit log. */
  private async done(
    tx: Tx,
    who: Principal,
    brandId: string,
    action: string,
    view: LicenceView,
    reason: string,
  ): Promise<{ result: LicenceView; subject: string; reason: string; detail: object & Detail }> {
    const { id, ownerId, snapName, storeId, model, state } = view;
    const subject = `licence:${id}`;
    const detail = {
      snap: snapName,
      storeId,
      model,
      state,
      startsAt: view.startsAt.toISOString(),
      endsAt: view.endsAt?.toISOString() ?? null,
    };
    const other = brandId === ownerId ? view.brandId : ownerId;
    if (other !== brandId)
      await recordAudit(tx, {
        brandId: other,
        actor: actorOf(who),
        action,
        subject,
        reason,
        detail,
      });
    return { result: view, subject, reason, detail };
  }
}

type Detail = Readonly<Record<string, unknown>>;

const notFound = (id: string): OperationError =>
  new OperationError('not-found', `cannot find licence ${id}`);

async function findLicensee(
  tx: Tx,
  { store, model }: LicenceOrder,
): Promise<Pick<Licence, 'brandId' | 'storeId' | 'model'>> {
  if ((store === undefined) === (model === undefined))
    throw new OperationError('invalid', 'cannot license a snap but to one store or one model', {
      paths: ['store', 'model'],
    });
  if (store !== undefined) {
    const row = await tx.findOneBy(BrandStore, { id: store });
    if (row === null) throw new OperationError('not-found', `cannot find store ${store}`);
    return { brandId: row.brandId, storeId: row.id, model: null };
  }
  const [, brandId = '', name = ''] = /^([A-Za-z0-9]{1,64})\/(\S{1,100})$/.exec(model ?? '') ?? [];
  // Whether there is such a model is the other brand's own business; its account is public.
  if (brandId === '' || !(await tx.existsBy(Account, { id: brandId, isBrand: true })))
    throw new OperationError('not-found', `cannot find model ${model}: say brand-id/model`);
  return { brandId, storeId: null, model: name };
}

async function viewOf(tx: Tx, row: Licence, now: Date): Promise<LicenceView> {
  return toView(row, await tx.findOneByOrFail(Snap, { id: row.snapId }), now);
}

function toView(row: Licence, snap: Pick<Snap, 'name'>, now: Date): LicenceView {
  return { ...row, snapName: snap.name, state: stateOf(row, now) };
}

/** As `isVisible` reads it: half-open, and nothing before both have consented. */
function stateOf({ startsAt, endsAt, acceptedAt }: Licence, now: Date): LicenceState {
  if (endsAt !== null && endsAt <= now) return 'ended';
  if (acceptedAt === null) return 'offered';
  return startsAt > now ? 'waiting' : 'running';
}
