const UNITS: Readonly<Record<string, number>> = { d: 86_400, h: 3_600, m: 60, s: 1 };

/** One or more of days, hours, minutes, seconds, in this order: `7d`, `1h30m`, `0s`. */
export const DURATION = /^(?=\d)(\d+d)?(\d+h)?(\d+m)?(\d+s)?$/;

/** Seconds of a duration that has been checked: `1h30m` is 5400. */
export function durationSeconds(text: string): number {
  return [...text.matchAll(/(\d+)([dhms])/g)].reduce(
    (sum, [, count, unit = '']) => sum + Number(count) * (UNITS[unit] ?? 0),
    0,
  );
}

/** The shortest way to write so many seconds: 5400 is `1h30m`. */
export function durationText(seconds: number): string {
  let left = Math.round(seconds);
  const parts = Object.entries(UNITS).map(([unit, length]) => {
    const count = Math.floor(left / length);
    left -= count * length;
    return count === 0 ? '' : `${count}${unit}`;
  });
  return parts.join('') || '0s';
}
