import type { Epoch, SnapType } from '#libs/database';
import { checkApps } from './check-apps.js';
import { checkArchitectures } from './check-architectures.js';
import { checkAssumes, checkBase } from './check-base.js';
import { checkComponents, type DeclaredComponents } from './check-components.js';
import { checkConfinement, checkGrade } from './check-confinement.js';
import type { Confinement, Grade } from './check-confinement.js';
import { checkEpoch } from './check-epoch.js';
import { checkGadget } from './check-gadget.js';
import { checkIcon } from './check-icon.js';
import { listPrivilegedPlugs } from './check-interfaces.js';
import { checkName } from './check-name.js';
import { checkSize } from './check-size.js';
import { checkType } from './check-type.js';
import { checkVersion } from './check-version.js';
import { findIcon, type SnapIcon } from './find-icon.js';
import { openSnap } from './open-snap.js';
import type { Problem } from './problem.js';
import { ReviewProblem } from './problem.js';
import { readSnapYaml } from './read-metadata.js';
import { textOf } from './yaml-map.js';
import type { YamlMap } from './yaml-map.js';

/** What the store keeps of a snap's meta/snap.yaml. */
export interface SnapMetadata {
  readonly name: string;
  readonly version: string;
  readonly type: SnapType;
  readonly epoch: Epoch;
  readonly architectures: readonly string[];
  readonly confinement: Confinement;
  readonly grade: Grade;
  readonly base: string | null;
  readonly assumes: readonly string[];
  readonly title: string | null;
  readonly summary: string | null;
  readonly description: string | null;
  readonly license: string | null;
  readonly components: DeclaredComponents;
  /** meta/snap.yaml as it stands in the snap. */
  readonly snapYaml: string;
  readonly icon: SnapIcon | null;
}

/** `review`: a person decides; `problems` are then their reasons to look. */
export type Verdict =
  | { readonly verdict: 'reject'; readonly problems: readonly Problem[] }
  | {
      readonly verdict: 'accept' | 'review';
      readonly problems: readonly Problem[];
      readonly metadata: SnapMetadata;
    };

/** Runs steps so that one refusal does not hide the others. */
class Steps {
  readonly problems: Problem[] = [];

  run<Result>(step: () => Result): Result | undefined {
    try {
      return step();
    } catch (error) {
      this.refuse(error);
      return undefined;
    }
  }

  refuse(error: unknown): void {
    if (!(error instanceof ReviewProblem)) throw error;
    this.problems.push({ code: error.code, message: error.message });
  }
}

/**
 * Reads a snap and judges it, without a database: everything that depends on the file alone. Never throws for what is in the
 * file.
 *
 * @example
 * const { verdict, problems } = await reviewSnap('/tmp/acme-dashboard_1.snap', 'acme-dashboard');
 */
export async function reviewSnap(path: string, registeredName: string): Promise<Verdict> {
  const steps = new Steps();
  try {
    const contents = await openSnap(path);
    const { map, text } = readSnapYaml(contents);
    const type = steps.run(() => checkType(map)) ?? 'app';
    const found = readFields(steps, map, type, registeredName);
    steps.run(() => checkApps(map, contents));
    steps.run(() => checkIcon(contents));
    steps.run(() => checkGadget(type, contents));
    steps.run(() => checkSize(contents));
    const doubts = steps.run(() => listDoubts(map));
    if (steps.problems.length === 0 && found && doubts) {
      const verdict = doubts.length > 0 ? 'review' : 'accept';
      return {
        verdict,
        problems: doubts,
        metadata: { ...found, snapYaml: text, icon: findIcon(contents.files) },
      };
    }
  } catch (error) {
    steps.refuse(error);
  }
  return { verdict: 'reject', problems: steps.problems };
}

/**
 * What a snap that another store has reviewed says of itself: read by the same rules, judged by nobody. Throws the first
 * `ReviewProblem`.
 */
export async function readForeignSnap(
  path: string,
  name: string,
): Promise<SnapMetadata & { readonly provenance: string | undefined }> {
  const steps = new Steps();
  const contents = await openSnap(path);
  const { map, text } = readSnapYaml(contents);
  const found = readFields(steps, map, checkType(map), name);
  const [problem] = steps.problems;
  if (!found) throw new ReviewProblem(problem?.code ?? 'bad-snap-yaml', problem?.message ?? '');
  const provenance = textOf(map, 'provenance', 'bad-provenance');
  return { ...found, snapYaml: text, icon: findIcon(contents.files), provenance };
}

function readFields(
  steps: Steps,
  yaml: YamlMap,
  type: SnapType,
  registeredName: string,
): Omit<SnapMetadata, 'snapYaml' | 'icon'> | undefined {
  const name = steps.run(() => checkName(yaml, registeredName));
  const version = steps.run(() => checkVersion(yaml));
  const epoch = steps.run(() => checkEpoch(yaml));
  const architectures = steps.run(() => checkArchitectures(yaml));
  const confinement = steps.run(() => checkConfinement(yaml));
  const grade = steps.run(() => checkGrade(yaml));
  const base = steps.run(() => checkBase(yaml, type));
  const assumes = steps.run(() => checkAssumes(yaml));
  const components = steps.run(() => checkComponents(yaml));
  const texts = steps.run(() => readTexts(yaml));
  if (
    !name ||
    !version ||
    !epoch ||
    !architectures ||
    !confinement ||
    !grade ||
    !assumes ||
    !components ||
    !texts
  ) {
    return undefined;
  }
  return {
    name,
    version,
    type,
    epoch,
    architectures,
    confinement,
    grade,
    base: base ?? null,
    assumes,
    components,
    ...texts,
  };
}

function readTexts(
  yaml: YamlMap,
): Pick<SnapMetadata, 'title' | 'summary' | 'description' | 'license'> {
  const read = (key: string): string | null => textOf(yaml, key, `bad-${key}`) ?? null;
  return {
    title: read('title'),
    summary: read('summary'),
    description: read('description'),
    license: read('license'),
  };
}

function listDoubts(yaml: YamlMap): readonly Problem[] {
  const isClassic = yaml.get('confinement') === 'classic';
  return [
    ...(isClassic
      ? [{ code: 'human-review', message: 'needs a reviewer: it asks for classic confinement' }]
      : []),
    ...listPrivilegedPlugs(yaml),
  ];
}
