import type { FastifyReply } from 'fastify';
import type { SignedAnswer } from '#libs/operations';

/** The bytes that were signed, with the signature beside them. */
export async function sendSigned(reply: FastifyReply, answer: SignedAnswer): Promise<void> {
  await reply
    .code(200)
    .header('content-type', 'application/json')
    .header('store-key', answer.keyId)
    .header('store-signature', answer.signature.toString('base64'))
    .send(answer.body);
}
