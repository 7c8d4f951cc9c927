const DAY_MS = 86_400_000;
/** From so many days before their end, people are warned that credentials end. */
const WARN_DAYS = 14;

/** `in 3 days` for credentials that end soon; null: there is time. */
export function endsSoon(end: Date, now: Date): string | null {
  const days = Math.floor((end.getTime() - now.getTime()) / DAY_MS);
  if (days >= WARN_DAYS) return null;
  if (days < 1) return 'within a day';
  return days === 1 ? 'in 1 day' : `in ${days} days`;
}
