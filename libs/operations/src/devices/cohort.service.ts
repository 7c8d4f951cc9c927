import { createHmac } from 'node:crypto';
import { mintCohortKey, readCohortKey } from '#libs/auth';
import type { CohortView } from '#libs/update-control';
import { OperationError } from '../operation-error.js';
import type { StoreView } from '../policy/store-view.js';
import type { Resources, Settings } from '../resources.js';

/** Derived from the installation's secret: every store process has the same one, and nothing is stored. */
const secretOf = ({ secret }: Pick<Settings, 'secret'>): Buffer =>
  createHmac('sha256', secret).update('cohort key').digest();

/** Makes the keys by which devices stay on the channels of a snap as they were at one moment (device-api.md 2.14). */
export class CohortService {
  constructor(private readonly resources: Pick<Resources, 'db' | 'settings'>) {}

  /** One key per name, all of one moment. Throws `not-found` when one of the snaps does not exist for the caller. */
  async create(view: StoreView, names: readonly string[]): Promise<Record<string, string>> {
    const { db, settings } = this.resources;
    const snaps = await Promise.all(
      names.map(async (name) => (await view.find('name', name))?.snap),
    );
    const missing = names.find((_, at) => !snaps[at]);
    if (missing !== undefined) throw new OperationError('not-found', `cannot find snap ${missing}`);
    // By the clock that wrote the releases: what was released before is in, what comes after is not.
    const [row] = await db.asSystem((tx) => tx.query<{ now: Date }[]>('SELECT app.now() AS now'));
    const issuedAt = row?.now ?? db.clock.now();
    const keys = snaps.flatMap((snap) =>
      snap ? [[snap.name, mintCohortKey(snap.snapId, issuedAt, secretOf(settings))] as const] : [],
    );
    return Object.fromEntries(keys);
  }
}

/** What the key asks of the decision about this snap; undefined where a device brings none. */
export function openCohort(
  key: string | null | undefined,
  snapId: string,
  settings: Pick<Settings, 'secret'>,
): CohortView | 'unreadable' | undefined {
  if (!key) return undefined;
  const cohort = readCohortKey(key, secretOf(settings));
  if (cohort?.snapId !== snapId) return 'unreadable';
  return { issuedAt: cohort.issuedAt.getTime(), expiresAt: cohort.expiresAt.getTime() };
}
