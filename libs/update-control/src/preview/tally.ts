import type { ReasonCode } from '../decision.js';
import type { PreviewSheet, PreviewedDevice, PreviewOutcome, TouchingRollout } from './preview.js';

/** What keeps a device from the target although it is its turn (update-control.md 2.10). */
const REFUSALS: ReadonlySet<string> = new Set<ReasonCode>([
  'VIA_FLOOR',
  'VIA_EPOCH',
  'EPOCH_UNREADABLE',
  'SNAPD_TOO_OLD',
  'WRONG_ARCHITECTURE',
  'MODEL_FORBIDS',
  'NOT_ENTITLED',
  'VSET_REQUIRED',
  'NOT_VALIDATED_BY',
  'WAITS_FOR',
  'GAVE_UP',
  'REVERTED_HERE',
  'NO_DOWNGRADE',
]);

/** One move of a device, for what it costs to download. */
export interface Move {
  readonly from: number | null;
  readonly to: number;
  readonly devices: number;
}

/** Adds up one sheet, device by device. */
export class PreviewTally {
  private readonly outcomes = new Map<PreviewOutcome, number>();
  private readonly reasons = new Map<string, number>();
  private readonly refused = new Map<string, number>();
  private readonly moved = new Map<string, number>();
  private readonly touched = new Map<string, { rollout: Touching; devices: number }>();
  private impossible = 0;
  private touchedDevices = 0;

  /** `touching`: live rollouts besides that concern the device. */
  add(device: PreviewedDevice, touching: readonly Touching[]): void {
    const { outcome, code, codes, installed, revision } = device;
    count(this.outcomes, outcome);
    count(this.reasons, `${outcome} ${code}`);
    for (const one of new Set(codes)) if (REFUSALS.has(one)) count(this.refused, one);
    if (codes.includes('EPOCH_UNREADABLE')) this.impossible += 1;
    if (outcome === 'UPDATE' && revision !== null)
      count(this.moved, `${installed ?? ''} ${revision}`);
    if (touching.length > 0) this.touchedDevices += 1;
    for (const rollout of touching) {
      const known = this.touched.get(rollout.rolloutId) ?? { rollout, devices: 0 };
      this.touched.set(rollout.rolloutId, { rollout, devices: known.devices + 1 });
    }
  }

  get moves(): Move[] {
    return [...this.moved].map(([key, devices]) => {
      const [from = '', to] = key.split(' ');
      return { from: from === '' ? null : Number(from), to: Number(to), devices };
    });
  }

  sheet(at: string | null): Omit<PreviewSheet, 'bytesFull' | 'bytesDelta'> {
    return {
      at,
      outcomes: largestFirst(this.outcomes).map(([outcome, devices]) => ({ outcome, devices })),
      reasons: largestFirst(this.reasons).map(([key, devices]) => {
        const [outcome, code = ''] = key.split(' ');
        return { outcome: outcome as PreviewOutcome, code, devices };
      }),
      refused: largestFirst(this.refused).map(([code, devices]) => ({ code, devices })),
      impossible: this.impossible,
      touchedDevices: this.touchedDevices,
      touchedBy: [...this.touched.values()]
        .map(({ rollout, devices }) => ({ ...rollout, devices }))
        .sort((a, b) => b.devices - a.devices || (a.rolloutId < b.rolloutId ? -1 : 1)),
    };
  }
}

export type Touching = Omit<TouchingRollout, 'devices'>;

function count<K>(counts: Map<K, number>, key: K): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

/** In an order of their own, so that the same preview has the same hash. */
const largestFirst = <K extends string>(counts: ReadonlyMap<K, number>): [K, number][] =>
  [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
