import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { planFileJsonSchema } from '#libs/plan-file';
import { accessPage } from './access-page.js';
import { SCHEMAS } from './schemas.js';

const PLAN_SCHEMA = 'docs/rollout-plan.schema.json';
const ACCESS = 'docs/access.md';
const PRINT = fileURLToPath(new URL('./print.js', import.meta.url));

/**
 * `npm run api:write`: the committed schemas and the page of rights anew from resolvers, plan file and tables; a test fails while they differ. Each in a process of
 * its own, because the types that decorators register are one list per process.
 */
export async function main(): Promise<number> {
  for (const app of Object.keys(SCHEMAS)) {
    const file = `apps/${app}/schema.graphql`;
    const { stdout } = await promisify(execFile)(process.execPath, [PRINT, app]);
    await writeFile(file, stdout);
    process.stdout.write(`wrote ${file}\n`);
  }
  await writeFile(PLAN_SCHEMA, `${JSON.stringify(planFileJsonSchema(), null, 2)}\n`);
  process.stdout.write(`wrote ${PLAN_SCHEMA}\n`);
  await writeFile(ACCESS, accessPage());
  process.stdout.write(`wrote ${ACCESS}\n`);
  return 0;
}
