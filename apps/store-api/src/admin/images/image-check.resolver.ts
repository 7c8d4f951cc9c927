import { Args, ID, Query } from '@nestjs/graphql';
import { ImageCheckService, type ImageCheck } from '#libs/operations';
import { AdminResolver } from '../admin-resolver.js';
import { ImageCheckType } from './image-check.type.js';

@AdminResolver()
export class ImageCheckResolver {
  constructor(private readonly checks: ImageCheckService) {}

  @Query(() => ImageCheckType, {
    description: 'What an image of a registered model would hold now, and what is missing.',
  })
  checkImage(
    @Args('brand', { type: () => ID }) brand: string,
    @Args('model', { type: () => ID }) model: string,
    @Args('extras', {
      type: () => [String],
      nullable: true,
      description: 'Snaps beyond the model, `name` or `name=channel`.',
    })
    extras?: string[],
    @Args('channel', {
      type: () => String,
      nullable: true,
      description: 'For snaps to which the model gives none.',
    })
    channel?: string,
  ): Promise<ImageCheck> {
    return this.checks.check(brand, { model, extras: extras ?? [], channel: channel ?? null });
  }
}
