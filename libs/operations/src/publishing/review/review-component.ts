import { checkSize } from './check-size.js';
import { isSnapName } from './check-name.js';
import { openSnap } from './open-snap.js';
import type { Problem } from './problem.js';
import { ReviewProblem } from './problem.js';
import { readYamlFile } from './read-metadata.js';
import { textOf } from './yaml-map.js';

const CODE = 'bad-component-yaml';
const TYPES: readonly string[] = ['standard', 'kernel-modules'];

export interface ComponentMetadata {
  /** Without the snap's name in front. */
  readonly name: string;
  readonly type: string;
  readonly version: string | null;
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
    const type = textOf(map, 'type', CODE) ?? '';
    if (!TYPES.includes(type))
      throw new ReviewProblem(CODE, `'${type}' is not a type of component`);
    checkSize(contents);
    return {
      verdict: 'accept',
      metadata: { name, type, version: textOf(map, 'version', CODE) ?? null },
    };
  } catch (error) {
    if (!(error instanceof ReviewProblem)) throw error;
    return { verdict: 'reject', problems: [{ code: error.code, message: error.message }] };
  }
}
