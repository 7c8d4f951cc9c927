import { Snap } from '#libs/database';
import { performAct } from '../brands/act.js';
import type { Principal } from '../brands/principal.js';
import { requireReason } from '../brands/require-reason.js';
import { OperationError } from '../operation-error.js';
import type { Resources } from '../resources.js';
import { getSnap } from '../rollouts/find.js';

export interface Price {
  /** ISO 4217, such as `EUR`. */
  readonly currency: string;
  /** Decimal text, such as `4.99` (device-api.md 0.4). */
  readonly amount: string;
}

/** What a snap costs. A paid one exists only where a licence brings it, and there it is free of charge (S34). */
export class PriceService {
  constructor(private readonly resources: Resources) {}

  /** Replaces all prices; none makes the snap free again. */
  set(
    who: Principal,
    brandId: string,
    order: { snap: string; prices: readonly Price[]; reason: string },
  ): Promise<Snap> {
    requireReason(order.reason);
    const prices = toPrices(order.prices);
    const act = { who, brandId, action: 'set-prices', request: order };
    return performAct(this.resources.db, act, async (tx) => {
      const snap = await getSnap(tx, brandId, order.snap);
      await tx.update(Snap, { id: snap.id }, { prices });
      return {
        result: { ...snap, prices },
        subject: `snap:${snap.name}`,
        reason: order.reason,
        detail: { before: snap.prices, after: prices },
      };
    });
  }
}

function toPrices(prices: readonly Price[]): Record<string, string> {
  const problems = prices.flatMap(({ currency, amount }, index) => [
    ...(/^[A-Z]{3}$/.test(currency)
      ? []
      : [{ path: `prices[${index}].currency`, message: 'must be three capital letters' }]),
    ...(/^\d{1,7}(\.\d{1,2})?$/.test(amount) && Number(amount) > 0
      ? []
      : [{ path: `prices[${index}].amount`, message: 'must be a positive number such as 4.99' }]),
  ]);
  if (new Set(prices.map(({ currency }) => currency)).size < prices.length)
    problems.push({ path: 'prices', message: 'must name each currency once' });
  if (problems.length > 0)
    throw new OperationError('invalid', 'cannot take these prices', { problems });
  return Object.fromEntries(prices.map(({ currency, amount }) => [currency, amount]));
}
