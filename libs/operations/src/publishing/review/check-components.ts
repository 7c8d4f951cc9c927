import { isSnapName } from './check-name.js';
import { ReviewProblem } from './problem.js';
import { COMPONENT_TYPES, type ComponentType } from './review-component.js';
import { asMap, textOf } from './yaml-map.js';
import type { YamlMap } from './yaml-map.js';

/** Component name → type, as the snap declares them; the files themselves come beside it (publisher-api.md 3.4). */
export type DeclaredComponents = ReadonlyMap<string, ComponentType>;

const CODE = 'bad-components';

/** What snap.yaml says of the components that belong to the snap; snapd refuses others at the installation. */
export function checkComponents(yaml: YamlMap): DeclaredComponents {
  const value = yaml.get('components');
  if (value === undefined || value === '') return new Map();
  const components = asMap(value);
  if (!components) throw new ReviewProblem(CODE, `'components' is not a map`);
  const declared = [...components].map(([name, one]): [string, ComponentType] => {
    if (!isSnapName(name)) throw new ReviewProblem(CODE, `'${name}' is not a component name`);
    const map = asMap(one);
    if (!map) throw new ReviewProblem(CODE, `the component '${name}' is not a map`);
    const type = COMPONENT_TYPES.find((known) => known === textOf(map, 'type', CODE));
    if (!type)
      throw new ReviewProblem(CODE, `the component '${name}' has no type that snapd knows`);
    return [name, type];
  });
  return new Map(declared);
}
