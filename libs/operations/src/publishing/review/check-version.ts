import { ReviewProblem } from './problem.js';
import { textOf } from './yaml-map.js';
import type { YamlMap } from './yaml-map.js';

/** snapd's rule of versions: up to 32 characters, a letter or digit first. */
export function checkVersion(yaml: YamlMap): string {
  const version = textOf(yaml, 'version', 'bad-version');
  if (version === undefined) throw new ReviewProblem('bad-version', 'snap.yaml has no version');
  if (!/^[a-zA-Z0-9](?:[a-zA-Z0-9:.+~-]{0,30}[a-zA-Z0-9+~])?$/.test(version)) {
    throw new ReviewProblem('bad-version', `'${version}' is not a version`);
  }
  return version;
}
