import { ArgsType, Field, ID, Int } from '@nestjs/graphql';
import type { RolloutAct } from '#libs/operations';

/** What every act on a rollout takes. */
@ArgsType()
export class RolloutActArgs {
  @Field(() => ID) brand!: string;
  @Field(() => ID) id!: string;
  @Field(() => Int, {
    nullable: true,
    description: 'The `rev` that you saw; refused with the current state when it is another.',
  })
  expectedRevision?: number | null;
  @Field(() => String, { nullable: true }) reason?: string | null;
  @Field(() => String, { nullable: true }) idempotencyKey?: string | null;
}

/** The same for the operation. */
export function toRolloutAct(args: RolloutActArgs): RolloutAct {
  return {
    rolloutId: args.id,
    expectedRevision: args.expectedRevision ?? undefined,
    reason: args.reason ?? undefined,
    idempotencyKey: args.idempotencyKey ?? undefined,
  };
}
