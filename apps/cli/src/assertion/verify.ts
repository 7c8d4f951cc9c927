import { parseArgs } from 'node:util';
import { AssertionDatabase, type Assertion, type ErrorClass, type Verdict } from '#libs/assertions';
import type { Io } from '../io.js';
import { FAILED, OK } from '../usage.js';
import { readFiles, readWholeFiles, timeOption } from './input.js';

/** One line of the result; the members are those of `--json`. */
interface Line {
  readonly file: string;
  readonly type: string | null;
  readonly primaryKey: readonly string[] | null;
  readonly valid: boolean;
  readonly errorClass: ErrorClass | null;
  readonly message: string | null;
}

/** `assertion verify`: one line for each assertion. @returns 0 if all are valid, else 1 */
export async function verifyCommand(args: string[], io: Io): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      trusted: { type: 'string', multiple: true, default: [] },
      prerequisite: { type: 'string', multiple: true, default: [] },
      at: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  });
  const now = timeOption(values.at, io);
  const database = new AssertionDatabase({ trusted: await readWholeFiles(values.trusted, io) });
  await addPrerequisites(database, values.prerequisite, now, io);
  const contents = await readFiles(positionals, io);
  const verdicts = judgeAll(
    database,
    contents.flatMap(({ assertions }) => assertions),
    now,
  );
  const lines = contents.flatMap(({ file, assertions, error }) => [
    ...assertions.map((assertion) =>
      lineOf(file, assertion, verdicts.get(assertion) ?? { valid: true }),
    ),
    ...(error === undefined
      ? []
      : [
          lineOf(file, undefined, { valid: false, errorClass: error.code, message: error.message }),
        ]),
  ]);
  for (const line of lines) io.out(`${values.json ? JSON.stringify(line) : sentence(line)}\n`);
  return lines.every(({ valid }) => valid) ? OK : FAILED;
}

/** Those that are refused are told about; what rests on them will be refused in turn. */
async function addPrerequisites(
  database: AssertionDatabase,
  files: readonly string[],
  now: Date,
  io: Io,
): Promise<void> {
  for (const { file, assertions, error } of files.length === 0 ? [] : await readFiles(files, io)) {
    if (error !== undefined) io.err(`prerequisite ${file} cannot be read: ${error.message}`);
    for (const assertion of assertions) {
      const verdict = database.add(assertion, now);
      if (!verdict.valid) io.err(`prerequisite ${file} is not added: ${verdict.message}`);
    }
  }
}

/**
 * Judges assertions in any order: what is valid is added, and what was refused is judged again as long as something new
 * was added that it may have missed.
 */
function judgeAll(
  database: AssertionDatabase,
  assertions: readonly Assertion[],
  now: Date,
): ReadonlyMap<Assertion, Verdict> {
  const verdicts = new Map<Assertion, Verdict>();
  let open = assertions;
  let hasProgress = true;
  while (hasProgress && open.length > 0) {
    hasProgress = false;
    for (const assertion of open) {
      const verdict = database.check(assertion, now);
      verdicts.set(assertion, verdict);
      hasProgress = (verdict.valid && database.add(assertion, now).valid) || hasProgress;
    }
    open = open.filter((assertion) => lacksSomething(verdicts.get(assertion)));
  }
  return verdicts;
}

const MAY_COME: readonly ErrorClass[] = [
  'signing key unknown',
  'prerequisite assertion missing',
  'authority not allowed to sign this',
  'no key to check a no-authority assertion',
];

function lacksSomething(verdict: Verdict | undefined): boolean {
  return verdict?.valid === false && MAY_COME.includes(verdict.errorClass);
}

function lineOf(file: string, assertion: Assertion | undefined, verdict: Verdict): Line {
  return {
    file,
    type: assertion?.type ?? null,
    primaryKey: assertion?.primaryKey ?? null,
    valid: verdict.valid,
    errorClass: verdict.valid ? null : verdict.errorClass,
    message: verdict.valid ? null : verdict.message,
  };
}

function sentence({ file, type, primaryKey, valid, errorClass, message }: Line): string {
  const what = [file, ...(type === null ? [] : [type, (primaryKey ?? []).join('/')])]
    .join(' ')
    .trimEnd();
  return valid ? `${what}: valid` : `${what}: INVALID, ${errorClass}: ${message}`;
}
