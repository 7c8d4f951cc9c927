import { Field, Float, ID, Int, ObjectType } from '@nestjs/graphql';

@ObjectType('ImageSnap', { description: 'A snap that an image would hold.' })
export class ImageSnapType {
  @Field(() => String) name!: string;
  @Field(() => String, {
    description: 'gadget, kernel, base, snapd, required, optional or extra.',
  })
  as!: string;
  @Field(() => String, { nullable: true, description: 'As the model names it.' })
  channel!: string | null;
  @Field(() => Int, { nullable: true, description: 'Null: there is none for it.' })
  revision!: number | null;
  @Field(() => String, { nullable: true }) version!: string | null;
  @Field(() => String, { nullable: true, description: 'User name.' }) publisher!: string | null;
  @Field(() => Float, { nullable: true }) sizeBytes!: number | null;
  @Field(() => Boolean, { description: 'Only builders with credentials get it.' })
  needsCredentials!: boolean;
  @Field(() => [String], { description: 'What stands in its way, in words.' })
  problems!: readonly string[];
}

@ObjectType('ImageCheck', { description: 'What an image of a model would hold.' })
export class ImageCheckType {
  @Field(() => ID) model!: string;
  @Field(() => Int) revision!: number;
  @Field(() => ID, { nullable: true }) storeId!: string | null;
  @Field(() => String, { nullable: true }) architecture!: string | null;
  @Field(() => Boolean, { description: 'Nothing is missing.' }) isComplete!: boolean;
  @Field(() => [ImageSnapType]) snaps!: readonly ImageSnapType[];
  @Field(() => [String], { description: 'Of the model itself, in words.' })
  problems!: readonly string[];
}
