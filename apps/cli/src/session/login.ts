import type { Command } from 'commander';
import type { Io, Questions } from '../io.js';
import { print } from '../output.js';
import { storeCommand } from '../store-command.js';
import { graphql, REFUSALS } from '../store/graphql.js';
import { Refusal } from '../store/refusal.js';
import { StoreClient } from '../store/store-client.js';
import { UsageError } from '../usage.js';
import { meantUrl, type StoreOptions } from './connect.js';
import { SessionFile, type KeptSession } from './session-file.js';
import { storeUrl } from './store-url.js';

const LOGIN = graphql`
  mutation ($email: String!, $password: String!, $otp: String) {
    login(email: $email, password: $password, otp: $otp) {
      __typename
      ... on Session { token expiresAt }
      ${REFUSALS}
    }
  }`;

interface LoginOptions extends StoreOptions {
  readonly email?: string;
  readonly otp?: string;
  readonly passwordStdin?: boolean;
}

export const loginCommand = (io: Io): Command =>
  storeCommand('login')
    .description('log in; the session is kept for the commands that follow')
    .option('--email <address>', 'who you are')
    .option('--otp <code>', 'code of the second factor; asked for if needed')
    .option('--password-stdin', 'read the password from standard input')
    .action((options: LoginOptions) => login(io, options));

async function login(io: Io, options: LoginOptions): Promise<void> {
  const url = (await meantUrl(io, options.url)) ?? storeUrl(await asked(io, '--url').text('Store'));
  const email = options.email ?? (await asked(io, '--email').text('Mail address'));
  const password = await readPassword(io, options.passwordStdin);
  const { token, expiresAt } = await withCode(io, options.otp, (otp) =>
    new StoreClient(url).act<KeptLogin>(LOGIN, { email, password, otp }),
  );
  await new SessionFile(io.env).keep(url, { email, token, expiresAt });
  print(
    io,
    options,
    { url, email, expiresAt },
    `logged in to ${url} as ${email} until ${expiresAt}`,
  );
}

/** What a login gives. */
export type KeptLogin = Pick<KeptSession, 'token' | 'expiresAt'>;

/** From standard input, or asked for without echo. */
export async function readPassword(io: Io, isPiped = false): Promise<string> {
  if (!isPiped) return asked(io, '--password-stdin').secret('Password');
  return (await io.read('-')).toString('utf8').replace(/\r?\n$/, '');
}

/** A login; who has a second factor is asked for its code, which only whoever knows the password learns. */
export async function withCode(
  io: Io,
  otp: string | undefined,
  open: (otp: string | undefined) => Promise<KeptLogin>,
): Promise<KeptLogin> {
  try {
    return await open(otp);
  } catch (error) {
    const isCodeNeeded =
      error instanceof Refusal && error.message.includes('second factor') && otp === undefined;
    if (!isCodeNeeded || io.ask === null) throw error;
    const code = await io.ask.text('Code of the second factor');
    return open(code.replaceAll(' ', ''));
  }
}

/** Where nobody can be asked, the option must have said it. */
export function asked(io: Io, option: string): Questions {
  if (io.ask !== null) return io.ask;
  throw new UsageError(`cannot ask here: there is no terminal; give ${option}`);
}
