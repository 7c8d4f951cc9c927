import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import { encodeAssertions, MEDIA_TYPE } from '#libs/assertions';
import { refuse, Refusal } from '../refusal.js';
import { asRefusal } from '../registration/failures.js';
import { plainAddress, RateLimiter } from '../registration/rate-limiter.js';
import { RegistrationService } from '../registration/registration.service.js';
import { RequestIdService } from '../registration/request-id.service.js';
import type { VaultResources } from '../resources.js';
import { sendJson, sendRefusal } from './answers.js';
import { addStatusRoutes } from './status-routes.js';

/** `device-service.url` may end anywhere: gadgets bring prefixes of their own (serial-vault.md 17.1). */
const REQUEST_ID = /^\/(?:.*\/)?request-id\/?$/;
const SERIAL = /^\/(?:.*\/)?(?:serial|auth\/devices)\/?$/;

/** Methods of the fallback route; GraphQL and the status routes are more specific and come first. */
const METHODS = ['DELETE', 'GET', 'OPTIONS', 'PATCH', 'POST', 'PUT'] as const;

/**
 * What devices call (serial-vault.md 17.1). A scope of its own on the Fastify instance: bodies are bytes whatever they are
 * called, every error has the shape that snapd reads, and nothing answers 500.
 */
export function deviceSurface(resources: VaultResources): FastifyPluginAsync {
  return async (scope) => {
    const calls = new DeviceCalls(resources);
    scope.removeAllContentTypeParsers();
    scope.addHook('onRequest', setContentTypeAside);
    scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) =>
      done(null, body),
    );
    scope.setErrorHandler(async (error, request, reply) =>
      sendRefusal(reply, toRefusal(error, request)),
    );
    addStatusRoutes(scope, resources);
    addDeviceRoutes(scope, calls, resources.settings.maxBodyBytes);
  };
}

function addDeviceRoutes(scope: FastifyInstance, calls: DeviceCalls, bodyLimit: number): void {
  scope.route({
    method: [...METHODS],
    url: '*',
    bodyLimit,
    handler: async (request, reply) => {
      const path = request.url.split('?')[0] ?? '';
      const call = REQUEST_ID.test(path)
        ? calls.requestId
        : SERIAL.test(path)
          ? calls.serial
          : null;
      if (call === null) return refuse('not-found', `cannot find ${path}`);
      if (request.method !== 'POST')
        return refuse('method-not-allowed', `cannot ${request.method} ${path}: it takes POST only`);
      return call(request, reply);
    },
  });
}

const SENT_TYPE = 'x-sent-content-type';

/** What a body is called is looked at in step 1 and never at request-id; Fastify would refuse a malformed type before that. */
async function setContentTypeAside({ headers }: FastifyRequest): Promise<void> {
  const { 'content-type': sent } = headers;
  delete headers[SENT_TYPE];
  if (sent === undefined) return;
  headers[SENT_TYPE] = sent;
  headers['content-type'] = 'application/octet-stream';
}

class DeviceCalls {
  private readonly requestIds: RequestIdService;
  private readonly registrations: RegistrationService;

  constructor(private readonly resources: VaultResources) {
    const limiter = new RateLimiter(resources.settings.rate);
    this.requestIds = new RequestIdService(resources, limiter);
    this.registrations = new RegistrationService(resources, limiter);
  }

  /** Exactly 200: 201 is a failure there (serial-vault.md 2.3). */
  readonly requestId = async (
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<FastifyReply> => {
    this.refuseForwarding(request);
    const requestId = await this.requestIds.issue(apiKeyOf(request), plainAddress(request.ip));
    return sendJson(reply, 200, { 'request-id': requestId, success: true, message: '' });
  };

  readonly serial = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    this.refuseForwarding(request);
    const answer = await this.registrations.register({
      body: Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0),
      contentType: headerWords(request, SENT_TYPE)[0]?.split(';')[0]?.toLowerCase(),
      apiKey: apiKeyOf(request),
      address: plainAddress(request.ip),
      userAgent: request.headers['user-agent'] ?? '',
    });
    if (answer.kind === 'pending') {
      return sendJson(reply, 202, { message: 'waiting for a decision of the brand' });
    }
    const { serial } = answer;
    const wantsChain = headerWords(request, 'snap-device-capabilities').includes('serial-stream');
    const chain = wantsChain ? await this.resources.trust.chainOf(serial) : [];
    return reply
      .code(200)
      .header('content-type', MEDIA_TYPE)
      .send(encodeAssertions([...chain, serial]));
  };

  /** We forward to nobody; the header may only name ourselves (serial-vault.md 2.2). */
  private refuseForwarding(request: FastifyRequest): void {
    const [wanted] = headerWords(request, 'x-snap-device-service-url');
    if (wanted === undefined) return;
    const own = this.resources.settings.publicUrl;
    if (wanted === own || wanted.startsWith(`${own}/`)) return;
    refuse(
      'forbidden-device-service',
      'cannot forward to the device service that the gadget names: it is not allowed here',
    );
  }
}

function headerWords(request: FastifyRequest, name: string): string[] {
  const value = request.headers[name];
  return (Array.isArray(value) ? value.join(' ') : (value ?? '')).split(/\s+/).filter(Boolean);
}

function apiKeyOf(request: FastifyRequest): string | undefined {
  const value = request.headers['api-key'];
  const text = Array.isArray(value) ? value[0] : value;
  return text === undefined || text.trim() === '' ? undefined : text;
}

const STATUS_CODES: Readonly<Record<number, Refusal['code']>> = {
  400: 'invalid-assertion',
  404: 'not-found',
  413: 'too-large',
  415: 'unsupported-media-type',
};

/** Fastify's own errors carry a status; whatever else arrives here was not foreseen and is logged once. */
function toRefusal(error: unknown, request: FastifyRequest): Refusal {
  if (error instanceof Refusal) return error;
  const status = error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 0;
  const code = STATUS_CODES[status];
  if (code !== undefined && error instanceof Error)
    return new Refusal(code, `cannot take the request: ${error.message}`, { cause: error });
  request.log.error({ err: error }, 'a device call failed');
  return asRefusal(error);
}
