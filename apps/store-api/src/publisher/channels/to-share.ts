import type { ProgressiveEntry } from '#libs/operations';

/** How C3 and C4 say a share; how many devices have it already is not counted here, and null is shown as `?` (publisher-api.md 3.8). */
export const toShare = ({ percent, isPaused }: ProgressiveEntry['share']): object => ({
  paused: isPaused,
  percentage: percent,
  'current-percentage': null,
});
