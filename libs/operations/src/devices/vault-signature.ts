import { createVerify } from 'node:crypto';
import { accountKeyOf, decodeAssertion, header, instantOf } from '#libs/assertions';
import { ANY_FORMAT, RetiredKey, findAssertion, type Tx } from '#libs/database';

/** How a vault proves for which brand it speaks (ARCHITECTURE.md, "Between store and vault"). */
export interface VaultSignature {
  readonly keyId: string;
  /** RSASSA-PKCS1-v1_5 with SHA-512 over the body as it was received. */
  readonly signature: Buffer;
  readonly body: Buffer;
}

/** The account-key is ours to trust: it was verified when it was stored. Its end is looked at now. */
export async function isSignedByBrand(
  tx: Tx,
  brandId: string,
  proof: VaultSignature,
  at: Date,
): Promise<boolean> {
  const row = await findAssertion(tx, 'account-key', proof.keyId, ANY_FORMAT);
  if (!row || (await tx.existsBy(RetiredKey, { keyId: proof.keyId }))) return false;
  const assertion = decodeAssertion(row.bytes);
  const { publicKey, validity } = accountKeyOf(assertion);
  const now = instantOf(at);
  const isValidNow =
    validity.since <= now && (validity.until === undefined || now < validity.until);
  if (header(assertion, 'account-id') !== brandId || !isValidNow) return false;
  return createVerify('sha512').update(proof.body).verify(publicKey.key, proof.signature);
}
