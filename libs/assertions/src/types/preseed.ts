import type { HeaderMap } from '../headers.js';
import { isSnapName, LOWER_NAME, SNAP_ID } from '../names.js';
import {
  assertUnique,
  breaksRule,
  isMissing,
  mapList,
  matchingText,
  checkPositive,
  requiredMapList,
  requiredText,
  requiredTime,
  sha3Digest,
} from '../values.js';
import { defineType } from './assertion-type.js';
import { modelName } from './shared.js';

export const preseedType = defineType({
  name: 'preseed',
  primaryKey: ['series', 'brand-id', 'model', 'system-label'],
  hasTimestamp: true,
  check({ headers }) {
    modelName(headers);
    matchingText(headers, 'system-label', LOWER_NAME);
    checkSnaps(requiredMapList(headers, 'snaps'));
    sha3Digest(headers, 'artifact-sha3-384');
    requiredTime(headers, 'timestamp');
  },
});

function checkSnaps(snaps: Iterable<HeaderMap>): void {
  const names: string[] = [];
  const ids: string[] = [];
  for (const snap of snaps) {
    const name = nameOf(snap, 'snap');
    const where = `of snap "${name}"`;
    const id = isMissing(snap, 'id') ? '' : matchingText(snap, 'id', SNAP_ID, where);
    const hasRevision = hasRevisionOf(snap, where);
    if ((id !== '') !== hasRevision)
      breaksRule(`"id" and "revision" ${where} must be given both or neither`, 'snaps');
    checkComponents(snap, where, hasRevision);
    names.push(name);
    if (id !== '') ids.push(id);
  }
  assertUnique(names, 'snap', 'snaps');
  assertUnique(ids, 'snap id', 'snaps');
}

function checkComponents(snap: HeaderMap, where: string, snapHasRevision: boolean): void {
  const names: string[] = [];
  for (const component of mapList(snap, 'components', where)) {
    const name = nameOf(component, 'component');
    if (hasRevisionOf(component, `of component "${name}"`) !== snapHasRevision) {
      breaksRule(`component "${name}" must have a revision exactly when its snap has one`, 'snaps');
    }
    names.push(name);
  }
  assertUnique(names, 'component', 'snaps');
}

function nameOf(entry: HeaderMap, what: 'snap' | 'component'): string {
  const name = requiredText(entry, 'name', `of ${what}`);
  if (!isSnapName(name)) breaksRule(`invalid ${what} name "${name}"`, 'snaps');
  return name;
}

function hasRevisionOf(entry: HeaderMap, where: string): boolean {
  if (isMissing(entry, 'revision')) return false;
  checkPositive(entry, 'revision', where);
  return true;
}
