import type { FastifyRequest } from 'fastify';
import type { VaultSignature } from '#libs/operations';
import { rawBodyOf } from '../http/raw-body.js';

/** What a vault says of the brand it speaks for; what is missing is empty, and signs nothing. */
export function vaultSignatureOf(request: FastifyRequest): VaultSignature {
  const { 'vault-key': keyId, 'vault-signature': signature } = request.headers;
  return {
    keyId: typeof keyId === 'string' ? keyId : '',
    signature: Buffer.from(typeof signature === 'string' ? signature : '', 'base64'),
    body: rawBodyOf(request),
  };
}
