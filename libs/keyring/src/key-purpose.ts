import { KeyringError } from './keyring-error.js';

// serial-vault.md 11.3: keys are bound to a purpose, one key per purpose. The binding is sealed in with the key, and the signer
// looks at what it signs, so that a process that may ask for serials cannot have a model signed with the same key.

const SIGNABLE = {
  general: 'anything',
  root: ['account', 'account-key', 'base-declaration'],
  serial: ['serial'],
  model: ['model'],
  'system-user': ['system-user'],
  'account-key': ['account', 'account-key'],
} as const satisfies Record<string, 'anything' | readonly string[]>;

/** What a key is for; `general` keys, such as the store key, sign any bytes. */
export type KeyPurpose = keyof typeof SIGNABLE;

/** True for the name of a purpose. */
export function isKeyPurpose(text: string): text is KeyPurpose {
  return Object.hasOwn(SIGNABLE, text);
}

/** Every key may prove its own possession. */
const PROOF = 'account-key-request';

/**
 * What a vault tells the store of its devices, and asks it of its models, is signed with a serial key (ARCHITECTURE.md, between store and vault). It is
 * JSON, so the signature can never be one of an assertion, whose content begins with a header.
 */
const VAULT_EVENT =
  /^\{"id":"[0-9a-f-]{36}","kind":"(?:revoked|superseded|restored|swapped|remodelled|models|devices)",/;

/** Throws `purpose` unless `content` is an assertion of a type that a key of this purpose signs; `type` stands first (assertions.md 1.7). */
export function requireSignable(purpose: KeyPurpose, content: Uint8Array): void {
  const types: 'anything' | readonly string[] = SIGNABLE[purpose];
  if (types === 'anything') return;
  const head = Buffer.from(content.subarray(0, 96)).toString('latin1');
  if (purpose === 'serial' && VAULT_EVENT.test(head)) return;
  const type = /^type: ([a-z-]+)\n/.exec(head)?.[1];
  if (type === undefined || (type !== PROOF && !types.includes(type))) {
    throw new KeyringError(
      'purpose',
      `cannot sign ${type ?? 'content without type'} with a key for ${purpose}`,
    );
  }
}
