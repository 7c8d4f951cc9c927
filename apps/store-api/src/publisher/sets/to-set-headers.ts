import type { Assertion } from '#libs/assertions';
import { pick } from './edited-assertion.js';

const NAMES = ['account-id', 'authority-id', 'name', 'sequence', 'series', 'timestamp', 'type'];
const OF_SNAP = ['name', 'id', 'presence', 'revision', 'components'];

/** Exactly the keys that clients know: one more breaks them (publisher-api.md 3.14). */
export function toSetHeaders({ headers, revision }: Assertion): object {
  const snaps = Array.isArray(headers['snaps']) ? headers['snaps'] : [];
  return {
    ...pick(headers, NAMES),
    revision: String(revision),
    snaps: snaps.map((snap) => pick(Object(snap) as object, OF_SNAP)),
  };
}
