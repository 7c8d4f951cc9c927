import type { Command } from 'commander';
import type { Io } from '../io.js';
import { print } from '../output.js';
import { asked, readPassword, withCode, type KeptLogin } from '../session/login.js';
import { StoreClient } from '../store/store-client.js';
import { Failure } from '../usage.js';
import { meantVault, vaultCommandOf, vaultSessions, type VaultOptions } from './connect.js';
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
      .action((options: LoginOptions) => login(io, options)),
    vaultCommandOf('logout')
      .description('end the login, at the vault and here')
      .action((options: VaultOptions) => logout(io, options)),
  ];
}

async function login(io: Io, options: LoginOptions): Promise<void> {
  const url = meantVault(io, options);
  const email = options.email ?? (await asked(io, '--email').text('Mail address'));
  const { token, expiresAt } = await open(io, url, email, options);
  await vaultSessions(io).keep(url, { email, token, expiresAt });
  const text = `logged in at ${url} as ${email} until ${expiresAt}`;
  print(io, options, { url, email, expiresAt }, text);
}

async function open(io: Io, url: string, email: string, options: LoginOptions): Promise<KeptLogin> {
  const vault = new StoreClient(url);
  const { invitation } = options;
  if (invitation !== undefined) {
    const password = await readPassword(io, options.passwordStdin);
    return vault.act<KeptLogin>(ACCEPT, { invitation, password });
  }
  const brand =
    options.brand ?? io.env.BRANDSTORE_BRAND ?? (await asked(io, '--brand').text('Brand'));
  const password = await readPassword(io, options.passwordStdin);
  return withCode(io, options.otp, (otp) =>
    vault.act<KeptLogin>(LOGIN, { brand, email, password, otp }),
  );
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
