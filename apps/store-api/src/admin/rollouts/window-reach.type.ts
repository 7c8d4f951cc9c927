import { Field, Int, ObjectType } from '@nestjs/graphql';
import { scheduleInWords, windowReach, type RolloutPlan } from '#libs/update-control';

@ObjectType('WindowReach', {
  description: 'What windows mean for devices with the default refresh timer of snapd.',
})
export class WindowReachType {
  @Field(() => String) text!: string;
  @Field(() => Number, { description: 'Of the devices, on a day with a window.' })
  hitPercentPerDay!: number;
  @Field(() => Int, { nullable: true, description: 'Null: hardly ever.' })
  daysUntil95!: number | null;
}

/** What the plan's own windows mean (update-control.md 2.9); null: it has none (those of fleet and brand are shown there). */
export const reachOf = ({ schedule }: RolloutPlan): WindowReachType | null =>
  schedule === null ? null : { text: scheduleInWords(schedule), ...windowReach(schedule) };
