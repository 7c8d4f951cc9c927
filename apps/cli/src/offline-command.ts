import { Command } from 'commander';
import type { Io } from './io.js';

type Run = (args: string[], io: Io) => Promise<number>;

/** A command that parses its own arguments, prints its own help and gives its exit status to `ended`. */
export const offlineCommand = (
  name: string,
  summary: string,
  run: Run,
  io: Io,
  ended: (status: number) => void,
): Command =>
  new Command(name)
    .description(summary)
    .usage('…')
    .helpOption(false)
    .allowUnknownOption()
    .argument('[args...]')
    .action(async (args: string[]) => ended(await run(args, io)));
