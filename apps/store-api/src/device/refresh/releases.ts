import { findChannel, type LanePolicy, type SnapPolicy } from '#libs/update-control';

/** Devices ask for one of these; "all" helps nobody who looks for an architecture (device-api.md 2.1). */
const ARCHITECTURES = ['amd64', 'arm64', 'armhf', 'i386', 'ppc64el', 'riscv64', 's390x'] as const;

export interface Release {
  readonly architecture: string;
  readonly channel: string;
}

/** Where a snap is released, for "not available here, but there": concrete architectures, channels in the long form. */
export function listReleases(snap: SnapPolicy, t: number): Release[] {
  return Object.values(snap.lanes)
    .filter(
      (lane) => findChannel(lane.channel) && !(lane.expiresAt !== null && lane.expiresAt <= t),
    )
    .flatMap((lane) =>
      openArchitectures(lane).map((architecture) => ({ architecture, channel: lane.channel })),
    )
    .sort((a, b) => compare(a.channel, b.channel) || compare(a.architecture, b.architecture));
}

/** An architecture with a log of its own is open by its newest entry, the others by that of "all". */
function openArchitectures({ log }: LanePolicy): string[] {
  const known = new Set([...ARCHITECTURES, ...Object.keys(log).filter((name) => name !== 'all')]);
  return [...known].filter((architecture) => {
    const entries = (Object.hasOwn(log, architecture) ? log[architecture] : log['all']) ?? [];
    return typeof entries[0]?.revision === 'number';
  });
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
