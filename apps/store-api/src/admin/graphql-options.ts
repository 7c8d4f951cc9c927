import type { Socket } from 'node:net';
import type { MercuriusDriverConfig } from '@nestjs/mercurius';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { parseAuthorization } from '#libs/auth';
import {
  BrandReader,
  FleetService,
  SignInService,
  SubjectFinder,
  type Resources,
} from '#libs/operations';
import { GRAPHQL_PATH } from './admin-surface.js';
import type { AdminContext } from './context.js';
import { gateFields } from './field-gate.js';
import { formatErrors } from './graphql-errors.js';
import { makeLoaders, type Loaders } from './loaders.js';

/** Deep enough for every document of ours, shallow enough that no query multiplies. */
const MAX_DEPTH = 8;

/** The brand's GraphQL at POST /graphql, and over a websocket for what is told as it happens (decisions 25). */
export function graphqlOptions(resources: Resources): Omit<MercuriusDriverConfig, 'driver'> {
  const signIn = new SignInService(resources);
  const reader = new BrandReader(resources);
  const subjects = new SubjectFinder(resources);
  const fleets = new FleetService(resources);
  const contextOf = (request: FastifyRequest): AdminContext => {
    const { headers, ip } = request;
    const client = { address: ip, agent: headers['user-agent'] ?? '' };
    const newLoaders = (): Loaders => makeLoaders(reader, fleets);
    return {
      principal: null,
      client,
      gone: () => closingOf(request.socket),
      findSubject: (brandId, things) => subjects.find(brandId, things),
      loaders: newLoaders(),
      newLoaders,
      recognise: (beginning) => {
        const said = headers.authorization ?? authorizationIn(beginning);
        const authorization = parseAuthorization(said);
        if (authorization?.kind !== 'token') return Promise.resolve(null);
        return signIn.recognise(authorization.token, client);
      },
    };
  };
  return {
    path: GRAPHQL_PATH,
    autoSchemaFile: true,
    sortSchema: true,
    transformSchema: gateFields,
    graphiql: false,
    queryDepth: MAX_DEPTH,
    errorFormatter: formatErrors,
    context: async (request: FastifyRequest): Promise<AdminContext> => {
      const context = contextOf(request);
      return { ...context, principal: await context.recognise() };
    },
    subscription: { context: (_socket, request) => contextOf(request) },
  };
}

/** Browsers cannot send headers with a websocket: they say it in `connection_init`. */
function authorizationIn(beginning: unknown): string {
  const said = connectionInit.safeParse(beginning);
  return said.success ? (said.data.authorization ?? said.data.Authorization ?? '') : '';
}

const connectionInit = z.object({
  authorization: z.string().optional(),
  Authorization: z.string().optional(),
});

const closings = new WeakMap<Socket, AbortSignal>();

/** Aborted when the connection closes: the request itself counts as closed as soon as it is read. One for all of its requests. */
function closingOf(socket: Socket): AbortSignal {
  const known = closings.get(socket);
  if (known) return known;
  const closing = new AbortController();
  socket.once('close', () => closing.abort());
  closings.set(socket, closing.signal);
  return closing.signal;
}
