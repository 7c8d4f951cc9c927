import { createHash } from 'node:crypto';
import { IdempotencyKey, recordAudit, type Database, type Tx } from '#libs/database';
import { OperationError } from '../operation-error.js';
import { actorOf, type Principal } from './principal.js';

/** One act of somebody in a brand: its frame is the same for all of them. */
export interface Act {
  readonly who: Principal;
  readonly brandId: string;
  /** For the operator's acts that reach beyond one brand; audit and key stay with `brandId`. */
  readonly acrossBrands?: boolean;
  /** Word of the audit log, such as `create-fleet`. */
  readonly action: string;
  /** Chosen by the client; the same key gives the first answer again (update-control.md 2.11). */
  readonly idempotencyKey?: string | undefined;
  /** What was asked for: under a known key it must be the same. */
  readonly request: unknown;
}

/** What the work did, for the audit row; `result` must survive JSON, because a repeated key answers from its stored text. */
export interface Done<T> {
  readonly result: T;
  /** Secrets of the answer that are not kept: a repeated key answers without them. */
  readonly shownOnce?: Partial<T>;
  readonly subject: string;
  readonly reason?: string;
  readonly detail?: Readonly<Record<string, unknown>>;
}

/**
 * Runs the work in one transaction of the brand, with the audit row and the idempotency key in it. Throws `conflict` when
 * the key was used for another request.
 */
export function performAct<T extends object>(
  db: Database,
  act: Act,
  work: (tx: Tx) => Promise<Done<T>>,
): Promise<T> {
  const inTransaction = async (tx: Tx): Promise<T> => {
    const known = await claimKey<T>(tx, act);
    if (known !== null) return known;
    const done = await work(tx);
    await recordAudit(tx, {
      brandId: act.brandId,
      actor: actorOf(act.who),
      action: act.action,
      subject: done.subject,
      ...(done.reason !== undefined && { reason: done.reason }),
      ...(done.detail !== undefined && { detail: done.detail }),
    });
    if (act.idempotencyKey !== undefined)
      await tx.update(
        IdempotencyKey,
        { brandId: act.brandId, key: act.idempotencyKey },
        { answer: done.result },
      );
    return { ...done.result, ...done.shownOnce };
  };
  return act.acrossBrands === true
    ? db.asSystem(inTransaction)
    : db.asBrand(act.brandId, inTransaction);
}

/** The first answer under the key; null when the key is ours now. A key under way elsewhere is waited for. */
async function claimKey<T>(tx: Tx, act: Act): Promise<T | null> {
  if (act.idempotencyKey === undefined) return null;
  if (act.idempotencyKey.length > 200)
    throw new OperationError('invalid', 'cannot take an idempotency key of over 200 characters', {
      paths: ['idempotencyKey'],
    });
  const requestHash = createHash('sha256')
    .update(JSON.stringify([actorOf(act.who), act.action, act.request]))
    .digest('hex');
  const claimed = await tx.query<unknown[]>(
    `INSERT INTO store.idempotency_keys (brand_id, key, request_hash) VALUES ($1, $2, $3)
     ON CONFLICT DO NOTHING RETURNING key`,
    [act.brandId, act.idempotencyKey, requestHash],
  );
  if (claimed.length > 0) return null;
  const row = await tx.findOneByOrFail(IdempotencyKey, {
    brandId: act.brandId,
    key: act.idempotencyKey,
  });
  if (row.requestHash !== requestHash)
    throw new OperationError('conflict', 'cannot use an idempotency key for another request');
  // Written by performAct as the result of the same action.
  return row.answer as T;
}
