import { GraphQLError } from 'graphql';
import type { Logger } from '#libs/runtime';
import { VaultError } from '../administration/vault-error.js';

interface Execution {
  readonly errors?: readonly GraphQLError[] | null;
  readonly data?: unknown;
}

/** mercurius reads `data` and `errors` of `response`. */
interface Formatted {
  readonly statusCode: number;
  readonly response: { data: never; errors: GraphQLError[] };
}

/** Refusals keep their code; what was not foreseen is logged once and says nothing (house 2.6). */
export function formatErrors(execution: Execution, log: Logger): Formatted {
  const errors = (execution.errors ?? []).flatMap(unpack).map((error) => publicError(error, log));
  // The status stays 200: the document was answered, each field by itself. `never`: typed as an object by mercurius, null here.
  return { statusCode: 200, response: { data: (execution.data ?? null) as never, errors } };
}

/** mercurius packs what is wrong with a document into one error that does not tell. */
function unpack(error: GraphQLError): readonly GraphQLError[] {
  const { errors = [] } = (error.originalError ?? {}) as { errors?: readonly GraphQLError[] };
  return errors.length > 0 ? errors : [error];
}

function publicError(error: GraphQLError, log: Logger): GraphQLError {
  const { originalError, nodes, path } = error;
  const place = { ...(nodes && { nodes }), ...(path && { path }) };
  if (originalError instanceof VaultError) {
    const extensions = { code: originalError.code };
    return new GraphQLError(originalError.message, { ...place, extensions });
  }
  // Not thrown by a resolver: the document itself is wrong.
  if (originalError === undefined || 'statusCode' in originalError) {
    return new GraphQLError(error.message, { ...place, extensions: { code: 'bad-request' } });
  }
  log.error({ err: originalError }, 'a field failed');
  return new GraphQLError('internal error', { ...place, extensions: { code: 'internal' } });
}
