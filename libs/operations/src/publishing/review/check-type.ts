import type { SnapType } from '#libs/database';
import { ReviewProblem } from './problem.js';
import { textOf } from './yaml-map.js';
import type { YamlMap } from './yaml-map.js';

const TYPES: ReadonlyMap<string, SnapType> = new Map<string, SnapType>([
  ['app', 'app'],
  // What snaps of the first years say.
  ['application', 'app'],
  ['gadget', 'gadget'],
  ['kernel', 'kernel'],
  ['base', 'base'],
  ['snapd', 'snapd'],
  ['os', 'os'],
]);

export function checkType(yaml: YamlMap): SnapType {
  const text = textOf(yaml, 'type', 'bad-type') ?? 'app';
  const type = TYPES.get(text);
  if (type === undefined) throw new ReviewProblem('bad-type', `'${text}' is not a type of snap`);
  return type;
}
