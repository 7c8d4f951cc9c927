import { Args, ID, Mutation, Parent, Query, ResolveField } from '@nestjs/graphql';
import {
  GateReportService,
  SignalBuffer,
  SignalService,
  type GateReportOutcome,
  type Principal,
  type RolloutHealth,
  type RolloutView,
} from '#libs/operations';
import { AdminResolver } from '../admin-resolver.js';
import { Who } from '../context.js';
import { GateReportInput, GateReportResult, RolloutHealthType } from './rollout-health.type.js';
import { RolloutResult, RolloutType } from './rollout.type.js';

/** What devices came to, what gates say of it, and what a brand's own telemetry adds (update-control.md 2.7). */
@AdminResolver(() => RolloutType)
export class RolloutHealthResolver {
  constructor(
    private readonly signals: SignalService,
    private readonly reports: GateReportService,
    private readonly observations: SignalBuffer,
  ) {}

  @ResolveField(() => RolloutHealthType, { description: 'By the last count of its devices.' })
  health(@Parent() { brandId, id }: RolloutView): Promise<RolloutHealth> {
    return this.signals.ofRollout(brandId, id);
  }

  @Query(() => String, {
    nullable: true,
    description: 'The secret that signs the reports of an external gate: `whsec_` and base64.',
  })
  gateSecret(
    @Args('brand', { type: () => ID }) brand: string,
    @Args('id', { type: () => ID, description: 'Of the rollout.' }) id: string,
    @Args('gate', { description: 'As the plan names it.' }) gate: string,
  ): Promise<string | null> {
    return this.reports.secretFor(brand, id, gate);
  }

  @Mutation(() => GateReportResult, {
    description:
      'For tokens of telemetry. What is late, known, or not rightly signed is ignored, and audited.',
  })
  reportGate(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('input') { rollout, messageId, ...input }: GateReportInput,
  ): Promise<GateReportOutcome> {
    return this.reports.report(who, brand, { ...input, id: messageId, rolloutId: rollout });
  }

  @Mutation(() => RolloutResult, {
    description:
      'Devices that failed on the target are offered it again, those that were given up, too.',
  })
  async retryFailed(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('id', { type: () => ID }) id: string,
    @Args('idempotencyKey', { type: () => String, nullable: true }) key?: string,
  ): Promise<RolloutView> {
    await this.observations.flush();
    const order = { rolloutId: id, idempotencyKey: key ?? undefined };
    return this.signals.retryFailed(who, brand, order);
  }
}
