// `npm test`: all tests, and once more alone each file in which one failed. Plain JavaScript: it is part of the bootstrap.
import fs from 'node:fs';
import path from 'node:path';

const REPORT = path.join('test-results', 'report.json');
const AGAIN = path.join('test-results', 'again.json');
/** More than that is no accident. */
const MAX_FILES = 5;

/** Unit tests need nothing that is built: they run while the rest is. */
const [UNIT, SERVICES] = [
  ['--project', 'unit*'],
  ['--project', 'e2e*'],
];

/**
 * All tests, or those of `args`, on what `build` makes; gives the status. `run` runs a tool and gives its status, `build` whether it
 * went well.
 */
export async function runTests({ run, build, say }, args) {
  fs.rmSync(REPORT, { force: true });
  if (args.length > 0) return (await build()) ? tested({ run, say }, REPORT, args) : 1;
  const [isBuilt, units] = await Promise.all([build(), tested({ run, say }, REPORT, UNIT)]);
  if (!isBuilt) return 1;
  const first = read(REPORT);
  fs.rmSync(REPORT, { force: true });
  const others = await tested({ run, say }, REPORT, SERVICES);
  const second = read(REPORT);
  if (!first || !second) return units || others || 1;
  const { testResults } = first;
  const unsteady = [...(first.unsteady ?? []), ...(second.unsteady ?? [])];
  write(REPORT, { ...second, testResults: [...testResults, ...second.testResults], unsteady });
  return units || others;
}

/**
 * A test that fails among all others and passes alone is a race: a defect of the test or of what it tests. It does not fail the
 * run, since nobody could then tell a race from a break, but the report names it (`unsteady`), and whoever prints the report does.
 */
async function tested({ run, say }, report, args) {
  const vitest = (file, names) =>
    run([
      'vitest',
      'run',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${file}`,
      ...names,
    ]);
  const status = await vitest(report, args);
  const first = read(report);
  if (status === 0 || !first) return status;
  const files = first.testResults.filter(hasFailed).map(({ name }) => name);
  if (files.length === 0 || files.length > MAX_FILES) return status;
  say(`Once more, alone: ${files.map((file) => path.relative('.', file)).join(', ')}`);
  fs.rmSync(AGAIN, { force: true });
  const statusAgain = await vitest(AGAIN, files);
  const second = read(AGAIN);
  if (!second) return status;
  const merged = merge(first, second);
  write(report, merged);
  for (const name of merged.unsteady)
    say(`Unsteady, failed among others and passed alone: ${name}`);
  return statusAgain;
}

const hasFailed = ({ status, assertionResults }) =>
  status === 'failed' || assertionResults.some((one) => one.status === 'failed');

/** The report of the first run with the files that ran again as they were the second time. */
function merge(first, second) {
  const again = new Map(second.testResults.map((file) => [file.name, file]));
  const testResults = first.testResults.map((file) => again.get(file.name) ?? file);
  const unsteady = first.testResults.flatMap((file) => {
    const later = again.get(file.name);
    if (!later || hasFailed(later)) return [];
    const failed = file.assertionResults.filter(({ status }) => status === 'failed');
    const place = path.relative('.', file.name);
    return failed.length > 0 ? failed.map(({ fullName }) => `${place}: ${fullName}`) : [place];
  });
  return { ...first, testResults, unsteady, success: second.success };
}

/** With the numbers of what stands in it. */
function write(file, report) {
  const all = report.testResults.flatMap(({ assertionResults }) => assertionResults);
  const count = (wanted) => all.filter(({ status }) => status === wanted).length;
  const numbers = {
    numTotalTests: all.length,
    numPassedTests: count('passed'),
    numFailedTests: count('failed'),
  };
  fs.writeFileSync(file, JSON.stringify({ ...report, ...numbers }));
}

function read(file) {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8'));
  } catch {
    return null;
  }
}
