import { describe, expect, it } from 'vitest';
import type { ChannelEventRow } from '#libs/database';
import { planRelease, type PlannedEntry } from './plan-release.js';

const ARCHITECTURES = ['amd64', 'arm64'];

/** The lane's log after these entries. */
function logOf(...entries: readonly PlannedEntry[]): ChannelEventRow[] {
  return entries.map((entry, index) => ({
    ...{ laneId: 'lane', track: 'latest', risk: 'stable', branch: '', expiresAt: null },
    ...{ kind: 'release', architectures: ARCHITECTURES, at: new Date(index), seq: index },
    revision: entry.revision,
    progressive: entry.progressive ?? null,
  }));
}

const to = (percent: number) => ({ percent, isPaused: false });
const release = (log: readonly ChannelEventRow[], revision: number, percent?: number) =>
  planRelease(
    log,
    { revision, architectures: ARCHITECTURES },
    percent === undefined ? undefined : to(percent),
  );

describe('a progressive release', () => {
  it('keeps its salt while its share changes, so that whoever has it keeps it', () => {
    const first = release(logOf({ revision: 1 }), 2, 30);
    const salt = first[0]?.progressive?.salt ?? '';
    expect(first).toEqual([{ revision: 2, progressive: { salt, ...to(30) } }]);
    expect(salt).toMatch(/^[0-9a-f]{32}$/);

    const log = logOf({ revision: 1 }, ...first);
    expect(release(log, 2, 60)).toEqual([{ revision: 2, progressive: { salt, ...to(60) } }]);
  });

  it('draws another salt for another revision', () => {
    const first = release(logOf({ revision: 1 }), 2, 30);
    const [other] = release(logOf({ revision: 1 }, ...first), 3, 30);
    expect(other?.progressive?.salt).not.toBe(first[0]?.progressive?.salt);
  });

  it('is written once', () => {
    const log = logOf({ revision: 1 }, ...release(logOf({ revision: 1 }), 2, 30));
    expect(release(log, 2, 30)).toEqual([]);
  });

  it('of another revision is withdrawn by a plain release', () => {
    const shared = release(logOf({ revision: 1 }), 2, 30);
    const salt = shared[0]?.progressive?.salt;
    expect(release(logOf({ revision: 1 }, ...shared), 3)).toEqual([
      { revision: 2, progressive: { salt, ...to(0) } },
      { revision: 3 },
    ]);
  });
});
