import { Args, ID, Query } from '@nestjs/graphql';
import { SnapDiagnosisService } from '#libs/operations';
import { AdminResolver } from '../admin-resolver.js';
import { SnapDiagnosisType } from './snap-diagnosis.type.js';

@AdminResolver()
export class SnapDiagnosisResolver {
  constructor(private readonly diagnoses: SnapDiagnosisService) {}

  @Query(() => SnapDiagnosisType, { description: '“Why can nobody install my snap?”' })
  async diagnoseSnap(
    @Args('brand', { type: () => ID }) brand: string,
    @Args('snap', { description: 'Its name.' }) snap: string,
    @Args('channel', {
      type: () => String,
      nullable: true,
      description: 'None: stable of the default track.',
    })
    channel?: string,
    @Args('architecture', {
      type: () => String,
      nullable: true,
      description: 'None: those of the brand’s devices.',
    })
    architecture?: string,
  ): Promise<SnapDiagnosisType> {
    const { installable, obstacles, ...rest } = await this.diagnoses.diagnose(brand, snap, {
      channel: channel ?? undefined,
      architecture: architecture ?? undefined,
    });
    return { ...rest, installable: [...installable], obstacles: [...obstacles] };
  }
}
