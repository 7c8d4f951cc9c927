import type { FastifyReply } from 'fastify';

/**
 * JSON with the bare media type: a parameter such as `charset` makes find, categories and the not-found of assertions
 * unreadable for snapd (device-api.md 4, trap 2). Fastify adds one to texts and objects, and leaves a Buffer alone.
 */
export function sendJson(reply: FastifyReply, status: number, value: unknown): FastifyReply {
  return reply
    .code(status)
    .header('content-type', 'application/json')
    .send(Buffer.from(JSON.stringify(value)));
}

/** A list as the oldest calls have it; snapd reads its beginning as it stands, so no other key may come first (device-api.md 2.12). */
export function sendHal(
  reply: FastifyReply,
  list: 'clickindex:package' | 'clickindex:sections',
  items: readonly unknown[],
): FastifyReply {
  return reply
    .code(200)
    .header('content-type', 'application/hal+json')
    .send(Buffer.from(JSON.stringify({ _embedded: { [list]: items } })));
}

export interface WireError {
  readonly code: string;
  readonly message: string;
}

/** The one shape of errors that devices read. */
export const errorList = (...errors: WireError[]): { 'error-list': WireError[] } => ({
  'error-list': errors,
});
