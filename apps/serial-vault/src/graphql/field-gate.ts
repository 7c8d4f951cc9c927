import {
  type CallHandler,
  type ExecutionContext,
  Injectable,
  type NestInterceptor,
} from '@nestjs/common';
import { GqlExecutionContext } from '@nestjs/graphql';
import { getNamedType, isUnionType, type GraphQLResolveInfo } from 'graphql';
import { catchError, defer, from, of, type Observable } from 'rxjs';
import type { VaultContext } from './context.js';
import { toOutcome } from './outcomes.js';
import { PERMISSIONS, requirePermission } from './permissions.js';

/**
 * Stands before every field of Query and Mutation: looks the permission up, and turns refusals into members of the result
 * where the result has such a member. An interceptor, since Nest runs field middleware for properties only, not for these.
 */
@Injectable()
export class FieldGate implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const field = GqlExecutionContext.create(context);
    const info = field.getInfo<GraphQLResolveInfo>();
    const { principal } = field.getContext<VaultContext>();
    const name = `${info.parentType.name}.${info.fieldName}`;
    const gated = defer(() => {
      requirePermission(name, field.getArgs<Record<string, unknown>>(), principal);
      return from(next.handle());
    });
    return gated.pipe(
      catchError((error: unknown) => {
        const outcome = toOutcome(error);
        // Where a token is missing everything is the same error, whatever the field would answer.
        const isLetIn = principal !== null || PERMISSIONS[name] === 'anyone';
        if (outcome !== null && isLetIn && isUnionType(getNamedType(info.returnType)))
          return of(outcome);
        throw error;
      }),
    );
  }
}
