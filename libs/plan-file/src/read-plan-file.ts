import { LineCounter, parseDocument, type Document } from 'yaml';
import type { z } from 'zod';
import { PlanFileError, type PlanFileProblem } from './plan-file-error.js';
import { planFileSchema, type PlanFile } from './plan-file.schema.js';
import { pathText, placeOf, stepsOf, type Path } from './places.js';
import { toFilePath } from './to-file-path.js';

export interface ReadPlan {
  readonly plan: PlanFile;
  /** A problem that the store found in the rollout, where the file speaks of it. */
  readonly locate: (problem: {
    readonly path: string;
    readonly message: string;
  }) => PlanFileProblem;
}

/** Reads a plan. Throws a `PlanFileError` with every fault that can be told without a store. */
export function readPlanFile(text: string): ReadPlan {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const faults = document.errors.map(({ message, pos }) => {
    const { line, col } = lines.linePos(pos[0]);
    return { path: '', message, line, column: col };
  });
  if (faults.length > 0) throw new PlanFileError(faults);
  // Nobody repeats a plan by aliases so often; a bomb does.
  const value: unknown = document.toJS({ maxAliasCount: 50 });
  const read = planFileSchema.safeParse(value ?? {});
  if (!read.success) throw new PlanFileError(problemsOf(read.error, document, lines));
  return {
    plan: read.data,
    locate: ({ path, message }) => {
      const filePath = toFilePath(path);
      return { path: filePath, message, ...placeOf(document, lines, stepsOf(filePath)) };
    },
  };
}

type Issue = z.core.$ZodIssue;

function problemsOf(
  { issues }: z.ZodError,
  document: Document,
  lines: LineCounter,
): PlanFileProblem[] {
  return issues.flatMap((issue) =>
    pathsOf(issue).map((path) => ({
      path: pathText(path),
      message: wordsOf(issue),
      ...placeOf(document, lines, path),
    })),
  );
}

function pathsOf(issue: Issue): Path[] {
  const path = issue.path.map((step) => (typeof step === 'number' ? step : String(step)));
  return issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...path, key]) : [path];
}

function wordsOf(issue: Issue): string {
  if (issue.code === 'unrecognized_keys')
    return 'cannot tell what this means: there is no such member';
  if (issue.message.startsWith('cannot ')) return issue.message;
  if (issue.code === 'invalid_type' && /received undefined$/.test(issue.message))
    return 'cannot do without it';
  return `cannot take it: ${issue.message.replace(/^Invalid (input|option): /, '')}`;
}
