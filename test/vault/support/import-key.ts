import { wrapForSigner } from '#libs/keyring';
import { BRAND, mutate, query, type Administered } from '../vault-kit.js';

/** The argument `key` of `importSigningKey`: encrypted for the signer, as `brandstore vault import-key` sends it. */
export async function wrappedKey(
  vault: Administered,
  text: string,
  passphrase?: string,
): Promise<string> {
  const { keyTransport } = await query<{ keyTransport: string }>(
    vault,
    vault.token,
    `{ keyTransport(brand: "${BRAND}") }`,
  );
  return wrapForSigner(keyTransport, { text, passphrase });
}

/** Brings a key into the vault; its id. */
export async function importKey(
  vault: Administered,
  name: string,
  text: string,
  passphrase?: string,
): Promise<{ keyId: string; accountKeyRequest: string }> {
  const key = await wrappedKey(vault, text, passphrase);
  return mutate(
    vault,
    vault.token,
    `importSigningKey(brand: "${BRAND}", name: "${name}", key: $k)`,
    'SigningKey',
    'keyId accountKeyRequest',
    { k: ['String!', key] },
  );
}
