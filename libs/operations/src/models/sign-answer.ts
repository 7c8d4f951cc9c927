import type { Resources } from '../resources.js';

/** A body, and the store key's signature of these very bytes: what a vault believes. */
export interface SignedAnswer {
  readonly body: Buffer;
  readonly keyId: string;
  readonly signature: Buffer;
}

/** The body repeats the id of the question, so that an old answer is worth nothing. */
export async function signAnswer(keys: Resources['keys'], body: Buffer): Promise<SignedAnswer> {
  const signer = await keys.signer();
  return { body, keyId: signer.publicKey.id, signature: Buffer.from(await signer.sign(body)) };
}
