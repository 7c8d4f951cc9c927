import type { Io } from '../io.js';
import type { KeptSession } from '../session/session-file.js';
import { withCode, type KeptLogin } from '../session/login.js';
import { StoreClient } from '../store/store-client.js';
import { LoginListener } from './login-listener.js';
import { VAULT_REFUSALS, vaultGraphql } from './vault-graphql.js';

/** As long as the vault waits. */
const LIMIT_MS = 10 * 60_000;

const BEGIN = vaultGraphql`
  mutation ($brand: ID!, $redirectUri: String!) {
    beginOidcLogin(brand: $brand, redirectUri: $redirectUri) {
      __typename ... on OidcLogin { authorizationUrl state ticket } ${VAULT_REFUSALS}
    }
  }`;
const FINISH = vaultGraphql`
  mutation ($ticket: String!, $response: String!, $otp: String) {
    finishOidcLogin(ticket: $ticket, response: $response, otp: $otp) {
      __typename ... on Session { token expiresAt } ${VAULT_REFUSALS}
    }
  }`;
const ME = vaultGraphql`query { me { name } }`;

interface Begun {
  readonly authorizationUrl: string;
  readonly state: string;
  readonly ticket: string;
}

export interface OidcLoginOptions {
  readonly brand: string;
  readonly otp?: string | undefined;
  /** Where the browser comes back to; 0: a free one. */
  readonly port: number;
}

/** A login by the vault's provider: a browser goes there, and comes back to this machine. */
export async function openByProvider(
  io: Io,
  url: string,
  { brand, otp, port }: OidcLoginOptions,
): Promise<KeptSession> {
  const vault = new StoreClient(url);
  const listener = await LoginListener.open(port);
  try {
    const { redirectUri } = listener;
    const begun = await vault.act<Begun>(BEGIN, { brand, redirectUri });
    const answered = listener.answer(begun.state, LIMIT_MS);
    io.err(invitation(begun.authorizationUrl, listener.port));
    const response = await answered;
    const { ticket } = begun;
    const { token, expiresAt } = await withCode(io, otp, (code) =>
      vault.act<KeptLogin>(FINISH, { ticket, response, otp: code }),
    );
    const { me } = await new StoreClient(url, token).query<{ me: { name: string } }>(ME);
    return { email: me.name, token, expiresAt };
  } finally {
    listener.close();
  }
}

const invitation = (address: string, port: number): string =>
  `Open this address in a browser on this machine, within ten minutes:

  ${address}

The browser comes back to 127.0.0.1:${port}. On another machine it finds the way with
ssh -L ${port}:127.0.0.1:${port} to this one; --port chooses the port.`;
