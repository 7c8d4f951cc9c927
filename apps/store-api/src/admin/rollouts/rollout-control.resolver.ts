import { Args, ID, Int, Mutation } from '@nestjs/graphql';
import {
  RollbackService,
  RolloutApprovalService,
  RolloutControlService,
  type Principal,
  type RolloutView,
} from '#libs/operations';
import { AdminResolver } from '../admin-resolver.js';
import { Who } from '../context.js';
import { RolloutActArgs, toRolloutAct } from './rollout-act.args.js';
import { WaveInput } from './rollout-input.type.js';
import { RolloutResult } from './rollout.type.js';

/** What becomes of a plan that was submitted. */
@AdminResolver()
export class RolloutControlResolver {
  constructor(
    private readonly approvals: RolloutApprovalService,
    private readonly control: RolloutControlService,
    private readonly rollbacks: RollbackService,
  ) {}

  @Mutation(() => RolloutResult, { description: 'By somebody who neither wrote nor edited it.' })
  approveRollout(
    @Who() who: Principal,
    @Args() args: RolloutActArgs,
    @Args('planHash', { description: 'Of the plan that was read.' }) planHash: string,
    @Args('previewHash', {
      type: () => String,
      nullable: true,
      description: 'Of the preview that was read; refused when another one is stored by now.',
    })
    previewHash?: string,
  ): Promise<RolloutView> {
    const signed = { planHash, previewHash: previewHash ?? undefined };
    return this.approvals.approve(who, args.brand, { ...toRolloutAct(args), ...signed });
  }

  @Mutation(() => RolloutResult, {
    description: 'An admin lets it start without approval; told to every admin, shown for good.',
  })
  breakGlass(@Who() who: Principal, @Args() args: RolloutActArgs): Promise<RolloutView> {
    return this.approvals.breakGlass(who, args.brand, toRolloutAct(args));
  }

  @Mutation(() => RolloutResult)
  rejectRollout(@Who() who: Principal, @Args() args: RolloutActArgs): Promise<RolloutView> {
    return this.approvals.reject(who, args.brand, toRolloutAct(args));
  }

  @Mutation(() => RolloutResult)
  pauseRollout(@Who() who: Principal, @Args() args: RolloutActArgs): Promise<RolloutView> {
    return this.control.pause(who, args.brand, toRolloutAct(args));
  }

  @Mutation(() => RolloutResult, {
    description: 'After an automatic pause: once another person has approved it again.',
  })
  resumeRollout(
    @Who() who: Principal,
    @Args() args: RolloutActArgs,
    @Args('acknowledges', {
      type: () => String,
      nullable: true,
      description: 'After an automatic pause: its `evidenceHash`.',
    })
    acknowledges?: string,
  ): Promise<RolloutView> {
    return this.control.resume(who, args.brand, {
      ...toRolloutAct(args),
      acknowledges: acknowledges ?? undefined,
    });
  }

  @Mutation(() => RolloutResult, { description: 'No new offers; nobody is moved back.' })
  abortRollout(@Who() who: Principal, @Args() args: RolloutActArgs): Promise<RolloutView> {
    return this.control.abort(who, args.brand, toRolloutAct(args));
  }

  @Mutation(() => RolloutResult, {
    description:
      'Drafts the rollout that leads devices back, each to the last revision that was good on it, and pauses this one. Submit it like any other.',
  })
  rollbackRollout(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('id', { type: () => ID }) rolloutId: string,
    @Args('reason') reason: string,
    @Args('waves', {
      type: () => [WaveInput],
      nullable: true,
      description: 'A tenth, then all, if not said.',
    })
    waves?: WaveInput[],
    @Args('idempotencyKey', { type: () => String, nullable: true }) key?: string,
  ): Promise<RolloutView> {
    const order = { rolloutId, reason, waves: waves ?? undefined };
    return this.rollbacks.draft(who, brand, { ...order, idempotencyKey: key ?? undefined });
  }

  @Mutation(() => RolloutResult, { description: 'The wave is good: the next one may open.' })
  advanceRollout(
    @Who() who: Principal,
    @Args() args: RolloutActArgs,
    @Args('wave', { type: () => Int, nullable: true, description: 'None: the one that is open.' })
    waveNo?: number,
  ): Promise<RolloutView> {
    return this.control.advance(who, args.brand, {
      ...toRolloutAct(args),
      waveNo: waveNo ?? undefined,
    });
  }
}
