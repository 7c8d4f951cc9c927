import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { readChecklists } from './checklist.js';
import { conformance, type Notes, type TestReport, toMarkdown } from './report.js';

const REPORT = 'test-results/report.json';
const NOTES = 'tools/conformance/notes.json';

/** `npm run conformance [-- --json]`: prints each check's state and writes docs/conformance.md. */
export async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({ args, options: { json: { type: 'boolean', default: false } } });
  const report = await readFile(REPORT, 'utf8').then(
    (text) => JSON.parse(text) as TestReport,
    () => null,
  );
  if (!report) {
    process.stderr.write(`cannot read ${REPORT}: run npm test first\n`);
    return 1;
  }
  const notes = JSON.parse(await readFile(NOTES, 'utf8')) as Notes;
  const states = conformance(await readChecklists('docs/protocol'), report, notes);
  await writeFile('docs/conformance.md', toMarkdown(states));
  if (values.json) {
    process.stdout.write(`${JSON.stringify({ checks: states })}\n`);
  } else {
    for (const { id, status, title } of states)
      process.stdout.write(`${id.padEnd(5)}${status.padEnd(16)}${title.slice(0, 90)}\n`);
  }
  return 0;
}
