import type { HeaderMap, HeaderValue } from '../headers.js';
import { isSnapName, LOWER_NAME, SNAP_ID } from '../names.js';
import {
  assertUnique,
  breaksRule,
  existingText,
  isHeaderMap,
  isMissing,
  matchingText,
  oneOf,
  checkPositive,
  requiredMapList,
  requiredText,
  requiredTime,
} from '../values.js';
import { defineType } from './assertion-type.js';
import { authorityIs } from './shared.js';

const PRESENCES = ['required', 'optional', 'invalid'];

export const validationSetType = defineType({
  name: 'validation-set',
  primaryKey: ['series', 'account-id', 'name', 'sequence'],
  isSequence: true,
  hasTimestamp: true,
  check(assertion) {
    const { headers } = assertion;
    authorityIs(assertion, 'account-id');
    matchingText(headers, 'name', LOWER_NAME);
    checkPositive(headers, 'sequence');
    checkSnaps(requiredMapList(headers, 'snaps'));
    requiredTime(headers, 'timestamp');
  },
});

function checkSnaps(snaps: Iterable<HeaderMap>): void {
  const names: string[] = [];
  const ids: string[] = [];
  for (const snap of snaps) {
    const name = requiredText(snap, 'name', 'of snap');
    if (!isSnapName(name)) breaksRule(`invalid snap name "${name}"`, 'snaps');
    const where = `of snap "${name}"`;
    ids.push(matchingText(snap, 'id', SNAP_ID, where));
    const presence = oneOf(snap, 'presence', PRESENCES, where);
    const hasRevision = revision(snap, presence, where);
    checkComponents(snap, name, hasRevision);
    names.push(name);
  }
  assertUnique(names, 'snap', 'snaps');
  assertUnique(ids, 'snap id', 'snaps');
}

/** @returns whether a revision is given */
function revision(entry: HeaderMap, presence: string, where: string): boolean {
  if (isMissing(entry, 'revision')) return false;
  checkPositive(entry, 'revision', where);
  if (presence === 'invalid')
    breaksRule(`"revision" ${where} contradicts its presence "invalid"`, 'snaps');
  return true;
}

function checkComponents(snap: HeaderMap, snapName: string, snapHasRevision: boolean): void {
  const components = snap['components'];
  if (components === undefined) return;
  if (!isHeaderMap(components))
    breaksRule(`"components" of snap "${snapName}" must be a map`, 'snaps');
  for (const [name, value] of Object.entries(components)) {
    const where = `of component "${snapName}+${name}"`;
    const component = asMap(value, where);
    if (!isSnapName(name)) breaksRule(`invalid component name "${name}"`, 'snaps');
    existingText(component, 'presence', where);
    const presence = oneOf(component, 'presence', PRESENCES, where);
    const hasRevision = revision(component, presence, where);
    if (snapHasRevision && !hasRevision && presence !== 'invalid') {
      breaksRule(`"revision" ${where} is needed because its snap has one`, 'snaps');
    }
    if (!snapHasRevision && hasRevision) {
      breaksRule(`"revision" ${where} is not allowed because its snap has none`, 'snaps');
    }
  }
}

function asMap(value: HeaderValue | undefined, where: string): HeaderMap {
  if (typeof value === 'string') return { presence: value };
  if (!isHeaderMap(value)) breaksRule(`the value ${where} must be a presence or a map`, 'snaps');
  return value;
}
