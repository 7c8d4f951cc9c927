import { SCHEMAS } from './schemas.js';

// `print.js APP`: the schema of one app on stdout.
const print = SCHEMAS[process.argv[2] ?? ''];
if (!print)
  throw new Error(`cannot print a schema: give one of ${Object.keys(SCHEMAS).join(', ')}`);
process.stdout.write(await print());
