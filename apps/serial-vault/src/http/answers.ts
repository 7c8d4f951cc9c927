import type { FastifyReply } from 'fastify';
import type { Refusal } from '../refusal.js';

/**
 * JSON with the bare media type: snapd shows our message only when it reads `application/json` byte for byte
 * (serial-vault.md 3). Fastify adds a charset to texts and objects, and leaves a Buffer alone.
 */
export function sendJson(reply: FastifyReply, status: number, value: unknown): FastifyReply {
  return reply
    .code(status)
    .header('content-type', 'application/json')
    .send(Buffer.from(JSON.stringify(value)));
}

/** The shape of serial-vault.md 19, with the members that clients of the former vault read. */
export function sendRefusal(reply: FastifyReply, refusal: Refusal): FastifyReply {
  const { code, message, status, formerCode } = refusal;
  return sendJson(reply, status, {
    message,
    error_list: [{ code, message }],
    request: reply.request.id,
    success: false,
    error_code: formerCode,
    error_subcode: '',
  });
}
