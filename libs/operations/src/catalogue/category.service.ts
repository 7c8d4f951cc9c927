import { Snap } from '#libs/database';
import { performAct } from '../brands/act.js';
import type { Principal } from '../brands/principal.js';
import { OperationError } from '../operation-error.js';
import type { Resources } from '../resources.js';
import { getSnap } from '../rollouts/find.js';

const NAME = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/;
const LONGEST = 40;
const MOST = 10;

/** Into which categories a brand puts its snaps: what `snap find --section` lists, and `featured` what it shows first. */
export class CategoryService {
  constructor(private readonly resources: Resources) {}

  /** Replaces all. Throws `invalid` naming each that is no name, and `not-found`. */
  set(
    who: Principal,
    brandId: string,
    order: { readonly snap: string; readonly categories: readonly string[] },
  ): Promise<Snap> {
    const categories = toCategories(order.categories);
    const act = { who, brandId, action: 'set-categories', request: order };
    return performAct(this.resources.db, act, async (tx) => {
      const snap = await getSnap(tx, brandId, order.snap);
      await tx.update(Snap, { id: snap.id }, { categories });
      return {
        result: { ...snap, categories },
        subject: `snap:${snap.name}`,
        detail: { before: snap.categories, after: categories },
      };
    });
  }
}

function toCategories(given: readonly string[]): string[] {
  const categories = [...new Set(given)];
  const problems = categories
    .map((name, index) => ({ name, path: `categories[${index}]` }))
    .filter(({ name }) => !NAME.test(name) || name.length > LONGEST)
    .map(({ path }) => ({
      path,
      message: `must be letters, digits and hyphens, at most ${LONGEST}`,
    }));
  if (categories.length > MOST)
    problems.push({ path: 'categories', message: `must be ${MOST} at most` });
  if (problems.length > 0)
    throw new OperationError('invalid', 'cannot take these categories', { problems });
  return categories;
}
