import { assertSalt } from '../buckets.js';
import { parsePredicate } from '../predicates.js';
import type { Dictionary } from '../record.js';
import { dictionary, groupBy } from '../record.js';
import { sorted } from './compile-snaps.js';
import type { RolloutClockRow, RolloutRow, WaveRow } from './rows.js';
import { LIVE_STATES } from './rows.js';
import type {
  LiveRollout,
  LiveState,
  RolloutPolicy,
  SequenceRolloutPolicy,
  WavePolicy,
} from './snapshot.js';

function isLive(state: string): state is LiveState {
  return (LIVE_STATES as readonly string[]).includes(state);
}

export interface CompiledRollouts {
  readonly byLane: Map<string, RolloutPolicy[]>;
  readonly sequences: Dictionary<Dictionary<SequenceRolloutPolicy>>;
}

/** The live rollouts, by what they roll out. Their states and clocks are in the overlay. */
export function compileRollouts(rows: readonly RolloutRow[] | undefined): CompiledRollouts {
  const byLane = new Map<string, RolloutPolicy[]>();
  const sequences: { set: string; rollout: SequenceRolloutPolicy }[] = [];
  for (const row of sorted(rows, (r) => r.id)) {
    if (!isLive(row.state)) continue;
    assertSalt(row.salt);
    const waves = sorted(row.waves, (w) => w.no).map(toWave);
    const { target } = row;
    if (target.kind === 'sequence') {
      const { id, name, fleetId, salt } = row;
      sequences.push({
        set: `${target.accountId}/${target.setName}`,
        rollout: { rolloutId: id, name, fleetId, salt, sequence: target.sequence, waves },
      });
      continue;
    }
    const list = byLane.get(target.laneId) ?? [];
    list.push(toRollout(row, target.revisions, waves));
    byLane.set(target.laneId, list);
  }
  return {
    byLane,
    sequences: dictionary(
      [...groupBy(sequences, (s) => s.set)].map(([set, list]) => [
        set,
        dictionary(list.map((s) => [s.rollout.fleetId, s.rollout] as const)),
      ]),
    ),
  };
}

function toRollout(
  row: RolloutRow,
  target: Dictionary<number>,
  waves: readonly WavePolicy[],
): RolloutPolicy {
  return {
    rolloutId: row.id,
    name: row.name,
    fleetId: row.fleetId,
    salt: row.salt,
    target,
    isRollback: row.isRollback ?? false,
    replaces: row.replaces ?? null,
    waves,
    includeInstalls: row.includeInstalls ?? false,
    isCritical: row.isCritical ?? false,
    requires: row.requires ?? [],
    schedule: row.schedule ?? null,
  };
}

function toWave(row: WaveRow): WavePolicy {
  const { no, threshold, prevThreshold, openedAt, rampMs, activeMsAtOpen, percent, selector } = row;
  return {
    no,
    selector: selector === undefined || selector === null ? null : parsePredicate(selector),
    threshold,
    prevThreshold: prevThreshold ?? 0,
    openedAt,
    rampMs: rampMs ?? 0,
    activeMsAtOpen: activeMsAtOpen ?? 0,
    percent: percent ?? null,
    ...(row.soakMs !== undefined && { soakMs: row.soakMs }),
  };
}

/** States and clocks of the live rollouts, for the overlay. */
export function compileClocks(
  rows: readonly RolloutClockRow[] | undefined,
): Dictionary<LiveRollout> {
  return dictionary(
    sorted(rows, (r) => r.id).flatMap(({ id, state, activeMs, activeSince, leaseUntil }) =>
      isLive(state) ? [[id, { state, activeMs, activeSince, leaseUntil }] as const] : [],
    ),
  );
}
