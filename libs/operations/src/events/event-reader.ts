import { BrandEvent } from '#libs/database';
import type { Page } from '../brands/index.js';
import type { Resources } from '../resources.js';

/** Reads what a brand's people are told of (update-control.md 2.11). */
export class EventReader {
  constructor(private readonly resources: Resources) {}

  /** Oldest first, from the event after number `after` on: who keeps the last number misses nothing. */
  list(brandId: string, after: number, limit: number): Promise<Page<BrandEvent>> {
    return this.resources.db.asBrand(brandId, async (tx) => {
      const rows = await tx
        .createQueryBuilder(BrandEvent, 'event')
        .where('event.brand_id = :brandId AND event.seq > :after', { brandId, after })
        .orderBy('event.seq')
        .take(limit + 1)
        .getMany();
      return { rows: rows.slice(0, limit), hasMore: rows.length > limit };
    });
  }

  /** Number of the newest; 0: there is none. */
  last(brandId: string): Promise<number> {
    return this.resources.db.asBrand(brandId, async (tx) =>
      Number((await tx.maximum(BrandEvent, 'seq', { brandId })) ?? 0),
    );
  }
}
