import { MercuriusDriver, type MercuriusDriverConfig } from '@nestjs/mercurius';
import type { FastifyRequest } from 'fastify';
import { TokenService } from '../administration/token.service.js';
import type { VaultResources } from '../resources.js';
import { readContext } from './context.js';
import { formatErrors } from './error-formatter.js';

/** Lists of lists are not needed here; deeper documents are not honest. */
const MAX_DEPTH = 7;

/** GraphQL on `/graphql` of the vault's own port (decisions 25). */
export function graphqlOptions(resources: VaultResources): MercuriusDriverConfig {
  const tokens = new TokenService(resources);
  return {
    driver: MercuriusDriver,
    path: '/graphql',
    graphiql: false,
    autoSchemaFile: true,
    sortSchema: true,
    queryDepth: MAX_DEPTH,
    context: (request: FastifyRequest) => readContext(tokens, request),
    errorFormatter: (execution) => formatErrors(execution, resources.log),
  };
}
