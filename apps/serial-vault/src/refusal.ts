/** Every code of serial-vault.md 19, with its status and the code of the former vault, which its clients know. */
const REFUSALS = {
  'missing-api-key': [401, 'invalid-api-key'],
  'invalid-api-key': [401, 'invalid-api-key'],
  'blocked-address': [403, 'invalid-api-key'],
  'key-not-for-model': [403, 'invalid-model'],
  'empty-body': [400, 'empty-data'],
  'invalid-assertion': [400, 'invalid-assertion'],
  'unexpected-assertion': [400, 'invalid-type'],
  'bad-signature': [400, 'invalid-assertion'],
  'weak-device-key': [400, 'invalid-assertion'],
  'blocked-device-key': [403, 'invalid-assertion'],
  'invalid-nonce': [400, 'invalid-nonce'],
  'mismatched-model': [400, 'mismatched-model'],
  'untrusted-model': [400, 'mismatched-model'],
  'revoked-model': [403, 'invalid-model'],
  'unknown-model': [403, 'invalid-model'],
  'inactive-model': [403, 'invalid-model'],
  'remodel-not-allowed': [403, 'invalid-substore'],
  'mismatched-original': [400, 'invalid-assertion'],
  'missing-serial': [400, 'create-assertion'],
  'bad-serial': [400, 'create-assertion'],
  'serial-not-expected': [403, 'create-assertion'],
  'quota-exhausted': [403, 'create-assertion'],
  'outside-window': [403, 'create-assertion'],
  'revoked-device': [403, 'create-assertion'],
  'refused-by-operator': [403, 'duplicate-assertion'],
  'duplicate-serial': [409, 'duplicate-assertion'],
  'duplicate-device-key': [409, 'duplicate-assertion'],
  'forbidden-device-service': [403, 'invalid-data'],
  'signing-key-unavailable': [503, 'signing-assertion'],
  'signing-failed': [503, 'signing-assertion'],
  busy: [503, 'server-error'],
  'store-unavailable': [503, 'server-error'],
  'too-large': [413, 'invalid-data'],
  'unsupported-media-type': [415, 'invalid-data'],
  'method-not-allowed': [405, 'invalid-data'],
  'not-found': [404, 'invalid-data'],
} as const satisfies Record<string, readonly [status: number, formerCode: string]>;

export type RefusalCode = keyof typeof REFUSALS;

// The keys of the table, which TypeScript widens to texts.
export const REFUSAL_CODES = Object.keys(REFUSALS) as readonly RefusalCode[];

/**
 * Why a device does not get what it asks for: `message` names cause and remedy, and is what `snap changes` shows on the
 * device (serial-vault.md 3).
 */
export class Refusal extends Error {
  override readonly name = 'Refusal';

  constructor(
    readonly code: RefusalCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }

  get status(): number {
    return REFUSALS[this.code][0];
  }

  /** The `error_code` for clients of the former vault. */
  get formerCode(): string {
    return REFUSALS[this.code][1];
  }
}

/** The one way in which checks say no. */
export function refuse(code: RefusalCode, message: string): never {
  throw new Refusal(code, message);
}
