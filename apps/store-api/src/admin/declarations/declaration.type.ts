import { Field, InputType, Int, ObjectType } from '@nestjs/graphql';
import { resultOf } from '../outcomes.js';
import { Json } from '../scalars.js';
import { SnapObject } from '../snaps/snap.type.js';

const RULES = 'Interface → rule, such as {"camera": {"allow-auto-connection": true}}.';

@InputType({ description: 'What is not named stays as it is; null takes a part away.' })
export class DeclarationInput {
  @Field(() => Json, { nullable: true, description: RULES }) plugs?: unknown;
  @Field(() => Json, { nullable: true, description: RULES }) slots?: unknown;
  @Field(() => Json, { nullable: true, description: 'List of {"name": alias, "target": app}.' })
  aliases?: unknown;
  @Field(() => [String], { nullable: true }) autoAliases?: string[] | null;
  @Field(() => [String], {
    nullable: true,
    description: 'Ids of snaps whose updates this snap gates.',
  })
  refreshControl?: string[] | null;
  @Field(() => Json, {
    nullable: true,
    description: 'Who else may sign revisions: list of {"account-id", "provenance": […], …}.',
  })
  revisionAuthority?: unknown;
}

@ObjectType('SnapDeclaration', { description: 'What the snap may do by itself on devices.' })
export class DeclarationType {
  @Field(() => SnapObject) snap!: SnapObject;
  @Field(() => Int, { description: 'For `expectedRevision`.' }) revision!: number;
  @Field(() => Int, {
    description: 'The lowest that can say it; older devices keep an older revision.',
  })
  format!: number;
  @Field(() => Json, { description: 'As they are signed.' }) headers!: unknown;
  @Field(() => String, { nullable: true, description: 'Byte for byte; null for a preview.' })
  assertion!: string | null;
  @Field(() => [String], { description: 'What this edit changes, in words.' })
  changes!: readonly string[];
}

export const DeclarationResult = resultOf(() => DeclarationType, 'SnapDeclaration');
