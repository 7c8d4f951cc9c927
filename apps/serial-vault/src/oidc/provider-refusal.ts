import {
  AuthorizationResponseError,
  ClientError,
  ResponseBodyError,
  WWWAuthenticateChallengeError,
} from 'openid-client';
import type { Logger } from '#libs/runtime';
import { VaultError } from '../administration/vault-error.js';

/** No answer, or none of a provider: what stands before it says so while it is down. */
const NO_ANSWER: ReadonlySet<string> = new Set([
  'OAUTH_TIMEOUT',
  'OAUTH_ABORT',
  'OAUTH_RESPONSE_IS_NOT_CONFORM',
  'OAUTH_RESPONSE_IS_NOT_JSON',
  'OAUTH_PARSE_ERROR',
]);

/**
 * What the person is told. The log gets the library's own words only: causes of its errors hold tokens and claims.
 * What is no error of the provider or the network stays as it is.
 */
export function refusalOf(error: unknown, log: Logger): Error {
  const said = saidBy(error);
  if (said !== null) {
    log.warn({ said }, 'the provider of logins refused');
    return new VaultError('unauthorized', `cannot log in: the provider says ${said}`);
  }
  if (isNoAnswer(error)) {
    log.warn({ reason: reasonOf(error) }, 'the provider of logins does not answer');
    return new VaultError(
      'unavailable',
      'cannot log in by the provider now: it does not answer; a password still works',
    );
  }
  if (!(error instanceof ClientError))
    return error instanceof Error ? error : new Error(String(error));
  log.warn(
    { code: error.code, reason: reasonOf(error) },
    'the answer of the provider of logins cannot be believed',
  );
  return new VaultError(
    'unauthorized',
    'cannot log in: the answer of the provider cannot be believed',
  );
}

/** An error code of OAuth such as `access_denied`; null: it said none. */
function saidBy(error: unknown): string | null {
  // As a client that it does not know, or whose secret is wrong.
  if (error instanceof WWWAuthenticateChallengeError) return 'unauthorized';
  const isSaid =
    error instanceof AuthorizationResponseError ||
    (error instanceof ResponseBodyError && error.status < 500);
  if (!isSaid) return null;
  // It may come from an address that somebody made up.
  return /^[a-z_]{1,60}$/.test(error.error) ? error.error : 'no';
}

function isNoAnswer(error: unknown): boolean {
  if (error instanceof ResponseBodyError) return true;
  if (error instanceof ClientError) return NO_ANSWER.has(error.code ?? '');
  // `fetch` has no other word for a connection that failed; a wrong argument has a code.
  return error instanceof TypeError && !('code' in error);
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { message, cause } = error;
  return cause instanceof Error ? `${message}: ${cause.message}` : message;
}
