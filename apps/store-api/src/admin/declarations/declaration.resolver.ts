import { Args, ID, Int, Mutation, Query } from '@nestjs/graphql';
import { DeclarationService, type DeclarationView, type Principal } from '#libs/operations';
import { AdminResolver } from '../admin-resolver.js';
import { Who } from '../context.js';
import { DeclarationInput, DeclarationResult, DeclarationType } from './declaration.type.js';

@AdminResolver()
export class DeclarationResolver {
  constructor(private readonly declarations: DeclarationService) {}

  @Query(() => DeclarationType, {
    nullable: true,
    description: 'Null until the first revision of the snap is accepted.',
  })
  snapDeclaration(
    @Args('brand', { type: () => ID }) brand: string,
    @Args('snap', { description: 'Its name or id.' }) snap: string,
  ): Promise<DeclarationView | null> {
    return this.declarations.find(brand, snap);
  }

  @Query(() => DeclarationResult, { description: 'What the edit would change; nothing is signed.' })
  previewSnapDeclaration(
    @Args('brand', { type: () => ID }) brand: string,
    @Args('snap') snap: string,
    @Args('input') order: DeclarationInput,
    @Args('expectedRevision', { type: () => Int, nullable: true }) expected?: number,
  ): Promise<DeclarationView> {
    return this.declarations.preview(brand, {
      snap,
      order,
      expectedRevision: expected ?? undefined,
    });
  }

  @Mutation(() => DeclarationResult, {
    description: 'Signs the next revision; devices get it at their next refresh.',
  })
  editSnapDeclaration(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('snap') snap: string,
    @Args('input') order: DeclarationInput,
    @Args('reason') reason: string,
    @Args('expectedRevision', { type: () => Int, nullable: true }) expected?: number,
    @Args('idempotencyKey', { type: () => String, nullable: true }) key?: string,
  ): Promise<DeclarationView> {
    const edit = { snap, order, reason, expectedRevision: expected ?? undefined };
    return this.declarations.edit(who, brand, edit, key ?? undefined);
  }
}
