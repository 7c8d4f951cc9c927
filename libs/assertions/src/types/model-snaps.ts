import type { HeaderMap } from '../headers.js';
import { refuse } from '../error.js';
import { isSnapName, parseChannel, SNAP_ID } from '../names.js';
import {
  breaksRule,
  isHeaderMap,
  isMissing,
  mapList,
  matchingText,
  oneOf,
  optionalBoolean,
  optionalMap,
  optionalText,
  requiredText,
  textList,
} from '../values.js';

export type Grade = 'secured' | 'signed' | 'dangerous';

/** What the rules of a `snaps` entry depend on. */
export interface ModelSnapsContext {
  readonly base: string;
  readonly isClassic: boolean;
  readonly grade: Grade;
}

interface ModelSnap {
  readonly name: string;
  readonly id: string;
  readonly type: string;
}

const TYPES = ['app', 'base', 'gadget', 'kernel', 'core', 'snapd'];
const SINGLE_TYPES = ['snapd', 'kernel', 'gadget'];
const PRESENCES = ['required', 'optional'];
const MODE = /^[a-z][-a-z]+$/;

/** Bases whose snap id clients have built in (assertions.md 9, model). */
const WELL_KNOWN = ['core', 'snapd', 'core18', 'core20', 'core22', 'core24'];

/** Checks the `snaps` header of an extended model (assertions.md 9, model). */
export function checkModelSnaps(headers: HeaderMap, context: ModelSnapsContext): void {
  const seen = new SeenSnaps();
  for (const entry of mapList(headers, 'snaps')) {
    const snap = checkModelSnap(entry, context);
    seen.add(snap);
    if (!SINGLE_TYPES.includes(snap.type) && snap.name === context.base && snap.type !== 'base') {
      breaksRule(`the boot base "${snap.name}" must have type base, not ${snap.type}`, 'snaps');
    }
  }
  if (!context.isClassic && !seen.hasSingle('gadget'))
    breaksRule('"snaps" must list the gadget', 'snaps');
  if (!context.isClassic && !seen.hasSingle('kernel'))
    breaksRule('"snaps" must list the kernel', 'snaps');
  if (seen.hasSingle('kernel') && !seen.hasSingle('gadget')) {
    breaksRule('"snaps" lists a kernel but no gadget', 'snaps');
  }
  if (
    context.grade !== 'dangerous' &&
    !seen.hasPlain(context.base) &&
    !WELL_KNOWN.includes(context.base)
  ) {
    breaksRule(`base "${context.base}" must be listed in "snaps" with its id`, 'base');
  }
}

/** The snaps listed so far, with lookups that keep a long list linear. */
class SeenSnaps {
  private readonly typeByName = new Map<string, string>();
  private readonly nameById = new Map<string, string>();
  private readonly singles = new Set<string>();

  add({ name, id, type }: ModelSnap): void {
    if (this.typeByName.has(name)) breaksRule(`snap "${name}" is listed twice`, 'snaps');
    const twin = this.nameById.get(id);
    if (twin !== undefined)
      breaksRule(`snap id ${id} is given to both "${twin}" and "${name}"`, 'snaps');
    if (this.singles.has(type))
      breaksRule(`"snaps" lists more than one snap of type ${type}`, 'snaps');
    this.typeByName.set(name, type);
    if (id !== '') this.nameById.set(id, name);
    if (SINGLE_TYPES.includes(type)) this.singles.add(type);
  }

  hasSingle(type: string): boolean {
    return this.singles.has(type);
  }

  hasPlain(name: string): boolean {
    const type = this.typeByName.get(name);
    return type !== undefined && !SINGLE_TYPES.includes(type);
  }
}

function checkModelSnap(entry: HeaderMap, context: ModelSnapsContext): ModelSnap {
  const name = requiredText(entry, 'name', 'of snap');
  if (!isSnapName(name)) breaksRule(`invalid snap name "${name}"`, 'snaps');
  const where = `of snap "${name}"`;
  const id = snapId(entry, context.grade, where);
  const type = oneOf(entry, 'type', TYPES, where) || 'app';
  const isEssential = SINGLE_TYPES.includes(type) || name === context.base;
  const presence = oneOf(entry, 'presence', PRESENCES, where);
  if (isEssential && presence !== '') {
    breaksRule(
      `snap "${name}" is essential and always present, "presence" is not allowed`,
      'presence',
    );
  }
  const modes = snapModes(entry, isEssential, where);
  const channel = parseChannel(optionalText(entry, 'default-channel', where) || 'latest/stable');
  if (channel === null || channel.track === '') {
    breaksRule(
      `"default-channel" ${where} must be track, track/risk or track/risk/branch`,
      'default-channel',
    );
  }
  if (optionalBoolean(entry, 'classic', where)) {
    if (!context.isClassic || type !== 'app' || modes.join() !== 'run') {
      breaksRule(
        `snap "${name}" may only be classic in a classic model, as an app and in run mode`,
        'classic',
      );
    }
  }
  checkComponents(entry, modes, where);
  return { name, id, type };
}

function snapId(entry: HeaderMap, grade: Grade, where: string): string {
  if (!isMissing(entry, 'id')) return matchingText(entry, 'id', SNAP_ID, where);
  if (grade === 'dangerous') return '';
  refuse(
    'mandatory header missing or empty',
    `"id" ${where} is missing, which only a dangerous model may do`,
    {
      header: 'id',
      rule: 'assertions.md 9, model',
    },
  );
}

function snapModes(entry: HeaderMap, isEssential: boolean, where: string): readonly string[] {
  const modes = textList(entry, 'modes', MODE, where);
  if (!isEssential) return modes.length === 0 ? ['run'] : modes;
  if (modes.length > 0)
    breaksRule(`"modes" ${where} is not allowed: essential snaps are always there`, 'modes');
  return ['run', 'ephemeral'];
}

function checkComponents(
  entry: HeaderMap,
  snapModesAllowed: readonly string[],
  snapWhere: string,
): void {
  for (const [name, component] of Object.entries(
    optionalMap(entry, 'components', snapWhere) ?? {},
  )) {
    const where = `of component "${name}" ${snapWhere}`;
    if (!isSnapName(name)) breaksRule(`invalid component name "${name}"`, 'components');
    if (typeof component === 'string') {
      if (!PRESENCES.includes(component))
        breaksRule(`presence ${where} must be required or optional`, 'components');
      continue;
    }
    if (!isHeaderMap(component))
      breaksRule(`the value ${where} must be a presence or a map`, 'components');
    const unknown = Object.keys(component).find((key) => !['presence', 'modes'].includes(key));
    if (unknown !== undefined) breaksRule(`"${unknown}" ${where} is unknown`, 'components');
    requiredText(component, 'presence', where);
    oneOf(component, 'presence', PRESENCES, where);
    const foreign = textList(component, 'modes', MODE, where).find(
      (mode) => !snapModesAllowed.includes(mode),
    );
    if (foreign !== undefined)
      breaksRule(`mode "${foreign}" ${where} is not a mode of the snap`, 'components');
  }
}
