import { GraphQLError, type ExecutionResult, type GraphQLFormattedError } from 'graphql';
import { OperationError } from '#libs/operations';

interface ErrorLog {
  error(fields: object, message: string): void;
}

interface FormatContext {
  readonly reply?: { readonly request: { readonly id: string }; readonly log: ErrorLog };
}

/** One mapping for all that leaves as an error (house 3.4, 12: mercurius drops codes): `extensions.code` is always there. */
export function formatErrors(
  execution: ExecutionResult & { readonly statusCode?: number },
  context: FormatContext,
): { statusCode: number; response: ExecutionResult } {
  const errors = (execution.errors ?? []).flatMap(unfold);
  return {
    // 200 as GraphQL over HTTP has it, also for refused requests: clients read `errors`.
    statusCode: 200,
    response: {
      data: execution.data ?? null,
      // Mercurius writes the errors out; it takes formatted ones as they are.
      errors: errors.map((error) => format(error, context)) as unknown as GraphQLError[],
    },
  };
}

/** Mercurius wraps what validation found in an error of its own. */
function unfold(error: GraphQLError): readonly GraphQLError[] {
  const inner = (error.originalError as { errors?: unknown } | undefined)?.errors;
  if (!Array.isArray(inner)) return [error];
  return inner.map((one: Error) =>
    one instanceof GraphQLError ? one : new GraphQLError(one.message),
  );
}

function format(error: GraphQLError, { reply }: FormatContext): GraphQLFormattedError {
  const { message, locations, path, originalError } = error;
  const place = { ...(locations && { locations }), ...(path && { path }) };
  if (originalError instanceof OperationError)
    return { message, ...place, extensions: { code: originalError.code } };
  const isClients = originalError === undefined || isRequestError(originalError);
  if (isClients) return { message, ...place, extensions: { code: 'bad-request' } };
  const requestId = reply?.request.id;
  reply?.log.error({ err: originalError, requestId, path }, 'cannot answer a GraphQL field');
  return {
    message: 'internal error',
    ...place,
    extensions: { code: 'internal', ...(requestId && { requestId }) },
  };
}

/** Errors of mercurius and Fastify about the request itself carry a status below 500. */
function isRequestError(error: Error): boolean {
  if (error instanceof GraphQLError) return true;
  const { statusCode } = error as { statusCode?: unknown };
  return typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500;
}
