// Prints the closing line of CI, `N passed, N failed`, and exits accordingly: tests from the runner's report, each demo as one.
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

const [tests, ...demos] = process.argv.slice(2).map(Number);

let passed = 0;
let failed = 0;
try {
  const report = JSON.parse(readFileSync('test-results/report.json', 'utf8'));
  passed = report.numPassedTests;
  failed = report.numFailedTests;
  tell(report);
} catch {
  console.log('cannot read the test report');
}
// A runner that failed without a failed test (a file that does not load, say) has failed all the same.
if (tests !== 0 && failed === 0) failed += 1;
for (const [index, status] of demos.entries()) {
  if (status === 0) passed += 1;
  else {
    failed += 1;
    console.log(`failed: demo ${index + 1}: exit ${status}`);
  }
}

console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);

/** Each failed test in a line or two, because the end of a long output is what people are shown. */
function tell({ testResults, unsteady = [] }) {
  for (const name of unsteady) console.log(`unsteady, passed only the second time: ${name}`);
  for (const { name, message, assertionResults } of testResults) {
    const file = relative(process.cwd(), name);
    const bad = assertionResults.filter(({ status }) => status === 'failed');
    if (bad.length === 0 && message) console.log(`failed: ${file}: ${firstLine(message)}`);
    for (const { fullName, failureMessages } of bad)
      console.log(`failed: ${file}: ${fullName}\n  ${firstLine(failureMessages[0] ?? '')}`);
  }
}

function firstLine(text) {
  return stripVTControlCharacters(text).split('\n', 1)[0];
}
