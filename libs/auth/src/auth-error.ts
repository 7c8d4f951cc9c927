/** What a caller of this room can have done wrong; refused credentials are return values, never exceptions. */
export type AuthErrorCode =
  | 'malformed-macaroon'
  | 'malformed-hash'
  | 'malformed-secret'
  | 'not-enough-randomness'
  | 'packet-too-long';

/** The one error class of this room. */
export class AuthError extends Error {
  override readonly name = 'AuthError';

  constructor(
    readonly code: AuthErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
