import { Field, ID, InputType, Int, ObjectType } from '@nestjs/graphql';
import { resultOf } from '../outcomes.js';
import { Instant } from '../scalars.js';

@ObjectType('PublisherCredentials')
export class PublisherCredentialsType {
  @Field(() => ID) id!: string;
  @Field(() => String) description!: string;
  @Field(() => Instant) expiresAt!: Date;
  @Field(() => String, { description: 'For SNAPCRAFT_STORE_CREDENTIALS; shown once.' })
  credentials!: string;
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
