import { Command, CommanderError } from 'commander';
import { auditCommand } from './audit/audit.js';
import { brandsCommand } from './brand/brand.js';
import { peopleCommand } from './people/people.js';
import { tokenCommand } from './token/token.js';
import { assertionCommand } from './assertion/command.js';
import { declarationCommand } from './declaration/declaration.js';
import { gadgetCommand } from './gadget/gadget.js';
import { explainCommand } from './explain/explain.js';
import { whyCommand } from './explain/why.js';
import { imageCommand } from './image/image.js';
import { modelCommand } from './model/model.js';
import { processIo, type Io } from './io.js';
import { offlineCommand } from './offline-command.js';
import { credentialsCommand } from './publish/credentials-command.js';
import { publishCommand } from './publish/publish.js';
import { rolloutCommand } from './rollout/rollout-command.js';
import { previewCommand } from './preview/preview.js';
import { stopCommand } from './stop/stop.js';
import { simulateCommand } from './simulate/simulate.js';
import { loginCommand } from './session/login.js';
import { logoutCommand } from './session/logout.js';
import { whoamiCommand } from './session/whoami.js';
import { importCommand } from './trust/import.js';
import { rootCommand } from './trust/root.js';
import { storeKeyCommand } from './store-key/store-key.js';
import { vaultCommand } from './vault/vault.js';
import { Refusal, refusalLines } from './store/refusal.js';
import { Failure, FAILED, OK, USAGE, UsageError } from './usage.js';

/** One word after `brandstore`, in the order of the help. A new command is a file of its own and a line here. */
const storeCommands: readonly ((io: Io) => Command)[] = [
  loginCommand,
  logoutCommand,
  whoamiCommand,
  brandsCommand,
  peopleCommand,
  tokenCommand,
  auditCommand,
  declarationCommand,
  modelCommand,
  imageCommand,
  storeKeyCommand,
  rootCommand,
  importCommand,
  rolloutCommand,
  previewCommand,
  explainCommand,
  whyCommand,
  stopCommand,
  vaultCommand,
  gadgetCommand,
  credentialsCommand,
  publishCommand,
];

const epilogue = `
brandstore COMMAND --help tells more. Environment: BRANDSTORE_URL, BRANDSTORE_TOKEN (instead of a login), BRANDSTORE_BRAND,
SNAPCRAFT_STORE_CREDENTIALS (for publish).
Exit status: 0 done or valid, 1 failed or invalid, 2 wrong usage.`;

/** Runs one command line. @returns its exit status */
export async function main(args: string[], io: Io = processIo): Promise<number> {
  let status = OK;
  const ended = (of: number): void => void (status = of);
  const program = new Command('brandstore')
    .description('the brand store from a terminal')
    .addHelpText('after', epilogue);
  for (const make of storeCommands) program.addCommand(make(io));
  program.addCommand(
    offlineCommand(
      'assertion',
      'verify, show and sign assertions, offline',
      assertionCommand,
      io,
      ended,
    ),
  );
  program.addCommand(
    offlineCommand(
      'key',
      'create, export and identify signing keys',
      (rest) => assertionCommand(['key', ...rest], io),
      io,
      ended,
    ),
  );
  program.addCommand(
    offlineCommand(
      'simulate',
      'rehearse a rollout over virtual devices',
      simulateCommand,
      io,
      ended,
    ),
  );
  settle(program, io);
  try {
    await program.parseAsync(args, { from: 'user' });
    return status;
  } catch (error) {
    return failed(error, io);
  }
}

/** Output goes through `io`, and nothing ends the process. */
function settle(command: Command, io: Io): void {
  command
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.out(text),
      writeErr: (text) => io.err(text.trimEnd()),
    })
    .showHelpAfterError(`(${path(command)} --help tells how)`);
  for (const child of command.commands) settle(child, io);
}

const path = (command: Command): string =>
  [...(command.parent ? [path(command.parent)] : []), command.name()].join(' ');

/** Says what went wrong. @returns the exit status */
function failed(error: unknown, io: Io): number {
  // Commander has said it, or has shown the help.
  if (error instanceof CommanderError) return error.exitCode === 0 ? OK : USAGE;
  if (error instanceof UsageError) {
    io.err(error.message);
    return USAGE;
  }
  if (error instanceof Refusal) {
    for (const line of refusalLines(error)) io.err(line);
    return FAILED;
  }
  // Ctrl-C at a question.
  const isQuit = error instanceof Error && error.name === 'ExitPromptError';
  if (error instanceof Failure || isQuit) {
    io.err(isQuit ? 'stopped' : error.message);
    return FAILED;
  }
  // A file that was named and cannot be opened.
  if (error instanceof Error && 'code' in error && /^E[A-Z]+$/.test(String(error.code))) {
    io.err(error.message);
    return USAGE;
  }
  throw error;
}
