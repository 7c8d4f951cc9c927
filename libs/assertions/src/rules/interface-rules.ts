import type { HeaderMap, HeaderValue } from '../headers.js';
import { breaksRule, isHeaderList, isHeaderMap, optionalMap } from '../values.js';
import type { Feature } from './attribute-constraints.js';
import { union } from './attribute-constraints.js';
import { compileSubrule, type Side, type SubruleName } from './interface-subrules.js';

const SUBRULES: readonly SubruleName[] = [
  'allow-installation',
  'deny-installation',
  'allow-connection',
  'deny-connection',
  'allow-auto-connection',
  'deny-auto-connection',
];

/** Headers are asked for their format as well as for their rules; large ones are compiled once. */
const compiled = new WeakMap<HeaderMap, ReadonlySet<Feature>>();

/**
 * Checks the `plugs` and `slots` of a declaration (assertions.md 10.1).
 *
 * @returns what they use, as far as formats depend on it
 * @throws AssertionError `header value breaks a rule of the type`
 */
export function checkInterfaceRules(headers: HeaderMap): ReadonlySet<Feature> {
  const known = compiled.get(headers);
  if (known !== undefined) return known;
  const parts: { features: ReadonlySet<Feature> }[] = [];
  for (const side of ['plug', 'slot'] as const) {
    for (const [name, rule] of Object.entries(optionalMap(headers, `${side}s`) ?? {})) {
      if (rule !== undefined) parts.push({ features: checkRule(rule, side, name) });
    }
  }
  const features = union(parts);
  if (parts.length > 0) compiled.set(headers, features);
  return features;
}

function checkRule(rule: HeaderValue, side: Side, interfaceName: string): ReadonlySet<Feature> {
  const where = `${side} rule for interface "${interfaceName}"`;
  if (isShortcut(rule)) return new Set();
  if (!isHeaderMap(rule)) breaksRule(`${where} must be true, false or a map`, `${side}s`);
  const used = SUBRULES.filter((name) => rule[name] !== undefined);
  const parts = used.flatMap((name) =>
    checkSubrule(rule[name] ?? '', side, name, `${name} in ${where}`),
  );
  if (used.length === 0)
    breaksRule(`${where} must have at least one of ${SUBRULES.join(', ')}`, `${side}s`);
  return union(parts);
}

function checkSubrule(
  subrule: HeaderValue,
  side: Side,
  name: SubruleName,
  where: string,
): { features: ReadonlySet<Feature> }[] {
  if (isShortcut(subrule)) return [];
  const alternatives = isHeaderList(subrule) ? subrule : [subrule];
  return alternatives.map((alternative) => {
    if (!isHeaderMap(alternative))
      breaksRule(`${where} must be true, false, a map or a list of maps`, `${side}s`);
    return { features: compileSubrule(alternative, side, name, where) };
  });
}

function isShortcut(value: HeaderValue): boolean {
  return value === 'true' || value === 'false';
}
