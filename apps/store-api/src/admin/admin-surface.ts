import type {
  FastifyError,
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
  RouteOptions,
} from 'fastify';

export const GRAPHQL_PATH = '/graphql';

/**
 * Errors that arise before GraphQL sees the request (bad JSON, a body too large, another media type) in the shape that
 * its clients read. Call it before routes are made.
 */
export function prepareAdminSurface(fastify: FastifyInstance): void {
  fastify.addHook('onRoute', (route: RouteOptions) => {
    if (route.url !== GRAPHQL_PATH) return;
    route.errorHandler ??= answerError;
    route.preValidation ??= (request, _reply, done) => {
      // Mercurius would call a body that is no document an error of its own.
      const isPost = request.method === 'POST' && typeof request.body !== 'string';
      done(isPost && !hasDocument(request.body) ? badRequest() : undefined);
    };
  });
}

const hasDocument = (body: unknown): boolean =>
  typeof body === 'object' && body !== null && 'query' in body && typeof body.query === 'string';

const badRequest = (): Error =>
  Object.assign(new Error('cannot read the request: it has no text "query"'), { statusCode: 400 });

function answerError(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  const status = error.statusCode ?? 500;
  const isClients = status < 500;
  if (!isClients) request.log.error({ err: error, requestId: request.id }, 'cannot answer GraphQL');
  const message = isClients ? error.message : 'internal error';
  const extensions = isClients
    ? { code: 'bad-request' }
    : { code: 'internal', requestId: request.id };
  void reply.status(status).send({ data: null, errors: [{ message, extensions }] });
}
