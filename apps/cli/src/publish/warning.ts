export const DAY_MS = 86_400_000;

/** From so many days before their end, people are warned that credentials end. */
export const WARN_DAYS = 14;
