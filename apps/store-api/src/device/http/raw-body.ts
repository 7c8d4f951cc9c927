import { PassThrough, type Readable } from 'node:stream';
import type { FastifyRequest } from 'fastify';

const kept = new WeakMap<FastifyRequest, Buffer[]>();

/** Lets the bytes of a body pass to its parser and keeps them, because a signature is over bytes and not over JSON. */
export function keepRawBody(request: FastifyRequest, payload: Readable): Readable {
  const pieces: Buffer[] = [];
  kept.set(request, pieces);
  const passing = new PassThrough();
  passing.on('data', (piece: Buffer) => pieces.push(piece));
  return payload.pipe(passing);
}

/** Empty for requests that were not prepared by `keepRawBody`. */
export function rawBodyOf(request: FastifyRequest): Buffer {
  return Buffer.concat(kept.get(request) ?? []);
}
