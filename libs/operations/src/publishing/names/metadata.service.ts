import { recordAudit, Snap } from '#libs/database';
import type { Resources } from '../../resources.js';
import type { Actor } from '../actor.js';
import { refusal } from '../wire-code.js';

/** What is left out stays as it is. */
export interface MetadataOrder {
  readonly brandId: string;
  readonly snapId: string;
  readonly title?: string | undefined;
  readonly summary?: string | undefined;
  readonly description?: string | undefined;
  readonly license?: string | undefined;
  readonly defaultTrack?: string | undefined;
}

/** Changes what a snap says about itself, and where installs without channel go (publisher-api.md 3.11). */
export class MetadataService {
  constructor(private readonly resources: Resources) {}

  /** Throws `not-found`, and `invalid` for a default track that does not exist. */
  update(who: Actor, order: MetadataOrder): Promise<void> {
    const { brandId, snapId, ...changes } = order;
    return this.resources.db.asBrand(brandId, async (tx) => {
      const snap = await tx.findOneBy(Snap, { id: snapId, brandId });
      if (!snap) throw refusal('not-found', 'resource-not-found', 'cannot find this snap');
      const { defaultTrack } = changes;
      if (defaultTrack !== undefined && !snap.tracks.includes(defaultTrack)) {
        throw refusal(
          'invalid',
          'invalid-field',
          `cannot make '${defaultTrack}' the default track: ${snap.name} has no such track`,
        );
      }
      const given = Object.fromEntries(
        Object.entries(changes).filter(([, value]) => value !== undefined),
      );
      if (Object.keys(given).length === 0) return;
      const before = Object.fromEntries(
        Object.entries(snap).filter(([name]) => name in given),
      ) as object;
      await tx.update(Snap, { id: snapId }, given);
      await recordAudit(tx, {
        brandId,
        actor: who.label,
        action: 'update-metadata',
        subject: `snap:${snap.name}`,
        detail: { before, after: given },
      });
    });
  }
}
