import type { HeaderMap } from '../headers.js';
import { breaksRule, isHeaderList, isHeaderMap } from '../values.js';
import { compileAttributeConstraints, type Matcher } from './attribute-constraints.js';

/** What an account-key may sign: any of these must match the headers (assertions.md 10.4). */
export type KeyConstraints = readonly Matcher[];

/** @returns undefined when the key has no constraints and may sign everything */
export function compileKeyConstraints(headers: HeaderMap): KeyConstraints | undefined {
  const list = headers['constraints'];
  if (list === undefined) return undefined;
  if (!isHeaderList(list) || list.length === 0) wrong('"constraints" must be a list of maps');
  return list.map((entry) => {
    if (!isHeaderMap(entry)) wrong('"constraints" must be a list of maps');
    const wanted = entry['headers'];
    if (!isHeaderMap(wanted)) wrong('each constraint must have "headers", a map');
    const type = wanted['type'];
    if (typeof type !== 'string' || /[\\.+*?()|[\]{}^$]/.test(type)) {
      wrong('each constraint must name one "type", a plain name and no pattern');
    }
    return compileAttributeConstraints(wanted, { where: 'constraints', allowReferences: false });
  });
}

export function satisfiesConstraints(
  headers: HeaderMap,
  constraints: KeyConstraints | undefined,
): boolean {
  return constraints === undefined || constraints.some((matcher) => matcher.matches(headers));
}

function wrong(message: string): never {
  breaksRule(message, 'constraints');
}
