import type { FieldMiddleware } from '@nestjs/graphql';
import { getNamedType, isUnionType } from 'graphql';
import type { AdminContext } from './context.js';
import { toOutcome } from './outcomes.js';
import { requirePermission } from './permissions.js';

/**
 * Stands before every field of Query and Mutation: looks the permission up, and turns refusals into members of the result
 * where the result has such a member.
 */
export const fieldGate: FieldMiddleware<unknown, AdminContext> = async (
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
    const type = getNamedType(info.returnType);
    // Without login everything is the same error, whatever the field would answer.
    const isExpected =
      context.principal !== null ||
      info.fieldName === 'login' ||
      info.fieldName === 'acceptInvitation';
    if (outcome !== null && isExpected && isUnionType(type)) return outcome;
    throw error;
  }
};
