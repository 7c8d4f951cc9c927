/** Why a key cannot be made, kept or used. */
export type KeyringErrorCode =
  | 'master-key'
  | 'malformed-envelope'
  | 'cannot-unseal'
  | 'unknown-key'
  | 'purpose'
  | 'bad-key'
  | 'bad-request'
  | 'signer-start'
  | 'signer-died'
  | 'signer-slow'
  | 'closed';

/** The one error class of this room; it crosses the socket as code and message. */
export class KeyringError extends Error {
  override readonly name = 'KeyringError';

  constructor(
    readonly code: KeyringErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
