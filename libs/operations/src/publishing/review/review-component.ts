import type { ComponentType } from '#libs/database';
import { checkSize } from './check-size.js';
import { isSnapName } from './check-name.js';
import { openSnap } from './open-snap.js';
import type { Problem } from './problem.js';
import { ReviewProblem } from './problem.js';
import { readYamlFile } from './read-metadata.js';
import { textOf } from './yaml-map.js';

export type { ComponentType };

const CODE = 'bad-component-yaml';
/** Those that snapd installs (device-api.md 2.1). */
export const COMPONENT_TYPES = [
  'standard',
  'kernel-modules',
] as const satisfies readonly ComponentType[];

export interface ComponentMetadata {
  /** Without the snap's name in front. */
  readonly name: string;
  readonly type: ComponentType;
  readonly version: string | null;
  readonly description: string | null;
}

export type ComponentVerdict =
  | { readonly verdict: 'reject'; readonly problems: readonly Problem[] }
  | { readonly verdict: 'accept'; readonly metadata: ComponentMetadata };

/** Reads a component file of `snapName`: meta/component.yaml says `<snap>+<component>` and a type that snapd knows. */
export async function reviewComponent(path: string, snapName: string): Promise<ComponentVerdict> {
  try {
    const contents = await openSnap(path);
    const { map } = readYamlFile(contents, 'meta/component.yaml', CODE);
    const [snap, name = '', ...more] = (textOf(map, 'component', CODE) ?? '').split('+');
    if (snap !== snapName || more.length > 0 || !isSnapName(name)) {
      throw new ReviewProblem(CODE, `it is not a component of '${snapName}'`);
    }
    const said = textOf(map, 'type', CODE) ?? '';
    const type = COMPONENT_TYPES.find((known) => known === said);
    if (!type) throw new ReviewProblem(CODE, `'${said}' is not a type of component`);
    const read = (key: string): string | null => textOf(map, key, CODE) ?? null;
    checkSize(contents);
    const description = read('description') ?? read('summary');
    return { verdict: 'accept', metadata: { name, type, version: read('version'), description } };
  } catch (error) {
    if (!(error instanceof ReviewProblem)) throw error;
    return { verdict: 'reject', problems: [{ code: error.code, message: error.message }] };
  }
}
