export type VaultErrorCode =
  | 'unauthorized'
  /** The password is right, a code of the second factor is missing. */
  | 'code-needed'
  | 'forbidden'
  | 'not-found'
  | 'conflict'
  | 'invalid'
  /** For now. */
  | 'unavailable';

/** A refusal of the administration that its caller can do something about; devices get `Refusal`. */
export class VaultError extends Error {
  override readonly name = 'VaultError';

  constructor(
    readonly code: VaultErrorCode,
    message: string,
    /** Where in the input, such as `policy.minimumKeyBits`; for `invalid`. */
    readonly problems: readonly { readonly path: string; readonly message: string }[] = [],
  ) {
    super(message);
  }
}

/** For what a look-up did not find; another brand's things are not there either. */
export function found<T>(value: T | null | undefined, what: string): T {
  if (value === null || value === undefined)
    throw new VaultError('not-found', `cannot find ${what}`);
  return value;
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** What is no id names nothing; Postgres would call it an error. */
export function requireId(id: string, what: string): string {
  return found(UUID.test(id) ? id : null, `${what} ${id}`);
}
