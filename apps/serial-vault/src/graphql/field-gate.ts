import type { FieldMiddleware } from '@nestjs/graphql';
import { getNamedType, isUnionType } from 'graphql';
import type { VaultContext } from './context.js';
import { toOutcome } from './outcomes.js';
import { requirePermission } from './permissions.js';

/**
 * Stands before every field of Query and Mutation: looks the permission up, and turns refusals into members of the result
 * where the result has such a member.
 */
export const fieldGate: FieldMiddleware<unknown, VaultContext> = async (
  { info, args, context },
  next,
): Promise<unknown> => {
  if (info === null || info === undefined) throw new Error('internal error: a field without info');
  const parent = info.parentType.name;
  if (parent !== 'Query' && parent !== 'Mutation') return next();
  try {
    requirePermission(`${parent}.${info.fieldName}`, args, context.principal);
    return await next();
  } catch (error) {
    const outcome = toOutcome(error);
    // Without a token everything is the same error, whatever the field would answer.
    if (
      outcome !== null &&
      context.principal !== null &&
      isUnionType(getNamedType(info.returnType))
    )
      return outcome;
    throw error;
  }
};
