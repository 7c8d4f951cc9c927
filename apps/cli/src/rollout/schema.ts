import { Command } from 'commander';
import { planFileJsonSchema } from '#libs/plan-file';
import type { Io } from '../io.js';

/** For editors without a way to the store, and for other validators. */
export const schemaCommand = (io: Io): Command =>
  new Command('schema')
    .description('print the JSON schema of plan files')
    .action(() => io.out(`${JSON.stringify(planFileJsonSchema(), null, 2)}\n`));
