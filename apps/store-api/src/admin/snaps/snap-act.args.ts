import { ArgsType, Field, ID, Int } from '@nestjs/graphql';
import { SnapTextsInput } from './publishing.type.js';

/** What every act on a snap takes; each kind of act adds its own. */
@ArgsType()
class SnapActArgs {
  @Field(() => ID) brand!: string;
  @Field(() => String) snap!: string;
  @Field(() => String, { nullable: true }) idempotencyKey?: string | null;
}

@ArgsType()
export class RevisionActArgs extends SnapActArgs {
  @Field(() => Int) revision!: number;
  @Field(() => String) reason!: string;
}

@ArgsType()
export class TrackActArgs extends SnapActArgs {
  @Field(() => String) track!: string;
  @Field(() => String, { nullable: true }) versionPattern?: string | null;
}

@ArgsType()
export class TextsActArgs extends SnapActArgs {
  @Field(() => SnapTextsInput) texts!: SnapTextsInput;
}

@ArgsType()
export class CollaboratorActArgs extends SnapActArgs {
  @Field(() => String) username!: string;
}

/** The same as an operation takes it, after who acts: the brand, the order, the key. */
export function snapAct<Act extends SnapActArgs>({
  brand,
  idempotencyKey,
  ...order
}: Act): [brand: string, order: Omit<Act, 'brand' | 'idempotencyKey'>, key: string | undefined] {
  return [brand, order, idempotencyKey ?? undefined];
}
