import { Field, Int, ObjectType } from '@nestjs/graphql';

@ObjectType('WaveProgress', { description: 'By the facts that devices reported last.' })
export class WaveProgressType {
  @Field(() => Int) no!: number;
  @Field(() => Int, {
    description: 'Devices of the fleet that this wave is the first to admit; 0 until it opens.',
  })
  members!: number;
  @Field(() => Int, { description: 'Of them, those that the ramp has reached.' })
  admitted!: number;
  @Field(() => Int, { description: 'Of them, those that have the target.' }) updated!: number;
}
