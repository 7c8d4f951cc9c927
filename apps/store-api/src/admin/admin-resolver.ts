import {
  Catch,
  UseFilters,
  applyDecorators,
  type ExceptionFilter,
  type Type,
} from '@nestjs/common';
import { Resolver } from '@nestjs/graphql';

/** Nest would log every refusal as a failure; the field gate and the error formatter know which is which. */
@Catch()
class PassOn implements ExceptionFilter {
  catch(error: unknown): never {
    throw error;
  }
}

/** A resolver of this surface; `type`: whose fields it resolves. */
export const AdminResolver = (type?: () => Type): ClassDecorator =>
  applyDecorators(type === undefined ? Resolver() : Resolver(type), UseFilters(new PassOn()));
