import type { ReportedFacts } from '#libs/operations';
import type { InstalledSnapType } from './device.type.js';

/** What `device_facts` holds, for people; nothing was reported: an empty list. */
export function toInstalledSnaps(facts: unknown): InstalledSnapType[] {
  // Written by the facts buffer.
  const { snaps } = (facts ?? { snaps: {} }) as Pick<ReportedFacts, 'snaps'>;
  return Object.entries(snaps).map(([instanceKey, { snapId, revision, channel }]) => ({
    instanceKey,
    snapId,
    revision,
    channel: channel === '' ? null : channel,
  }));
}
