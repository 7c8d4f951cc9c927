import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { GqlExecutionContext } from '@nestjs/graphql';
import { OperationError, type Client, type Principal } from '#libs/operations';
import type { Loaders } from './loaders.js';
import type { FindSubject } from './permissions.js';

/** What every resolver of one request shares; of a subscription, what every event has anew. */
export interface AdminContext {
  /** Null: no login, or one that is over. */
  principal: Principal | null;
  readonly client: Client;
  /** Aborted when the caller has hung up: nobody waits for the answer any more. */
  readonly gone: () => AbortSignal;
  readonly findSubject: FindSubject;
  loaders: Loaders;
  /** Whose login it is at this moment, by the header, or by what a websocket brought to its beginning. */
  readonly recognise: (beginning?: unknown) => Promise<Principal | null>;
  readonly newLoaders: () => Loaders;
  /** As mercurius keeps it: the payload of `connection_init`. */
  readonly _connectionInit?: unknown;
}

/** The one who asks; the field gate has let them in. */
export const Who = createParamDecorator((_data: unknown, context: ExecutionContext): Principal => {
  const { principal } = GqlExecutionContext.create(context).getContext<AdminContext>();
  if (principal === null) throw new OperationError('unauthorized', 'cannot do this without login');
  return principal;
});

/** For long answers: when to stop working on one. */
export const Gone = createParamDecorator((_data: unknown, context: ExecutionContext): AbortSignal =>
  GqlExecutionContext.create(context).getContext<AdminContext>().gone(),
);
