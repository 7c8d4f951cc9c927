import type { SnapContents } from './open-snap.js';
import { METADATA_LIMIT_BYTES } from './open-snap.js';
import { ReviewProblem } from './problem.js';
import { parseYamlMap } from './yaml-map.js';
import type { YamlMap } from './yaml-map.js';

/** One YAML file of the snap: there, a regular file, not too long, UTF-8, a map. `text` is as it stands. */
export function readYamlFile(
  contents: SnapContents,
  path: string,
  code: string,
): { readonly map: YamlMap; readonly text: string } {
  const entry = contents.entries.get(path);
  if (!entry) throw new ReviewProblem(code, `there is no ${path}`);
  // A link would be followed on the device, out of the snap.
  if (entry.kind !== 'file') throw new ReviewProblem(code, `${path} is not a regular file`);
  if (entry.sizeBytes > METADATA_LIMIT_BYTES) {
    throw new ReviewProblem(
      code,
      `${path} has ${entry.sizeBytes} bytes, more than ${METADATA_LIMIT_BYTES}`,
    );
  }
  const bytes = contents.files.get(path);
  if (bytes?.length !== entry.sizeBytes) throw new ReviewProblem(code, `cannot extract ${path}`);
  return { map: parseYamlMap(bytes, path, code), text: bytes.toString() };
}

/** meta/snap.yaml, where everything that a store knows about a snap comes from. */
export function readSnapYaml(contents: SnapContents): ReturnType<typeof readYamlFile> {
  return readYamlFile(contents, 'meta/snap.yaml', 'bad-snap-yaml');
}
