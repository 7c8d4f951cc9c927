import { Field, ID, InputType, Int, ObjectType } from '@nestjs/graphql';
import { resultOf } from '../outcomes.js';
import { Instant } from '../scalars.js';

@ObjectType('ForeignRoot', { description: "Somebody else's trust root, whose snaps are relayed." })
export class ForeignRootType {
  @Field(() => ID, { description: 'Of its account.' }) id!: string;
  @Field(() => String) username!: string;
  @Field(() => String) displayName!: string;
  @Field(() => [ID], { description: 'Of its account-keys.' }) keyIds!: readonly string[];
  @Field(() => Instant) since!: Date;
}

@InputType('ImportInput')
export class ImportInput {
  @Field(() => ID, { description: 'Of the file, as the upload answered it.' }) uploadId!: string;
  @Field(() => String, { description: 'What `snap download` writes beside the snap.' })
  assertions!: string;
  @Field(() => ID, {
    nullable: true,
    description: 'A store of the brand, for the first revision; by default its first one.',
  })
  store?: string;
  @Field(() => [String], { description: 'Where it is released; none: nowhere yet.' })
  channels!: string[];
}

@ObjectType('ImportedSnap', { description: 'A revision that is relayed as it came.' })
export class ImportedSnapType {
  @Field(() => ID) snapId!: string;
  @Field(() => String) name!: string;
  @Field(() => Int) revision!: number;
  @Field(() => String) version!: string;
  @Field(() => String) type!: string;
  @Field(() => ID, { description: 'The root that vouches for it.' }) rootId!: string;
  @Field(() => String, { description: 'User name, as the root says.' }) publisher!: string;
  @Field(() => [String]) channels!: readonly string[];
  @Field(() => Boolean, { description: 'False: this revision was here already.' })
  isNew!: boolean;
}

export const ForeignRootResult = resultOf(() => ForeignRootType, 'ForeignRoot');
export const ImportedSnapResult = resultOf(() => ImportedSnapType, 'ImportedSnap');
