type Said<T> = { [K in keyof T]: null extends T[K] ? Exclude<T[K], null> | undefined : T[K] };

/** GraphQL lets clients say `null` for what they do not say; operations know only undefined. */
export function said<T extends object>(input: T): Said<T> {
  const entries = Object.entries(input).map(([name, value]: [string, unknown]) => [
    name,
    value ?? undefined,
  ]);
  return Object.fromEntries(entries) as Said<T>;
}
