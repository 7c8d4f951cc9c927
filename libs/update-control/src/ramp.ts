/** The clock of a rollout: it runs only while the rollout is ACTIVE and somebody watches it (update-control.md 2.4). Instants in ms. */
export interface RolloutClock {
  /** Time spent ACTIVE before `activeSince`. */
  readonly activeMs: number;
  /** Null while not ACTIVE. */
  readonly activeSince: number | null;
  /** The tick moves this 15 minutes ahead; growth stops here when the tick dies. */
  readonly leaseUntil: number | null;
}

/** `activeMsAtOpen`: the rollout's clock when the wave opened. `rampMs` 0: the wave is admitted at once. */
export interface RampedWave {
  readonly threshold: number;
  readonly prevThreshold: number;
  readonly rampMs: number;
  readonly activeMsAtOpen: number;
}

/** Active milliseconds at `t`: half of nothing while paused, and never beyond the lease. */
export function activeMsAt(clock: RolloutClock, t: number): number {
  if (clock.activeSince === null) return clock.activeMs;
  const until = clock.leaseUntil === null ? t : Math.min(t, clock.leaseUntil);
  return clock.activeMs + Math.max(0, until - clock.activeSince);
}

/** How long a wave takes at `devicesPerHour`, in ms (rounded up). */
export function rampMsFor(k: number, kBefore: number, devicesPerHour: number): number {
  return Math.ceil((Math.max(0, k - kBefore) * 3_600_000) / devicesPerHour);
}

/** T(t) = T_prev + (T_wave − T_prev) · min(1, active/ramp), in integers. */
export function thresholdAt(wave: RampedWave, clock: RolloutClock, t: number): number {
  const active = Math.max(0, activeMsAt(clock, t) - wave.activeMsAtOpen);
  if (wave.rampMs <= 0 || active >= wave.rampMs) return wave.threshold;
  // 2^53 times milliseconds does not fit a double.
  const grown =
    (BigInt(wave.threshold - wave.prevThreshold) * BigInt(Math.floor(active))) /
    BigInt(Math.ceil(wave.rampMs));
  return wave.prevThreshold + Number(grown);
}

/** When the ramp reaches `bucket` if nobody pauses: null beyond this wave, or while the clock stands still. */
export function earliestAdmission(
  wave: RampedWave,
  clock: RolloutClock,
  bucket: number,
  t: number,
): number | null {
  if (bucket >= wave.threshold || clock.activeSince === null) return null;
  if (wave.rampMs <= 0 || bucket < wave.prevThreshold) return t;
  const span = BigInt(wave.threshold - wave.prevThreshold);
  const needed =
    (BigInt(bucket + 1 - wave.prevThreshold) * BigInt(Math.ceil(wave.rampMs)) + span - 1n) / span;
  const active = Math.max(0, activeMsAt(clock, t) - wave.activeMsAtOpen);
  return t + Math.max(0, Number(needed) - active);
}
