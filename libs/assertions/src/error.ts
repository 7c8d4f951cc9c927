/**
 * Why an assertion is refused, in plain words. The list is closed; each name is also the class that the test vectors
 * and `brandstore assertion verify --json` use.
 */
export const errorClasses = [
  "assertion outside the signing key's constraints",
  "assertion timestamp outside the signing key's validity",
  'authority not allowed to sign this',
  'authority-id does not match the brand or account named in the assertion',
  'authority-id present on a type that must not have it',
  'body length does not match body-length',
  'circular prerequisites',
  'clashes with a trusted assertion',
  'device identity does not match across assertions',
  'device key does not match its key id or the signing key',
  'empty signature',
  'format not supported',
  'header syntax',
  'header value breaks a rule of the type',
  'input ends early',
  'invalid digest',
  'invalid header or map key name',
  'invalid number',
  'invalid time value',
  'key id does not match the public key',
  'key name already used for this account',
  'mandatory header missing or empty',
  'no content/signature separator',
  'no key to check a no-authority assertion',
  'nonce not the issued one',
  'not UTF-8',
  'prerequisite assertion missing',
  "primary key value contains '/'",
  'repeated header or map key',
  'request not signed by the device key of the serial',
  'request-id not the issued one',
  'revision not newer than the stored one',
  'signature does not verify',
  'signature or key cannot be decoded',
  'signing key belongs to another account',
  'signing key expired or not yet valid now',
  'signing key unknown',
  'size limit exceeded',
  'type cannot be stored',
  'unexpected assertions in the request',
  'unknown assertion type',
] as const;

export type ErrorClass = (typeof errorClasses)[number];

/** What a refusal can say besides its class: the header that breaks the rule, and the rule's place in the reference. */
export interface RefusalDetails {
  /** Name of the offending header or map key, where there is one. */
  readonly header?: string;
  /** Place of the rule, such as `assertions.md 7.1`. */
  readonly rule?: string;
}

/**
 * The only error this library throws. `code` is from the closed list {@link errorClasses}; `message` is a sentence for
 * people.
 *
 * @example
 * try { decodeAssertion(bytes) } catch (e) { if (e instanceof AssertionError) console.log(e.code, e.message) }
 */
export class AssertionError extends Error {
  override readonly name = 'AssertionError';
  readonly header: string | undefined;
  readonly rule: string | undefined;

  constructor(
    readonly code: ErrorClass,
    message: string,
    details: RefusalDetails = {},
  ) {
    super(message);
    this.header = details.header;
    this.rule = details.rule;
  }
}

/** Throws an {@link AssertionError}: the one way in which rules of this library say no. */
export function refuse(code: ErrorClass, message: string, details: RefusalDetails = {}): never {
  throw new AssertionError(code, message, details);
}

/** A verdict is a value: valid, or the first failing rule with its class, its header and a sentence for people. */
export type Verdict = { readonly valid: true } | Refusal;

export interface Refusal {
  readonly valid: false;
  readonly errorClass: ErrorClass;
  readonly message: string;
  /** Place of the rule in the reference, such as `assertions.md 7.1`. */
  readonly rule?: string;
  readonly header?: string;
}

/** Turns a refusal back into the error, for callers that prefer to throw. */
export function errorOf(refusal: Refusal): AssertionError {
  return new AssertionError(refusal.errorClass, refusal.message, {
    ...(refusal.header === undefined ? {} : { header: refusal.header }),
    ...(refusal.rule === undefined ? {} : { rule: refusal.rule }),
  });
}

/** Runs checks that throw {@link AssertionError} and gives their verdict; any other error is a bug and passes through. */
export function verdictOf(checks: () => void): Verdict {
  try {
    checks();
    return { valid: true };
  } catch (error) {
    if (!(error instanceof AssertionError)) throw error;
    return {
      valid: false,
      errorClass: error.code,
      message: error.message,
      ...(error.rule === undefined ? {} : { rule: error.rule }),
      ...(error.header === undefined ? {} : { header: error.header }),
    };
  }
}
