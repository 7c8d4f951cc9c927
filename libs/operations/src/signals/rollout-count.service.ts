import {
  Rollout,
  RolloutCounts,
  Wave,
  addToOutbox,
  listCountedDevices,
  listCountedGroups,
  listPlacedGroups,
  nextUidRange,
  type CountedFleet,
  type LookedAt,
  type Tx,
  type UidRange,
} from '#libs/database';
import { contentHash } from '#libs/update-control';
import type { Resources } from '../resources.js';
import { planOfRow } from '../rollouts/rollout-act.js';
import { DeviceCounter } from './device-counter.js';
import { NO_COUNTS, type Counts } from './rollout-counts.js';
import { writeObservations } from './write-observations.js';

/** Devices of one transaction. */
const AT_ONCE = 20_000;
/** A count works so long, and goes to the tail of its queue: no brand waits for another's (U67). */
const SLICE_MS = 1_000;
/** A count that was begun so long ago is not worth ending. */
const TOO_OLD_MS = 15 * 60_000;
const COUNTED = new Set(['ACTIVE', 'PAUSED', 'COMPLETING']);

/** A count under way: where it was begun, and what the devices up to `cursor` came to. */
type UnderWay = RolloutCounts & { readonly begunAt: Date };

/**
 * Counts the devices of a live rollout anew: places on the ladder by wave and architecture, and the control group
 * (update-control.md 2.6, 2.7). What can only be seen by looking, silence and having left the fleet, is written on the way.
 */
export class RolloutCountService {
  constructor(
    private readonly resources: Pick<Resources, 'db'>,
    /** Milliseconds on a clock that only goes forward. */
    private readonly elapsed: () => number = () => performance.now(),
  ) {}

  /** Begins a count, or goes on with one; when the slice of time is over the rest is asked for again. */
  async count(brandId: string, rolloutId: string): Promise<void> {
    const { db } = this.resources;
    const end = this.elapsed() + SLICE_MS;
    let isDone = await db.asBrand(brandId, (tx) => this.begin(tx, brandId, rolloutId));
    while (!isDone) {
      const startedAt = performance.now();
      const page = await db.asBrand(brandId, (tx) => this.countPage(tx, rolloutId, startedAt));
      isDone = page === 'ended';
      if (isDone || this.elapsed() < end) continue;
      await db.asBrand(brandId, (tx) => addToOutbox(tx, 'stats-rollup', { rolloutId, brandId }));
      return;
    }
  }

  /** True where there is nothing to count. */
  private async begin(tx: Tx, brandId: string, rolloutId: string): Promise<boolean> {
    const rollout = await tx.findOneBy(Rollout, { id: rolloutId, brandId });
    if (rollout === null || !COUNTED.has(rollout.state)) return true;
    const now = this.resources.db.clock.now();
    await tx.query(
      `INSERT INTO store.rollout_counts AS known (rollout_id, brand_id, begun_at, partial) VALUES ($1, $2, $3, $4)
       ON CONFLICT (rollout_id) DO UPDATE SET begun_at = excluded.begun_at, partial = excluded.partial, cursor = NULL, dirty_at = NULL
       WHERE known.begun_at IS NULL OR known.begun_at < $5`,
      [rolloutId, brandId, now, NO_COUNTS, new Date(now.getTime() - TOO_OLD_MS)],
    );
    return false;
  }

  /** `ended`: by this page, or by somebody else who counts at the same time. */
  private async countPage(tx: Tx, rolloutId: string, startedAt: number): Promise<'ended' | 'more'> {
    const [rollout, waves, known] = [
      await tx.findOneByOrFail(Rollout, { id: rolloutId }),
      await tx.find(Wave, { where: { rolloutId }, order: { no: 'ASC' } }),
      await tx.findOneBy(RolloutCounts, { rolloutId }),
    ];
    if (!isUnderWay(known)) return 'ended';
    const counter = new DeviceCounter(rollout, waves, known.begunAt.getTime());
    const of = countedFleet(rollout, counter.since);
    const range = await nextUidRange(tx, of.brandId, known.cursor, AT_ONCE);
    const before = (known.partial ?? NO_COUNTS) as Counts;
    const counts = await countRange(tx, counter, of, range, before);
    if (counter.news.length > 0) await writeObservations(tx, counter.news);
    const spent = Math.ceil(performance.now() - startedAt);
    if (range.last !== null)
      return (await this.goOn(tx, known, range.last, counts, spent)) ? 'more' : 'ended';
    await this.end(tx, rollout, known, counts, spent);
    return 'ended';
  }

  /** Compare-and-set on the cursor: of two who count at once, one goes on. */
  private async goOn(
    tx: Tx,
    { rolloutId, begunAt, cursor, tookMs }: UnderWay,
    last: string,
    partial: Counts,
    spent: number,
  ): Promise<boolean> {
    const took = cursor === null ? spent : tookMs + spent;
    const [, count] = await tx.query<[unknown[], number]>(
      `UPDATE store.rollout_counts SET cursor = $3, partial = $4, took_ms = $5
       WHERE rollout_id = $1 AND begun_at = $2 AND cursor IS NOT DISTINCT FROM $6`,
      [rolloutId, begunAt, last, partial, took, cursor],
    );
    return count === 1;
  }

  /** The count stands, as of its begin; where it differs from the last one, the rollout's gates are asked. */
  private async end(
    tx: Tx,
    { brandId, rev }: Rollout,
    { rolloutId, begunAt, cursor, tookMs, counts: before }: UnderWay,
    counts: Counts,
    spent: number,
  ): Promise<void> {
    const [, count] = await tx.query<[unknown[], number]>(
      `UPDATE store.rollout_counts SET counts = $3, counted_at = $2, begun_at = NULL, cursor = NULL, partial = NULL, took_ms = $4
       WHERE rollout_id = $1 AND begun_at = $2 AND cursor IS NOT DISTINCT FROM $5`,
      [rolloutId, begunAt, counts, cursor === null ? spent : tookMs + spent, cursor],
    );
    const isNews = before === null || contentHash(before) !== contentHash(counts);
    if (count === 1 && isNews) await addToOutbox(tx, 'rollout-tick', { rolloutId, brandId, rev });
  }
}

function countedFleet(rollout: Rollout, since: Date): CountedFleet {
  const { brandId, id: rolloutId, snapId } = rollout;
  const { fleet } = planOfRow(rollout);
  return { brandId, rolloutId, snapId, listId: fleet.predicate === null ? fleet.id : null, since };
}

/** In groups those that were heard of lately, one by one those of whom there is more to know. */
async function countRange(
  tx: Tx,
  counter: DeviceCounter,
  of: CountedFleet,
  range: UidRange,
  before: Counts,
): Promise<Counts> {
  const { grouping } = counter;
  const each = async (counts: Counts, lookedAt: LookedAt | null): Promise<Counts> => {
    const devices = await listCountedDevices(tx, of, range, lookedAt);
    return devices.reduce((sum, device) => counter.count(sum, device), counts);
  };
  if (grouping === null) return each(before, null);
  const { quietSince } = grouping;
  const waiting = await listCountedGroups(tx, of, range, quietSince, grouping);
  const counts = waiting.reduce((sum, group) => counter.countGroup(sum, group), before);
  const placed = counter.countPlaced(
    counts,
    await listPlacedGroups(tx, of, range, quietSince, grouping),
  );
  return each(placed ?? counts, { quietSince, withPlaces: placed === null });
}

const isUnderWay = (row: RolloutCounts | null): row is UnderWay =>
  row !== null && row.begunAt !== null;
