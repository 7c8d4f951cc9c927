/** A dictionary of the snapshot. Keys come from people (tags, ids), so it is read with `own` and built with `dictionary`. */
export type Dictionary<T> = Readonly<Record<string, T>>;

/** The member's own value: a key like "constructor" is never answered by the prototype. */
export function own<T>(
  record: Readonly<Record<string | number, T>> | undefined,
  key: string | number,
): T | undefined {
  return record !== undefined && Object.hasOwn(record, key) ? record[key] : undefined;
}

/** A dictionary from entries; also "__proto__" becomes a plain member. */
export function dictionary<T>(entries: Iterable<readonly [string | number, T]>): Record<string, T> {
  return Object.fromEntries(entries);
}

/** Groups rows by a key; rows keep their order. */
export function groupBy<T>(rows: readonly T[], keyOf: (row: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const row of rows) {
    const key = keyOf(row);
    const group = groups.get(key);
    if (group) group.push(row);
    else groups.set(key, [row]);
  }
  return groups;
}
