import { Field, ID, ObjectType } from '@nestjs/graphql';
import { connectionOf } from '../paging.js';
import { resultOf } from '../outcomes.js';
import { Instant, Json } from '../scalars.js';

@ObjectType('Revision')
export class RevisionType {
  @Field(() => ID) snapId!: string;
  @Field(() => Number) revision!: number;
  @Field(() => String) version!: string;
  @Field(() => [String]) architectures!: string[];
  @Field(() => Number) sizeBytes!: number;
  @Field(() => String) sha3384!: string;
  @Field(() => Json) epoch!: unknown;
  @Field(() => String) confinement!: string;
  @Field(() => Instant, { nullable: true }) yankedAt!: Date | null;
  @Field(() => String, { nullable: true }) yankReason!: string | null;
  @Field(() => Instant) createdAt!: Date;
}

@ObjectType('Lane')
export class LaneType {
  @Field(() => ID) id!: string;
  @Field(() => String) track!: string;
  @Field(() => String) risk!: string;
  @Field(() => String, { description: 'Empty: no branch.' }) branch!: string;
  @Field(() => Boolean, { description: 'Changes its baseline only through a rollout.' })
  isProtected!: boolean;
}

@ObjectType('Snap')
export class SnapObject {
  @Field(() => ID) id!: string;
  @Field(() => String) name!: string;
  @Field(() => String, { nullable: true }) type!: string | null;
  @Field(() => ID) storeId!: string;
  @Field(() => Boolean) isPrivate!: boolean;
  @Field(() => Boolean) isProtected!: boolean;
  @Field(() => Json, { description: 'Currency → decimal text; empty: free.' })
  prices!: Readonly<Record<string, string>>;
  @Field(() => [String], {
    description: 'What `snap find --section` knows; `featured` is shown first.',
  })
  categories!: string[];
  @Field(() => String) defaultTrack!: string;
  @Field(() => [String]) tracks!: string[];
  @Field(() => Json, { description: 'Track → expression that versions must match as a whole.' })
  versionPatterns!: Readonly<Record<string, string>>;
}

export const SnapConnectionType = connectionOf(() => SnapObject, 'Snap', 'By name.');

@ObjectType('Upload')
export class UploadType {
  @Field(() => ID) id!: string;
  @Field(() => String) state!: string;
  @Field(() => Json) problems!: unknown;
  @Field(() => Number, { nullable: true }) revision!: number | null;
  @Field(() => Instant) createdAt!: Date;
  @Field(() => Instant, { nullable: true }) finishedAt!: Date | null;
}

export const UploadConnectionType = connectionOf(() => UploadType, 'Upload', 'Newest first.');

export const LaneResult = resultOf(() => LaneType, 'Lane');
export const SnapResult = resultOf(() => SnapObject, 'Snap');
export const RevisionResult = resultOf(() => RevisionType, 'Revision');
