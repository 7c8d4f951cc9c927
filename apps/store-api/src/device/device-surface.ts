import type { Readable } from 'node:stream';
import type { FastifyInstance, FastifyRequest, RouteOptions } from 'fastify';
import { MEDIA_TYPE } from '#libs/assertions';
import { badRequest } from './http/device-error.js';
import { answerError } from './http/device-error.filter.js';
import { keepRawBody } from './http/raw-body.js';
import { requireUtf8 } from './http/require-utf8.js';

/** At least 55, so that clients send `held`; at least 6, so that a proxied device registers through us (device-api.md 2.17). */
const STORE_VERSION = '60';
/** Context and actions of 500 snaps are some 200 kB (device-api.md 3.5). */
const BODY_LIMIT_BYTES = 4 * 1024 * 1024;
const PATHS = /^\/(?:v2|api\/v1|blobs)(?:\/|$)|^\/$/;
const OF_VAULTS = '/api/v1/vault/';

const isOurs = (url: string): boolean => PATHS.test(url.split('?')[0] ?? '');

/**
 * What the routes of this surface need of the Fastify instance that they share with the others: errors that arise before
 * Nest sees the request (bad JSON, a body too large) in the shape devices read, and a few headers and parsers. Call it
 * before routes are made.
 */
export function prepareDeviceSurface(fastify: FastifyInstance): void {
  fastify.addHook('onRoute', (route: RouteOptions) => {
    if (!isOurs(route.url)) return;
    route.bodyLimit ??= BODY_LIMIT_BYTES;
    route.errorHandler ??= (error, request, reply) => answerError(error, request, reply);
  });
  fastify.addHook('onRequest', (request, reply, done) => {
    if (!isOurs(request.url)) return done();
    void reply.header('snap-store-version', STORE_VERSION);
    // Cohorts come as JSON that does not say so (device-api.md 2.14); a body without a type is one that Fastify refuses.
    if (hasBody(request)) request.headers['content-type'] ??= 'application/json';
    // Postgres keeps no NUL in a text; nobody means one.
    done(request.url.includes('%00') ? badRequest('its address holds a NUL character') : undefined);
  });
  fastify.addHook('preParsing', (request, _reply, payload, done) => {
    const body = payload as Readable;
    const kept = isOfVault(request) ? keepRawBody(request, body) : body;
    done(null, isJson(request) && isOurs(request.url) ? requireUtf8(kept) : kept);
  });
  // Only registration sends assertions as a body, and they are passed on as they are.
  if (!fastify.hasContentTypeParser(MEDIA_TYPE)) {
    fastify.addContentTypeParser(MEDIA_TYPE, { parseAs: 'buffer' }, (_request, body, done) =>
      done(null, body),
    );
  }
}

const hasBody = ({ headers }: FastifyRequest): boolean =>
  Number(headers['content-length'] ?? 0) > 0 || headers['transfer-encoding'] !== undefined;

const isJson = ({ headers }: FastifyRequest): boolean =>
  headers['content-type']?.startsWith('application/json') ?? false;

function isOfVault({ method, url }: FastifyRequest): boolean {
  return method === 'POST' && url.startsWith(OF_VAULTS);
}
