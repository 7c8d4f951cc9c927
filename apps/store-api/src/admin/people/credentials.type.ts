import { Field, ID, InputType, Int, ObjectType } from '@nestjs/graphql';
import { resultOf } from '../outcomes.js';
import { Instant } from '../scalars.js';

@ObjectType('PublisherCredentials', {
  description: 'What somebody publishes with: a login of snapcraft, or credentials for a machine.',
})
export class PublisherCredentialsType {
  @Field(() => ID) id!: string;
  @Field(() => String) description!: string;
  @Field(() => String, { description: 'In whose name.' }) ownerEmail!: string;
  @Field(() => [String]) permissions!: readonly string[];
  @Field(() => [String], { nullable: true, description: 'Names; null: all snaps.' })
  snaps!: readonly string[] | null;
  @Field(() => [String], { nullable: true, description: 'Patterns; null: all channels.' })
  channels!: readonly string[] | null;
  @Field(() => Instant) createdAt!: Date;
  @Field(() => Instant) expiresAt!: Date;
  @Field(() => String, {
    nullable: true,
    description: 'For SNAPCRAFT_STORE_CREDENTIALS; shown once, when they are made.',
  })
  credentials?: string | null;
}

@InputType('PublisherCredentialsInput')
export class PublisherCredentialsInput {
  @Field(() => String, { description: 'What they are for.' }) description!: string;
  @Field(() => Int, { description: '1 to 366.' }) days!: number;
  @Field(() => [String], {
    nullable: true,
    description: 'Such as package_push; none: what uploading and releasing needs.',
  })
  permissions?: string[] | null;
  @Field(() => [String], { nullable: true, description: 'Names; none: all snaps.' })
  snaps?: string[] | null;
  @Field(() => [String], {
    nullable: true,
    description: 'Patterns such as edge or 2.0/*; none: all channels.',
  })
  channels?: string[] | null;
}

export const PublisherCredentialsResult = resultOf(
  () => PublisherCredentialsType,
  'PublisherCredentials',
);
