// Prints the closing line of CI, `N passed, N failed`, and exits accordingly: tests from the runner's report, each demo as one.
import { readFileSync } from 'node:fs';

const [tests, ...demos] = process.argv.slice(2).map(Number);

let passed = 0;
let failed = 0;
try {
  const report = JSON.parse(readFileSync('test-results/report.json', 'utf8'));
  passed = report.numPassedTests;
  failed = report.numFailedTests;
} catch {
  console.log('cannot read the test report');
}
// A runner that failed without a failed test (a file that does not load, say) has failed all the same.
if (tests !== 0 && failed === 0) failed += 1;
for (const status of demos) status === 0 ? (passed += 1) : (failed += 1);

console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
