import type { MercuriusDriverConfig } from '@nestjs/mercurius';
import type { FastifyRequest } from 'fastify';
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
import { makeLoaders } from './loaders.js';

/** Deep enough for every document of ours, shallow enough that no query multiplies. */
const MAX_DEPTH = 8;

/** The brand's GraphQL at POST /graphql (decisions 25). */
export function graphqlOptions(resources: Resources): Omit<MercuriusDriverConfig, 'driver'> {
  const signIn = new SignInService(resources);
  const reader = new BrandReader(resources);
  const subjects = new SubjectFinder(resources);
  const fleets = new FleetService(resources);
  return {
    path: GRAPHQL_PATH,
    autoSchemaFile: true,
    sortSchema: true,
    transformSchema: gateFields,
    graphiql: false,
    queryDepth: MAX_DEPTH,
    errorFormatter: formatErrors,
    context: async ({ headers, ip }: FastifyRequest): Promise<AdminContext> => {
      const authorization = parseAuthorization(headers.authorization ?? '');
      const bearer = authorization?.kind === 'token' ? authorization.token : null;
      const client = { address: ip, agent: headers['user-agent'] ?? '' };
      return {
        principal: bearer === null ? null : await signIn.recognise(bearer, client),
        client,
        findSubject: (brandId, things) => subjects.find(brandId, things),
        loaders: makeLoaders(reader, fleets),
      };
    },
  };
}
