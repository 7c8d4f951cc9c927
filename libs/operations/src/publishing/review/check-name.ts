import { ReviewProblem } from './problem.js';
import { textOf } from './yaml-map.js';
import type { YamlMap } from './yaml-map.js';

/** assertions.md 2: 2 to 40 of a-z, 0-9 and dash, a letter among them, no dash at an end, no two in a row. */
export function isSnapName(name: string): boolean {
  return /^(?=.{2,40}$)(?=.*[a-z])[a-z0-9]+(?:-[a-z0-9]+)*$/.test(name);
}

/** The name inside must be the registered one: the request's word is not believed (publisher-api.md 5, 40). */
export function checkName(yaml: YamlMap, registeredName: string): string {
  const name = textOf(yaml, 'name', 'bad-name');
  if (name === undefined) throw new ReviewProblem('bad-name', 'snap.yaml has no name');
  if (!isSnapName(name)) throw new ReviewProblem('bad-name', `'${name}' is not a snap name`);
  if (name !== registeredName) {
    throw new ReviewProblem(
      'wrong-name',
      `the snap calls itself '${name}' and was uploaded as '${registeredName}'`,
    );
  }
  return name;
}
