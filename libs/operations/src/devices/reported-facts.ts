import { createHash } from 'node:crypto';
import type { Epoch } from '#libs/database';

/** One installed snap, under its instance key (which is its snap id, but for parallel instances). */
export interface ReportedSnap {
  readonly snapId: string;
  readonly revision: number;
  /** The tracking channel. */
  readonly channel: string;
  readonly epoch: Epoch;
  /** Who holds the snap back on the device itself; absent: nobody. */
  readonly heldBy?: readonly string[];
  /** Primary keys of the validation sets that the device enforces on it, parts joined by `/`; absent: none. */
  readonly validationSets?: readonly string[];
  /** The cohort that the device keeps it in; absent: none. */
  readonly cohortKey?: string;
}

/** What a device says of itself at a poll; the column `device_facts.facts`. */
export interface ReportedFacts {
  readonly snapdVersion: string | null;
  readonly architecture: string | null;
  readonly snaps: Readonly<Record<string, ReportedSnap>>;
}

/** The same for the same facts, in whatever order they were reported. */
export function hashFacts({ snapdVersion, architecture, snaps }: ReportedFacts): string {
  const installed = Object.entries(snaps)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, { snapId, revision, channel, epoch, heldBy = [], validationSets, cohortKey }]) => [
      [key, snapId, revision, channel],
      [epoch.read, epoch.write, heldBy, ...(validationSets ? [validationSets] : [])],
      ...(cohortKey === undefined ? [] : [cohortKey]),
    ]);
  return createHash('sha256')
    .update(JSON.stringify([snapdVersion, architecture, installed]))
    .digest('hex');
}

/** `snapd/2.77 (series 16; …)` → `2.77` (device-api.md 0.3); null for other clients. */
export function snapdVersionOf(userAgent: string | undefined): string | null {
  return /^snapd\/([0-9][0-9A-Za-z.+~-]{0,40})/.exec(userAgent ?? '')?.[1] ?? null;
}
