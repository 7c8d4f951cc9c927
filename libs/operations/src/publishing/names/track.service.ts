import { Snap, type Tx } from '#libs/database';
import { findChannel, RISKS } from '#libs/update-control';
import { performAct } from '../../brands/act.js';
import type { Principal } from '../../brands/principal.js';
import { OperationError } from '../../operation-error.js';
import type { Resources } from '../../resources.js';
import { getSnap } from '../../rollouts/find.js';
import { matchesPattern } from '../channels/version-pattern.js';

const LONGEST_NAME = 28;
const LONGEST_PATTERN = 100;
const MOST_TRACKS = 100;

export interface TrackOrder {
  readonly snap: string;
  readonly track: string;
  /** Null: any version. */
  readonly versionPattern: string | null;
}

/** The tracks of a snap, and which versions each takes (publisher-api.md 4.6). */
export class TrackService {
  constructor(private readonly resources: Pick<Resources, 'db'>) {}

  /** Makes the track, or changes its pattern. Tracks never go: devices follow them. Throws `invalid`, `not-found`. */
  async set(who: Principal, brandId: string, order: TrackOrder, key?: string): Promise<Snap> {
    const { db } = this.resources;
    checkName(order.track);
    if (order.versionPattern !== null) {
      const { versionPattern } = order;
      await db.asBrand(brandId, (tx) => checkPattern(tx, versionPattern));
    }
    const act = { who, brandId, action: 'set-track', idempotencyKey: key, request: order };
    return performAct(db, act, async (tx) => {
      const snap = await getSnap(tx, brandId, order.snap);
      const isNew = !snap.tracks.includes(order.track);
      if (isNew && snap.tracks.length >= MOST_TRACKS) throw invalid(`${MOST_TRACKS} at most`);
      const { [order.track]: before, ...others } = snap.versionPatterns;
      const { versionPattern } = order;
      const change = {
        tracks: isNew ? [...snap.tracks, order.track] : snap.tracks,
        versionPatterns: {
          ...others,
          ...(versionPattern !== null && { [order.track]: versionPattern }),
        },
      };
      await tx.update(Snap, { id: snap.id }, change);
      const detail = { before: isNew ? null : { versionPattern: before }, after: order };
      return { result: { ...snap, ...change }, subject: `snap:${snap.name}`, detail };
    });
  }
}

const invalid = (why: string, path = 'track'): OperationError =>
  new OperationError('invalid', `cannot use this track: ${why}`, { paths: [path] });

function checkName(track: string): void {
  const isRisk = (RISKS as readonly string[]).includes(track);
  const isName = findChannel(`${track}/stable`)?.track === track && !track.includes('/');
  if (isRisk || !isName || track.length > LONGEST_NAME)
    throw invalid(
      `its name is 1 to ${LONGEST_NAME} letters, digits, hyphens and dots, and no risk's`,
    );
}

/** In a transaction of its own, for a bad pattern ends it. */
async function checkPattern(tx: Tx, pattern: string): Promise<void> {
  if (pattern === '' || pattern.length > LONGEST_PATTERN)
    throw invalid(`a pattern has 1 to ${LONGEST_PATTERN} characters`, 'versionPattern');
  try {
    await matchesPattern(tx, '1.0', pattern);
  } catch (error) {
    throw Object.assign(invalid('the pattern is no regular expression', 'versionPattern'), {
      cause: error,
    });
  }
}
