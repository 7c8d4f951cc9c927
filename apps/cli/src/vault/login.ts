import { InvalidArgumentError, type Command } from 'commander';
import type { Io } from '../io.js';
import { print } from '../output.js';
import { asked, readPassword, withCode, type KeptLogin } from '../session/login.js';
import type { KeptSession } from '../session/session-file.js';
import { StoreClient } from '../store/store-client.js';
import { Failure } from '../usage.js';
import { meantVault, vaultCommandOf, vaultSessions, type VaultOptions } from './connect.js';
import { openByProvider } from './oidc-login.js';
import { VAULT_REFUSALS, vaultGraphql } from './vault-graphql.js';

const LOGIN = vaultGraphql`
  mutation ($brand: ID!, $email: String!, $password: String!, $otp: String) {
    login(brand: $brand, email: $email, password: $password, otp: $otp) {
      __typename ... on Session { token expiresAt } ${VAULT_REFUSALS}
    }
  }`;
const ACCEPT = vaultGraphql`
  mutation ($invitation: String!, $password: String!) {
    acceptInvitation(invitation: $invitation, password: $password) {
      __typename ... on Session { token expiresAt } ${VAULT_REFUSALS}
    }
  }`;
const LOGOUT = vaultGraphql`mutation { logout { __typename ... on Done { isDone } ${VAULT_REFUSALS} } }`;

interface LoginOptions extends VaultOptions {
  readonly email?: string;
  readonly otp?: string;
  readonly invitation?: string;
  readonly passwordStdin?: boolean;
  readonly oidc?: boolean;
  readonly port: number;
}

/** A person's login at a vault: what needs eyes is decided by no token (decisions 26). */
export function loginCommands(io: Io): readonly Command[] {
  return [
    vaultCommandOf('login')
      .description('log in at the vault; approvals need it')
      .option('--email <address>', 'who you are')
      .option('--otp <code>', 'code of the second factor; asked for if needed')
      .option('--invitation <text>', 'the first time: chooses the password')
      .option('--password-stdin', 'read the password from standard input')
      .option('--oidc', 'by the provider that the vault trusts, with a browser')
      .option('--port <number>', 'where that browser comes back to (else a free one)', readPort, 0)
      .action((options: LoginOptions) => login(io, options)),
    vaultCommandOf('logout')
      .description('end the login, at the vault and here')
      .action((options: VaultOptions) => logout(io, options)),
  ];
}

async function login(io: Io, options: LoginOptions): Promise<void> {
  const url = meantVault(io, options);
  const { oidc: isByProvider, port, otp } = options;
  const session = isByProvider
    ? await openByProvider(io, url, { brand: await meantBrand(io, options), port, otp })
    : await openByPassword(io, url, options);
  await vaultSessions(io).keep(url, session);
  const { email, expiresAt } = session;
  const text = `logged in at ${url} as ${email} until ${expiresAt}`;
  print(io, options, { url, email, expiresAt }, text);
}

async function openByPassword(io: Io, url: string, options: LoginOptions): Promise<KeptSession> {
  const email = options.email ?? (await asked(io, '--email').text('Mail address'));
  return { email, ...(await openAs(io, url, email, options)) };
}

async function openAs(
  io: Io,
  url: string,
  email: string,
  options: LoginOptions,
): Promise<KeptLogin> {
  const vault = new StoreClient(url);
  const { invitation } = options;
  if (invitation !== undefined) {
    const password = await readPassword(io, options.passwordStdin);
    return vault.act<KeptLogin>(ACCEPT, { invitation, password });
  }
  const brand = await meantBrand(io, options);
  const password = await readPassword(io, options.passwordStdin);
  return withCode(io, options.otp, (otp) =>
    vault.act<KeptLogin>(LOGIN, { brand, email, password, otp }),
  );
}

/** Whoever logs in is asked; nobody knows yet which brands are theirs. */
const meantBrand = async (io: Io, { brand }: VaultOptions): Promise<string> =>
  brand ?? io.env.BRANDSTORE_BRAND ?? (await asked(io, '--brand').text('Brand'));

function readPort(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new InvalidArgumentError('give a number up to 65535');
}

async function logout(io: Io, options: VaultOptions): Promise<void> {
  const url = meantVault(io, options);
  const file = vaultSessions(io);
  const session = await file.find(url);
  if (session === null) throw new Failure(`cannot log out: nobody is logged in at ${url}`);
  // What the vault no longer knows is as ended as it can be.
  await new StoreClient(url, session.token).act(LOGOUT, {}).catch(() => {});
  await file.forget(url);
  print(io, options, { url, isDone: true }, `logged out of ${url}`);
}
