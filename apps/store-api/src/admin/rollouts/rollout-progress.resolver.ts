import { Int, Parent, ResolveField } from '@nestjs/graphql';
import {
  RolloutFiguresService,
  StrandedService,
  type RolloutView,
  type WaveFigures,
} from '#libs/operations';
import { AdminResolver } from '../admin-resolver.js';
import { RolloutType } from './rollout.type.js';
import { WaveProgressType } from './wave-progress.type.js';

/** Apart from the rollout's own fields: it counts the whole fleet, and is for one rollout that somebody watches. */
@AdminResolver(() => RolloutType)
export class RolloutProgressResolver {
  constructor(
    private readonly figures: RolloutFiguresService,
    private readonly stranded: StrandedService,
  ) {}

  @ResolveField(() => [WaveProgressType], {
    description: 'How far each wave has come. Counts the whole fleet: ask for one rollout.',
  })
  progress(@Parent() { brandId, id }: RolloutView): Promise<WaveFigures[]> {
    return this.figures.of(brandId, id);
  }

  @ResolveField(() => Int, {
    nullable: true,
    description:
      'Of an aborted rollout: devices on its target, until a release picks them up. Counts the whole fleet.',
  })
  strandedOnTarget(@Parent() { brandId, id }: RolloutView): Promise<number | null> {
    return this.stranded.count(brandId, id);
  }
}
