import type { HeaderMap, HeaderValue } from '../headers.js';
import { quote } from '../headers.js';
import { SNAP_ID } from '../names.js';
import { breaksRule, isHeaderList, textList } from '../values.js';
import { compileAttributeConstraints, union, type Feature } from './attribute-constraints.js';
import { compileDeviceScope } from './device-scope.js';
import { compilePattern } from './pattern.js';

export type Side = 'plug' | 'slot';
export type SubruleName =
  `${'allow' | 'deny'}-${'installation' | 'connection' | 'auto-connection'}`;

const SNAP_TYPE = /^(?:core|kernel|gadget|app)$/;
const PUBLISHER = /^(?:[a-z0-9A-Z]{32}|[-a-z0-9]{2,28}|\$[A-Z][A-Z0-9_]*)$/;
const SYSTEM_ID = /^[-0-9a-z._]+$/;

/** The id lists that each kind of subrule takes, with the form of their members (assertions.md 10.1). */
const ID_LISTS: Readonly<
  Record<`${Side}-${'installation' | 'connection'}`, Readonly<Record<string, RegExp>>>
> = {
  'plug-installation': { 'plug-snap-type': SNAP_TYPE, 'plug-snap-id': SNAP_ID },
  'slot-installation': { 'slot-snap-type': SNAP_TYPE, 'slot-snap-id': SNAP_ID },
  'plug-connection': {
    'slot-snap-type': SNAP_TYPE,
    'slot-publisher-id': PUBLISHER,
    'slot-snap-id': SNAP_ID,
  },
  'slot-connection': {
    'slot-snap-type': SNAP_TYPE,
    'plug-snap-type': SNAP_TYPE,
    'plug-publisher-id': PUBLISHER,
    'plug-snap-id': SNAP_ID,
  },
};

/** Checks one constraints map and tells what it uses. */
export function compileSubrule(
  map: HeaderMap,
  side: Side,
  name: SubruleName,
  where: string,
): ReadonlySet<Feature> {
  const isInstallation = name.endsWith('-installation');
  const sides: readonly Side[] = isInstallation ? [side] : ['plug', 'slot'];
  const features = new Set<Feature>();
  for (const each of sides) nameConstraints(map, `${each}-names`, where, features);
  const attributes = sides.flatMap((each) =>
    attributeConstraints(map, `${each}-attributes`, where),
  );
  const idLists = ID_LISTS[`${side}-${isInstallation ? 'installation' : 'connection'}`];
  const ids = Object.entries(idLists).filter(
    ([field, form]) => textList(map, field, form, `in ${where}`).length > 0,
  );
  const arities = ['slots-per-plug', 'plugs-per-slot'].filter((field) =>
    sideArity(map, field, name, where),
  );
  onClassic(map, where, features);
  onCoreDesktop(map, where);
  if (compileDeviceScope(map, `in ${where}`) !== undefined) features.add('device-scope');
  const known = [
    ...sides.flatMap((each) => [`${each}-names`, `${each}-attributes`]),
    ...['on-classic', 'on-core-desktop', 'on-store', 'on-brand', 'on-model'],
  ];
  // The reference means to require this for installation too; see the list of refused odd inputs.
  if (
    ids.length === 0 &&
    arities.length === 0 &&
    !known.some((field) => map[field] !== undefined)
  ) {
    breaksRule(`${where} has none of the constraints that it could have`, `${side}s`);
  }
  return union([...attributes, { features }]);
}

function nameConstraints(
  map: HeaderMap,
  field: string,
  where: string,
  features: Set<Feature>,
): void {
  const list = map[field];
  if (list === undefined) return;
  features.add('names');
  if (!isHeaderList(list)) breaksRule(`${field} in ${where} must be a list`, field);
  for (const entry of list) {
    if (typeof entry !== 'string')
      breaksRule(`${field} in ${where} must be a list of texts`, field);
    if (entry.startsWith('$')) {
      if (!/^\$[A-Z][A-Z0-9_]*$/.test(entry))
        breaksRule(`${field} in ${where} has an invalid value ${quote(entry)}`, field);
    } else {
      if (/\p{White_Space}/u.test(entry))
        breaksRule(`${field} in ${where} has a pattern with spaces`, field);
      compilePattern(entry, `${field} in ${where}`);
    }
  }
}

function attributeConstraints(
  map: HeaderMap,
  field: string,
  where: string,
): { features: ReadonlySet<Feature> }[] {
  const constraints = map[field];
  if (constraints === undefined) return [];
  return [
    compileAttributeConstraints(constraints, {
      where: `${field} in ${where}`,
      allowReferences: true,
    }),
  ];
}

/** @returns whether the field is there */
function sideArity(map: HeaderMap, field: string, name: SubruleName, where: string): boolean {
  const value = map[field];
  if (value === undefined) return false;
  if (!name.startsWith('allow-') || name.endsWith('-installation')) {
    breaksRule(
      `${where} must not have ${field}, which is for allow-connection and allow-auto-connection`,
      field,
    );
  }
  if (value !== '*' && (typeof value !== 'string' || !/^[1-9]\d{0,17}$/.test(value))) {
    breaksRule(`${field} in ${where} must be a number from 1 up, or *`, field);
  }
  return true;
}

function onClassic(map: HeaderMap, where: string, features: Set<Feature>): void {
  const value = map['on-classic'];
  if (value === undefined || value === 'true' || value === 'false') return;
  if (!isHeaderList(value))
    breaksRule(`on-classic in ${where} must be true, false or a list`, 'on-classic');
  for (const system of value) {
    if (!isSystem(system))
      breaksRule(
        `on-classic in ${where} has a member that is not distro or distro/variant`,
        'on-classic',
      );
    if (system.includes('/')) features.add('variant');
  }
}

function isSystem(system: HeaderValue): system is string {
  if (typeof system !== 'string') return false;
  const [distro = '', variant, ...rest] = system.split('/');
  if (rest.length > 0 || !SYSTEM_ID.test(distro)) return false;
  return variant === undefined || variant === '' || variant === '*' || SYSTEM_ID.test(variant);
}

function onCoreDesktop(map: HeaderMap, where: string): void {
  const value = map['on-core-desktop'];
  if (value !== undefined && value !== 'true' && value !== 'false') {
    breaksRule(`on-core-desktop in ${where} must be true or false`, 'on-core-desktop');
  }
}
