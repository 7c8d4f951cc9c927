import type { Type } from '@nestjs/common';
import { Field, ObjectType, createUnionType } from '@nestjs/graphql';
import { OperationError } from '#libs/operations';
import { Json } from './scalars.js';

@ObjectType({ description: 'One thing that is wrong with what was asked.' })
export class Problem {
  @Field(() => String, { description: 'Where, such as `waves[1].percent`.' }) path!: string;
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

@ObjectType({
  description: 'Somebody was faster, or it is taken: `current` is the state of things.',
})
export class Conflict {
  @Field(() => String) message!: string;
  @Field(() => Json, { nullable: true }) current?: unknown;
}

const OUTCOMES = [Invalid, Forbidden, NotFound, Conflict] as const;
export type Outcome = InstanceType<(typeof OUTCOMES)[number]>;

/** What a mutation that gives a `T` may answer: `T` or an expected refusal (decisions 25). */
export function resultOf<T extends object>(
  type: () => Type<T>,
  name: string,
): ReturnType<typeof createUnionType> {
  return createUnionType({
    name: `${name}Result`,
    types: () => [type(), ...OUTCOMES] as const,
    resolveType: (value: object) => OUTCOMES.find((outcome) => value instanceof outcome) ?? type(),
  });
}

const strings = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : [];

function problemsOf({ message, details }: OperationError): Problem[] {
  // `problems` is always of this shape, `paths` names the places of a single problem.
  if (Array.isArray(details?.problems)) return details.problems as Problem[];
  return strings(details?.paths).map((path) => ({ path, message }));
}

/** The refusal as a member of the result; null for what a client cannot expect. */
export function toOutcome(error: unknown): Outcome | null {
  if (!(error instanceof OperationError)) return null;
  const { message, details } = error;
  switch (error.code) {
    case 'invalid':
    case 'too-large':
      return Object.assign(new Invalid(), { message, problems: problemsOf(error) });
    case 'forbidden':
    case 'unauthorized':
      return Object.assign(new Forbidden(), { message });
    case 'not-found':
      return Object.assign(new NotFound(), { message });
    case 'conflict':
      return Object.assign(new Conflict(), { message, current: details?.current });
    default:
      return null;
  }
}
