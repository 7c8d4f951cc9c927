import { Args, Context, ID, Int, Mutation, Parent, Query, ResolveField } from '@nestjs/graphql';
import type { Device } from '#libs/database';
import {
  BrandReader,
  DecisionLog,
  ExplanationService,
  FactsBuffer,
  FleetService,
  SignalBuffer,
  SignalService,
  Sight,
  type Principal,
} from '#libs/operations';
import { AdminResolver } from '../admin-resolver.js';
import { Who, type AdminContext } from '../context.js';
import { connection, fromCursor, pageSize, type Connection } from '../paging.js';
import { Instant, Json } from '../scalars.js';
import {
  DeviceConnectionType,
  DeviceFilterInput,
  DeviceResult,
  DeviceType,
  ExplanationType,
  InstalledSnapType,
} from './device.type.js';
import { DeviceProgressType, toDeviceProgress } from './device-progress.type.js';
import { toExplanation } from './to-explanation.js';
import { toInstalledSnaps } from './to-installed-snaps.js';

const UID = /^[0-9a-f-]{36}$/;

@AdminResolver(() => DeviceType)
export class DeviceResolver {
  constructor(
    private readonly reader: BrandReader,
    private readonly sight: Sight,
    private readonly fleets: FleetService,
    private readonly explanations: ExplanationService,
    private readonly facts: FactsBuffer,
    private readonly log: DecisionLog,
    private readonly observations: SignalBuffer,
    private readonly signals: SignalService,
  ) {}

  @Query(() => DeviceConnectionType)
  async devices(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('filter', { type: () => DeviceFilterInput, nullable: true }) filter?: DeviceFilterInput,
    @Args('first', { type: () => Int, nullable: true }) first?: number,
    @Args('after', { type: () => String, nullable: true }) after?: string,
  ): Promise<Connection<Device>> {
    const size = pageSize(first);
    const last = fromCursor(after, UID);
    const wanted = { model: filter?.model ?? undefined, serial: filter?.serial ?? undefined };
    const { rows, hasMore } = this.sight.seesAll(who, brand)
      ? await this.reader.devices(brand, wanted, size, last)
      : await this.sight.devices(who, brand, wanted, size, last);
    return connection(rows, hasMore, ({ uid }) => uid);
  }

  @Query(() => DeviceType, { nullable: true })
  device(
    @Args('brand', { type: () => ID }) brand: string,
    @Args('uid', { type: () => ID }) uid: string,
  ): Promise<Device | null> {
    return UID.test(uid) ? this.reader.device(brand, uid) : Promise.resolve(null);
  }

  @Query(() => ExplanationType, {
    description:
      'What the device would be told about the snap at this moment, or was told at a moment of the past, and why.',
  })
  async explainDevice(
    @Args('brand', { type: () => ID }) brand: string,
    @Args('device', { type: () => ID, description: 'Its uid.' }) device: string,
    @Args('snap', { description: 'Its name.' }) snap: string,
    @Args('at', {
      type: () => Instant,
      nullable: true,
      description: 'A moment of the past: what was answered then is decided again.',
    })
    at?: Date,
  ): Promise<ExplanationType> {
    // What the device said a moment ago counts too, and what it was told.
    await Promise.all([this.facts.flush(), this.log.flush(), this.observations.flush()]);
    return toExplanation(await this.explanations.explain(brand, device, snap, at ?? null));
  }

  @Mutation(() => DeviceResult)
  tagDevice(
    @Who() who: Principal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('device', { type: () => ID }) device: string,
    @Args('tags', { type: () => Json, description: 'Name → value; null takes a tag away.' })
    tags: Record<string, string | null>,
    @Args('timezone', { type: () => String, nullable: true, description: 'IANA name.' })
    timezone?: string,
    @Args('idempotencyKey', { type: () => String, nullable: true }) key?: string,
  ): Promise<Device> {
    const order = { tags, timezone: timezone ?? undefined };
    return this.fleets.tagDevice(who, brand, device, order, key ?? undefined);
  }

  @ResolveField(() => [InstalledSnapType], { description: 'As the device reported last.' })
  async installed(
    @Parent() { brandId, uid }: Device,
    @Context() { loaders }: AdminContext,
  ): Promise<InstalledSnapType[]> {
    const [row] = await loaders.factsOfDevice.load({ brandId, id: uid });
    return toInstalledSnaps(row?.facts);
  }

  @ResolveField(() => [DeviceProgressType], {
    description: 'How far it came with the targets of rollouts, newest first.',
  })
  async progress(@Parent() { brandId, uid }: Device): Promise<DeviceProgressType[]> {
    return (await this.signals.ofDevice(brandId, uid)).map(toDeviceProgress);
  }

  @ResolveField(() => Instant, { nullable: true })
  async seenAt(
    @Parent() { brandId, uid }: Device,
    @Context() { loaders }: AdminContext,
  ): Promise<Date | null> {
    const [row] = await loaders.factsOfDevice.load({ brandId, id: uid });
    return row?.seenAt ?? null;
  }
}
