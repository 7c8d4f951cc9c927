import type { Assertion } from '#libs/assertions';

const NAMES = ['account-id', 'authority-id', 'name', 'sequence', 'series', 'timestamp', 'type'];
const OF_SNAP = ['name', 'id', 'presence', 'revision', 'components'];

const pick = (from: object, names: readonly string[]): object =>
  Object.fromEntries(Object.entries(from).filter(([name]) => names.includes(name)));

/** Exactly the keys that clients know: one more breaks them (publisher-api.md 3.14). */
export function toSetHeaders({ headers, revision }: Assertion): object {
  const snaps = Array.isArray(headers['snaps']) ? headers['snaps'] : [];
  return {
    ...pick(headers, NAMES),
    revision: String(revision),
    snaps: snaps.map((snap) => pick(Object(snap) as object, OF_SNAP)),
  };
}
