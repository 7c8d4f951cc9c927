import type { Pair } from './twins.js';

/** Between machines nobody tells less apart than this; a query more or less is below it, a password or a file above. */
const FACTOR = 1.5;
const MS = 1;

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

/** How the times of two kinds of answers stand apart, in words; null where they do not. */
export function differs(pairs: readonly Pair[]): string | null {
  const ratio = median(pairs.map(([foreign, missing]) => foreign / missing));
  const apart = median(pairs.map(([foreign, missing]) => foreign - missing));
  const isApart = (ratio > FACTOR || ratio < 1 / FACTOR) && Math.abs(apart) > MS;
  return isApart ? `${ratio.toFixed(2)} times, ${apart.toFixed(1)} ms` : null;
}
