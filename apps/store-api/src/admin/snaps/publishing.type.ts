import { Field, ID, InputType, ObjectType } from '@nestjs/graphql';
import { resultOf } from '../outcomes.js';
import { Instant } from '../scalars.js';
import { UploadType } from './snap.type.js';

@ObjectType('Collaborator')
export class CollaboratorType {
  @Field(() => ID) snapId!: string;
  @Field(() => ID) accountId!: string;
  @Field(() => String) username!: string;
  @Field(() => Instant) createdAt!: Date;
}

@InputType({ description: 'What is left out stays as it is.' })
export class SnapTextsInput {
  @Field(() => String, { nullable: true }) title?: string;
  @Field(() => String, { nullable: true }) summary?: string;
  @Field(() => String, { nullable: true }) description?: string;
  @Field(() => String, { nullable: true }) license?: string;
  @Field(() => String, { nullable: true }) website?: string;
  @Field(() => String, { nullable: true }) contact?: string;
}

export const CollaboratorResult = resultOf(() => CollaboratorType, 'Collaborator');
export const UploadResult = resultOf(() => UploadType, 'Upload');
