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

  get act(): RolloutAct {
    return {
      rolloutId: this.id,
      expectedRevision: this.expectedRevision ?? undefined,
      reason: this.reason ?? undefined,
      idempotencyKey: this.idempotencyKey ?? undefined,
    };
  }
}
