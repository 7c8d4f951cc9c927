import type { SnapType } from '#libs/database';
import { isSnapName } from './check-name.js';
import { ReviewProblem } from './problem.js';
import { textOf, textsOf } from './yaml-map.js';
import type { YamlMap } from './yaml-map.js';

const WITHOUT_BASE: readonly SnapType[] = ['base', 'os', 'snapd'];

/** Null: none is named. `none` is a word of its own that means it. */
export function checkBase(yaml: YamlMap, type: SnapType): string | null {
  const base = textOf(yaml, 'base', 'bad-base');
  if (base === undefined) return null;
  if (base !== 'none' && !isSnapName(base)) {
    throw new ReviewProblem('bad-base', `'${base}' cannot be the name of a base`);
  }
  if (base !== 'none' && WITHOUT_BASE.includes(type)) {
    throw new ReviewProblem('bad-base', `a snap of type ${type} cannot have a base`);
  }
  return base;
}

/** Features of snapd that the snap needs; a device refuses those that it does not know. */
export function checkAssumes(yaml: YamlMap): readonly string[] {
  const assumes = textsOf(yaml, 'assumes', 'bad-assumes');
  const wrong = assumes.find((feature) => !/^[a-z0-9]+(?:[.-]?[a-z0-9]+)*$/.test(feature));
  if (wrong !== undefined) {
    throw new ReviewProblem('bad-assumes', `'${wrong}' is not the name of a feature`);
  }
  return assumes;
}
