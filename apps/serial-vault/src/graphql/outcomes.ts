import type { Type } from '@nestjs/common';
import { createUnionType, Field, ObjectType } from '@nestjs/graphql';
import { VaultError } from '../administration/vault-error.js';

@ObjectType({ description: 'One thing that is wrong with what was asked.' })
export class Problem {
  @Field(() => String, { description: 'Where, such as `policy.minimumKeyBits`.' }) path!: string;
  @Field(() => String) message!: string;
}

@ObjectType({ description: 'Cannot be meant so: see each path.' })
export class Invalid {
  @Field(() => String) message!: string;
  @Field(() => [Problem]) problems!: Problem[];
}

@ObjectType({ description: 'You may not do this.' })
export class Forbidden {
  @Field(() => String) message!: string;
}

@ObjectType({ description: 'There is no such thing in this brand.' })
export class NotFound {
  @Field(() => String) message!: string;
}

@ObjectType({ description: 'It is taken, decided already, or needs a confirmation.' })
export class Conflict {
  @Field(() => String) message!: string;
}

const OUTCOMES = [Invalid, Forbidden, NotFound, Conflict] as const;
export type Outcome = InstanceType<(typeof OUTCOMES)[number]>;

/** What a mutation that gives a `T` may answer: `T` or an expected refusal (decisions 25). */
export function resultOf<T extends object>(
  type: Type<T>,
  name: string,
): ReturnType<typeof createUnionType> {
  return createUnionType({
    name: `${name}Result`,
    types: () => [type, ...OUTCOMES] as const,
    resolveType: (value: object) => OUTCOMES.find((outcome) => value instanceof outcome) ?? type,
  });
}

/** The refusal as a member of the result; null for what a client cannot expect. */
export function toOutcome(error: unknown): Outcome | null {
  if (!(error instanceof VaultError)) return null;
  const { message } = error;
  switch (error.code) {
    case 'invalid':
      return Object.assign(new Invalid(), { message, problems: [...error.problems] });
    case 'forbidden':
    case 'unauthorized':
    case 'code-needed':
      return Object.assign(new Forbidden(), { message });
    case 'not-found':
      return Object.assign(new NotFound(), { message });
    case 'conflict':
      return Object.assign(new Conflict(), { message });
    case 'unavailable':
      return null;
  }
}
