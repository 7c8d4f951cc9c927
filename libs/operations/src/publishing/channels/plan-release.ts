import { randomBytes } from 'node:crypto';
import type { ChannelEventRow, ProgressiveShare, SnapRevision } from '#libs/database';
import { openIn, progressiveIn } from './channel-map.js';

/** To how many devices a publisher releases, 0 to under 100 per cent. */
export interface Progress {
  readonly percent: number;
  readonly isPaused: boolean;
}

/** One event that a release writes. */
export interface PlannedEntry {
  readonly revision: number;
  readonly progressive?: ProgressiveShare;
}

/**
 * What a release of `revision` adds to the log of a lane (publisher-api.md 4.4). Nothing where the lane says it already: `promote`
 * releases one revision once per architecture (3.10). A plain release ends a progressive one; the share of another revision is
 * withdrawn before, for resolve() would go on offering it above a plain one that is older in the lane's order.
 */
export function planRelease(
  log: readonly ChannelEventRow[],
  { revision, architectures }: Pick<SnapRevision, 'revision' | 'architectures'>,
  progress?: Progress,
): readonly PlannedEntry[] {
  const live = progressiveIn(log);
  const shares = architectures.map((name) => live.get(name));
  if (progress) {
    const share = { salt: saltOf(log, revision), ...progress };
    const isSaid = shares.every(
      (one) =>
        one?.revision === revision &&
        one.share.percent === share.percent &&
        one.share.isPaused === share.isPaused,
    );
    return isSaid ? [] : [{ revision, progressive: share }];
  }
  const open = openIn(log);
  const isSaid = architectures.every(
    (name, index) => open.get(name)?.revision === revision && shares[index] === undefined,
  );
  if (isSaid) return [];
  const others = new Map(
    shares.flatMap((one) => (one && one.revision !== revision ? [[one.revision, one]] : [])),
  );
  const withdrawn = [...others.values()].map(({ revision: other, share }) => ({
    revision: other,
    progressive: { ...share, percent: 0 },
  }));
  return [...withdrawn, { revision }];
}

/** The share of a revision only grows or shrinks, so it keeps its salt (publisher-api.md 4.4: stable and monotone). */
function saltOf(log: readonly ChannelEventRow[], revision: number): string {
  const known = log.find((event) => event.revision === revision && event.progressive)?.progressive;
  return known?.salt ?? randomBytes(16).toString('hex');
}
