import { Transform, type Readable } from 'node:stream';
import { badRequest } from './device-error.js';

/** Lets a body pass as long as it is UTF-8, for a parser would make other words of what is not. Fails with a 400. */
export function requireUtf8(payload: Readable): Readable {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  // Fastify goes by `statusCode` where a stream fails.
  const refusal = (): Error =>
    Object.assign(badRequest('its body is not UTF-8'), { statusCode: 400 });
  const isText = (piece?: Buffer): boolean => {
    try {
      decoder.decode(piece, { stream: piece !== undefined });
      return true;
    } catch {
      return false;
    }
  };
  return payload.pipe(
    new Transform({
      transform: (piece: Buffer, _encoding, done) => done(isText(piece) ? null : refusal(), piece),
      flush: (done) => done(isText() ? null : refusal()),
    }),
  );
}
