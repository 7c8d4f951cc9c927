import { Args, ID, Int, Parent, Query, ResolveField } from '@nestjs/graphql';
import {
  OperationError,
  PreviewService,
  Sight,
  type PreviewSubject,
  type Principal,
  type RolloutView,
} from '#libs/operations';
import type { PreviewOutcome, PreviewedDevice } from '#libs/update-control';
import { AdminResolver } from '../admin-resolver.js';
import { Gone, Who } from '../context.js';
import { UUID, connection, fromCursor, pageSize, type Connection } from '../paging.js';
import { RolloutInput } from '../rollouts/rollout-input.type.js';
import { RolloutType } from '../rollouts/rollout.type.js';
import { toRolloutOrder } from '../rollouts/to-rollout-order.js';
import { Instant } from '../scalars.js';
import {
  PreviewFilterInput,
  PreviewedDeviceConnectionType,
  RolloutPreviewType,
} from './preview.type.js';
import { toPreview } from './to-preview.js';

/** Each instant goes through the whole fleet. */
const MOST_INSTANTS = 12;

@AdminResolver(() => RolloutType)
export class PreviewResolver {
  constructor(
    private readonly previews: PreviewService,
    private readonly sight: Sight,
  ) {}

  @Query(() => RolloutPreviewType, {
    description: 'What a plan, or a rollout, would do to each device; nothing is written.',
  })
  async previewRollout(
    @Who() who: Principal,
    @Gone() gone: AbortSignal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('input', { nullable: true }) input?: RolloutInput,
    @Args('rollout', { type: () => ID, nullable: true }) rollout?: string,
    @Args('at', {
      type: () => [Instant],
      nullable: true,
      description: 'A sheet for each; none: one of the end.',
    })
    at?: Date[],
  ): Promise<RolloutPreviewType> {
    const instants = at ?? [];
    if (instants.length > MOST_INSTANTS)
      throw new OperationError('invalid', `cannot preview more than ${MOST_INSTANTS} instants`, {
        paths: ['at'],
      });
    const subject = subjectOf(who, input, rollout);
    const preview = await this.previews.preview(brand, subject, instants, gone);
    return toPreview(preview, await this.sight.seen(who, brand));
  }

  @Query(() => PreviewedDeviceConnectionType, {
    description: 'The devices behind the counts of a preview, as they would be counted now.',
  })
  async previewDevices(
    @Who() who: Principal,
    @Gone() gone: AbortSignal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('input', { nullable: true }) input?: RolloutInput,
    @Args('rollout', { type: () => ID, nullable: true }) rollout?: string,
    @Args('at', { type: () => Instant, nullable: true }) at?: Date,
    @Args('filter', { nullable: true }) filter?: PreviewFilterInput,
    @Args('first', { type: () => Int, nullable: true }) first?: number,
    @Args('after', { type: () => String, nullable: true }) after?: string,
  ): Promise<Connection<PreviewedDevice>> {
    const page = { limit: pageSize(first), after: fromCursor(after, UUID) };
    const wanted = {
      // An enum of the same words.
      outcome: (filter?.outcome ?? undefined) as PreviewOutcome | undefined,
      code: filter?.code ?? undefined,
    };
    const subject = subjectOf(who, input, rollout);
    const pages = this.previews.devices(brand, subject, at ?? null, wanted, page, gone);
    const { rows, hasMore } = await pages;
    return connection(rows, hasMore, ({ deviceUid }) => deviceUid);
  }

  @ResolveField(() => RolloutPreviewType, {
    nullable: true,
    description: 'As it was stored when the plan was submitted; approvers sign it with the plan.',
  })
  async preview(
    @Who() who: Principal,
    @Parent() { brandId, id }: RolloutView,
  ): Promise<RolloutPreviewType | null> {
    const stored = await this.previews.stored(brandId, id);
    return stored && toPreview(stored.preview, await this.sight.seen(who, brandId), stored);
  }
}

function subjectOf(
  { personId }: Principal,
  input: RolloutInput | undefined,
  rollout: string | undefined,
): PreviewSubject {
  if (input && !rollout) return { order: toRolloutOrder(input), personId };
  if (rollout && !input) return { rolloutId: rollout };
  throw new OperationError('invalid', 'cannot preview nothing: give either input or rollout', {
    paths: ['input', 'rollout'],
  });
}
