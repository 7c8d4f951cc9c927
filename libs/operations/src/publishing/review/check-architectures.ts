import { ReviewProblem } from './problem.js';
import { textsOf } from './yaml-map.js';
import type { YamlMap } from './yaml-map.js';

const ARCHITECTURES: ReadonlySet<string> = new Set([
  'all',
  'amd64',
  'arm64',
  'armhf',
  'i386',
  'ppc64el',
  'riscv64',
  's390x',
]);

/** `all` is a value of its own and stands alone (publisher-api.md 4.3). */
export function checkArchitectures(yaml: YamlMap): readonly string[] {
  const code = 'bad-architectures';
  const given = textsOf(yaml, 'architectures', code);
  if (given.length === 0) return ['all'];
  const unknown = given.find((name) => !ARCHITECTURES.has(name));
  if (unknown !== undefined) {
    throw new ReviewProblem(code, `'${unknown}' is not an architecture that snaps know`);
  }
  if (new Set(given).size < given.length) {
    throw new ReviewProblem(code, 'an architecture is named twice');
  }
  if (given.includes('all') && given.length > 1) {
    throw new ReviewProblem(code, `'all' cannot stand beside other architectures`);
  }
  return given;
}
