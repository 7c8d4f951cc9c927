import { AssertionError } from '#libs/assertions';
import type { Io } from '../io.js';
import { FAILED, OK, USAGE, UsageError } from '../usage.js';
import { keyCommand } from './key.js';
import { showCommand } from './show.js';
import { signCommand } from './sign.js';
import { verifyCommand } from './verify.js';

const help = `usage: brandstore assertion verify [FILE…] [--trusted FILE]… [--prerequisite FILE]… [--at TIME] [--json]
       brandstore assertion show [FILE…] [--json]
       brandstore assertion sign --key FILE [--at TIME] [FILE]
       brandstore assertion key create FILE [--bits N]
       brandstore assertion key export FILE [--account ID --name NAME [--since TIME]]
       brandstore assertion key id FILE

verify  checks every assertion of the files: signature, chain to the trusted accounts and keys, rules of its type.
        Assertions that are valid count as prerequisites of the others. --prerequisite files are checked and added first.
        --json prints {"file","type","primaryKey","valid","errorClass","message"} for each, one line each.
show    prints what the assertions say, without checking who signed them.
sign    reads a JSON object: header names to texts, lists or maps, and "body"; prints the assertion.
key     makes a private key (PKCS#8, PEM, for its owner's eyes only), prints its public part in the form of an account-key,
        or an account-key-request for it, or its id.

FILE is a file with one assertion or a stream of them; - or none is standard input. TIME is RFC 3339.
Exit status: 0 valid or done, 1 invalid, 2 wrong usage.
`;

const commands: Readonly<Record<string, (args: string[], io: Io) => Promise<number>>> = {
  verify: verifyCommand,
  show: showCommand,
  sign: signCommand,
  key: keyCommand,
};

/**
 * `brandstore assertion …` on the assertions library: offline, on files or standard input.
 *
 * @returns 0 valid or done, 1 invalid, 2 wrong usage
 */
export async function assertionCommand(args: string[], io: Io): Promise<number> {
  const [name = '', ...rest] = args;
  if (['--help', '-h', 'help'].includes(name) || rest.includes('--help')) {
    io.out(help);
    return OK;
  }
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) {
    io.err(help);
    return USAGE;
  }
  try {
    return await command(rest, io);
  } catch (error) {
    if (error instanceof AssertionError) {
      io.err(`${error.code}: ${error.message}`);
      return FAILED;
    }
    if (!isUsageProblem(error)) throw error;
    io.err(`${error.message}\n(brandstore assertion --help tells how)`);
    return USAGE;
  }
}

/** Wrong options and files that cannot be opened: nothing was judged. */
function isUsageProblem(error: unknown): error is Error {
  if (error instanceof UsageError) return true;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return code.startsWith('ERR_PARSE_ARGS') || /^E[A-Z]+$/.test(code);
}
