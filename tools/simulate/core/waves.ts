import { freezeThreshold, rampMsFor, type WavePlan, type WaveRow } from '#libs/update-control';

/** A wave that has opened. */
export interface OpenedWave {
  readonly no: number;
  readonly plan: WavePlan;
  readonly openedAt: number;
  readonly threshold: number;
  readonly prevThreshold: number;
  /** Devices admitted by it and those before. */
  readonly k: number;
  readonly kBefore: number;
  readonly rampMs: number;
  /** The rollout's own clock when it opened. */
  readonly activeMsAtOpen: number;
}

/** Counts the members and freezes the threshold of the next wave, as the store does (update-control.md 2.4). */
export function openWave(
  plan: WavePlan,
  opened: readonly OpenedWave[],
  buckets: readonly number[],
  openedAt: number,
  activeMsAtOpen: number,
): OpenedWave {
  const before = opened.at(-1);
  const prevThreshold = before?.threshold ?? 0;
  const kBefore = before?.k ?? 0;
  const size = plan.size ?? { count: kBefore };
  const { threshold, k } = freezeThreshold(buckets, size, prevThreshold);
  const { devicesPerHour } = plan;
  const rampMs = devicesPerHour === null ? 0 : rampMsFor(k, kBefore, devicesPerHour);
  const no = opened.length + 1;
  return { no, plan, openedAt, threshold, prevThreshold, k, kBefore, rampMs, activeMsAtOpen };
}

export const toWaveRow = (wave: OpenedWave): WaveRow => ({
  no: wave.no,
  threshold: wave.threshold,
  prevThreshold: wave.prevThreshold,
  openedAt: wave.openedAt,
  rampMs: wave.rampMs,
  activeMsAtOpen: wave.activeMsAtOpen,
  soakMs: wave.plan.soakMs,
});
