type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** Without the members that were not said. */
export function defined<T extends object>(value: T): Defined<T> {
  const entries = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(entries) as Defined<T>;
}

/** Seconds, as people say them, in milliseconds. */
export const milliseconds = (seconds: number | undefined): number | undefined =>
  seconds === undefined ? undefined : Math.round(seconds * 1000);
