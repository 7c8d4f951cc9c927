import { Field, Int, ObjectType } from '@nestjs/graphql';

@ObjectType('SnapObstacle')
export class SnapObstacleType {
  @Field(() => String, { description: 'IN_REVIEW, LANE_PROTECTED, …, or a code of decisions.' })
  code!: string;
  @Field(() => String, { description: 'For whom; empty: everybody.' }) where!: string;
  @Field(() => String) sentence!: string;
  @Field(() => String) remedy!: string;
  @Field(() => Int, { nullable: true, description: 'Null: whoever would install it.' })
  devices!: number | null;
}

@ObjectType('InstallableSnap')
export class InstallableType {
  @Field(() => String, { description: 'Name of the store.' }) store!: string;
  @Field(() => String) architecture!: string;
  @Field(() => Int) revision!: number;
}

@ObjectType('SnapDiagnosis', { description: 'Why nobody can install a snap, or who cannot.' })
export class SnapDiagnosisType {
  @Field(() => String) snapName!: string;
  @Field(() => String) channel!: string;
  @Field(() => Int, { nullable: true, description: 'Accepted and not withdrawn.' })
  newestRevision!: number | null;
  @Field(() => [InstallableType], { description: 'Where an installation would get one.' })
  installable!: InstallableType[];
  @Field(() => [SnapObstacleType], { description: 'In the order in which they stand in the way.' })
  obstacles!: SnapObstacleType[];
}
