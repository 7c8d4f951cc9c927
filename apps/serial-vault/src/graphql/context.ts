import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { GqlExecutionContext } from '@nestjs/graphql';
import type { FastifyRequest } from 'fastify';
import type { TokenService, VaultPrincipal } from '../administration/token.service.js';
import { VaultError } from '../administration/vault-error.js';

/** What every resolver of one request shares. */
export interface VaultContext {
  /** Null: no token, or one that is over. */
  readonly principal: VaultPrincipal | null;
  /** Where the request comes from. */
  readonly address: string;
}

export async function readContext(
  tokens: TokenService,
  request: FastifyRequest,
): Promise<VaultContext> {
  return { principal: await readPrincipal(tokens, request), address: request.ip };
}

/** The bearer of the request's token; null: no token, or one that is over. */
export async function readPrincipal(
  tokens: TokenService,
  request: FastifyRequest,
): Promise<VaultPrincipal | null> {
  const [, token] = /^bearer +(\S+)$/i.exec(request.headers.authorization ?? '') ?? [];
  return token === undefined ? null : tokens.authenticate(token);
}

/** The one who asks; the field gate has let them in. */
export const Who = createParamDecorator(
  (_data: unknown, context: ExecutionContext): VaultPrincipal => {
    const { principal } = GqlExecutionContext.create(context).getContext<VaultContext>();
    if (principal === null) throw new VaultError('unauthorized', 'cannot do this without a token');
    return principal;
  },
);
