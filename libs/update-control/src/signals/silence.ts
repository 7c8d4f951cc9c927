const HOUR_MS = 3_600_000;
const AT_LEAST_MS = 48 * HOUR_MS;
/** `last seen` is written once in so much time (update-control.md 3.2). */
export const SEEN_SLOT_MS = 6 * HOUR_MS;

/**
 * How long a device may say nothing before it counts as dark: three times the 95th percentile of its own gaps between polls,
 * and at least two days (update-control.md 2.7). `gapsMs`: those that were seen last, in any order.
 */
export function darkAfterMs(gapsMs: readonly number[]): number {
  const sorted = [...gapsMs].sort((a, b) => a - b);
  const p95 = sorted[Math.ceil(sorted.length * 0.95) - 1] ?? 0;
  return Math.max(3 * p95, AT_LEAST_MS) + SEEN_SLOT_MS;
}
