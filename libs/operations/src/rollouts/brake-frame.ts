import type { Database, Tx } from '#libs/database';
import { performAct } from '../brands/act.js';
import type { Principal } from '../brands/principal.js';
import { keepQuota } from '../brands/quota.js';
import { OperationError } from '../operation-error.js';
import { requireUuid } from './find.js';

/** What holds, pins, floors and stops have in common: somebody laid it, and it may be lifted. */
export interface Brake {
  readonly id: string;
  readonly liftedAt: Date | null;
  readonly personId: string;
  /** Of a pin or a hold: the one device that it is about. */
  readonly deviceUid?: string | null;
}

/** Those not lifted, oldest first; `after`: id of the last one of the page before. */
export function listBrakes<T extends Brake>(
  db: Database,
  brandId: string,
  table: new () => T,
  {
    limit,
    after = null,
  }: { readonly limit?: number | undefined; readonly after?: string | null | undefined } = {},
): Promise<T[]> {
  return db.asBrand(brandId, (tx) => {
    const query = tx
      .createQueryBuilder(table, 'brake')
      .where('brake.brand_id = :brandId AND brake.lifted_at IS NULL', { brandId })
      .orderBy('brake.created_at')
      .addOrderBy('brake.id')
      .take(limit);
    if (after !== null) {
      const { tablePath } = tx.connection.getMetadata(table);
      query.andWhere(
        `(brake.created_at, brake.id) > (SELECT b.created_at, b.id FROM ${tablePath} b WHERE b.id = :after)`,
        { after },
      );
    }
    return query.getMany();
  });
}

/** One act with a reason, in one transaction with its audit row. */
export function layBrake<T extends Brake>(
  db: Database,
  act: {
    readonly who: Principal;
    readonly brandId: string;
    readonly action: string;
    readonly order: { readonly reason: string };
    readonly idempotencyKey?: string | undefined;
  },
  work: (tx: Tx) => Promise<T>,
): Promise<T> {
  const { order, ...rest } = act;
  return performAct(db, { ...rest, request: order }, async (tx) => {
    const result = await work(tx);
    if (result.deviceUid) await keepQuota(tx, act.brandId, 'pins and holds of devices');
    const subject = `${act.action}:${result.id}`;
    return { result, subject, reason: order.reason, detail: { ...order } };
  });
}

/** Ends it: `allow` may refuse, `told` runs after. Throws `conflict` for one that is lifted already. */
export async function liftBrake<T extends Brake>(
  db: Database,
  {
    who,
    brandId,
    ...act
  }: {
    readonly who: Principal;
    readonly brandId: string;
    readonly noun: string;
    readonly id: string;
    readonly reason: string;
  },
  table: new () => T,
  hooks: {
    readonly allow?: (brake: T, tx: Tx) => Promise<void> | void;
    readonly told?: (tx: Tx, brake: T) => Promise<void>;
  } = {},
): Promise<T> {
  const { noun, id, reason } = act;
  requireReason(reason);
  return performAct(db, { who, brandId, action: `lift-${noun}`, request: { id } }, async (tx) => {
    const brake = await tx
      .createQueryBuilder(table, 'brake')
      .setLock('pessimistic_write')
      .where('brake.id = :id AND brake.brand_id = :brandId', { id: requireUuid(id, noun), brandId })
      .getOne();
    if (brake === null) throw new OperationError('not-found', `cannot find ${noun} ${id}`);
    if (brake.liftedAt !== null)
      throw new OperationError('conflict', `cannot lift ${noun} ${id}: it is lifted already`);
    await hooks.allow?.(brake, tx);
    const liftedAt = db.clock.now();
    await tx
      .createQueryBuilder()
      .update(table)
      .set({ liftedAt } as never) // the tables share the column, which TypeORM's types cannot say
      .where('id = :id', { id })
      .execute();
    await hooks.told?.(tx, brake);
    return { result: { ...brake, liftedAt }, subject: `${noun}:${id}`, reason };
  });
}

/** Throws `invalid` for a reason that says nothing. */
export function requireReason(reason: string): void {
  if (reason.trim() === '' || reason.length > 500)
    throw new OperationError('invalid', 'cannot do this without a reason of up to 500 characters', {
      paths: ['reason'],
    });
}
