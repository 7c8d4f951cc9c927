#!/usr/bin/env node
import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { assertionCommand } from './assertion/command.js';
import { processIo, type Io } from './io.js';
import { OK, USAGE } from './usage.js';

/** One word after `brandstore`. Each command parses its own arguments, prints its own help and gives its exit status. */
interface Command {
  readonly summary: string;
  readonly run: (args: string[], io: Io) => Promise<number>;
}

const commands: Readonly<Record<string, Command>> = {
  assertion: {
    summary: 'verify, show and sign assertions, offline',
    run: assertionCommand,
  },
  key: {
    summary: 'create, export and identify signing keys',
    run: (args, io) => assertionCommand(['key', ...args], io),
  },
};

const help = `usage: brandstore COMMAND …

${Object.entries(commands)
  .map(([name, { summary }]) => `  ${name.padEnd(12)} ${summary}`)
  .join('\n')}

brandstore COMMAND --help tells more. Exit status: 0 done or valid, 1 failed or invalid, 2 wrong usage.
`;

/** Runs one command line. @returns its exit status */
export async function main(args: string[], io: Io = processIo): Promise<number> {
  const [name = '', ...rest] = args;
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command !== undefined) return command.run(rest, io);
  if (['', '--help', '-h', 'help'].includes(name)) {
    io.out(help);
    return name === '' ? USAGE : OK;
  }
  io.err(`there is no command "${name}"\n\n${help}`);
  return USAGE;
}

if (
  process.argv[1] !== undefined &&
  realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)
) {
  process.exitCode = await main(process.argv.slice(2));
}
