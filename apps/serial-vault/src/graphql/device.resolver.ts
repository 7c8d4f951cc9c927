import { Inject } from '@nestjs/common';
import { Args, ID, Int, Mutation, Query, Resolver } from '@nestjs/graphql';
import type { PendingState, VaultDevice, VaultPending } from '#libs/database';
import { DeviceReturnService } from '../administration/device-return.service.js';
import { DeviceService } from '../administration/device.service.js';
import { LineService, type LineState } from '../administration/line.service.js';
import type { VaultPrincipal } from '../administration/token.service.js';
import { wouldSign, type DryRun } from '../registration/dry-run.js';
import { VAULT_RESOURCES, type VaultResources } from '../resources.js';
import { Who } from './context.js';
import {
  DevicePageType,
  DeviceResult,
  DeviceType,
  DryRunType,
  LineStateType,
  PendingResult,
  PendingStateEnum,
  PendingType,
} from './device.type.js';
import { DEFAULT_PAGE, nextDeviceCursor, pageSize, readDeviceCursor } from './paging.js';

const toDevice = ({ bytes, ...device }: VaultDevice): DeviceType => ({
  ...device,
  assertion: bytes?.toString() ?? null,
});

/** Single devices: what they hold, and what people decide of them. */
@Resolver()
export class DeviceResolver {
  constructor(
    private readonly devices: DeviceService,
    private readonly returns: DeviceReturnService,
    private readonly line: LineService,
    @Inject(VAULT_RESOURCES) private readonly resources: VaultResources,
  ) {}

  @Query(() => DevicePageType, { description: 'By model and serial.' })
  async serials(
    @Args('brand', { type: () => ID }) brand: string,
    @Args('model', { type: () => ID, nullable: true }) model?: string,
    @Args('cursor', { type: () => String, nullable: true }) cursor?: string,
    @Args('pageSize', { type: () => Int, defaultValue: DEFAULT_PAGE }) size = DEFAULT_PAGE,
  ): Promise<DevicePageType> {
    const limit = pageSize(size);
    const rows = await this.devices.list(brand, {
      limit,
      model: model ?? undefined,
      after: readDeviceCursor(cursor ?? undefined),
    });
    return { items: rows.map(toDevice), nextCursor: nextDeviceCursor(rows, limit) };
  }

  @Query(() => DeviceType, { nullable: true })
  async device(
    @Args('brand', { type: () => ID }) brand: string,
    @Args('model', { type: () => ID }) model: string,
    @Args('serial', { type: () => ID }) serial: string,
  ): Promise<DeviceType | null> {
    const device = await this.devices.find(brand, model, serial);
    return device && toDevice(device);
  }

  @Query(() => [PendingType], { description: 'The approval queue; by default what waits.' })
  pending(
    @Args('brand', { type: () => ID }) brand: string,
    @Args('state', { type: () => PendingStateEnum, nullable: true, defaultValue: 'waiting' })
    state: PendingState | null,
  ): Promise<VaultPending[]> {
    return this.devices.pending(brand, state);
  }

  @Query(() => DryRunType, {
    description: 'Would this serial be signed, and if not why; signs nothing.',
  })
  wouldSign(
    @Args('brand', { type: () => ID }) brandId: string,
    @Args('model', { type: () => ID }) model: string,
    @Args('serial') serial: string,
    @Args('deviceKeyId', { type: () => ID, nullable: true }) deviceKeyId?: string,
  ): Promise<DryRun> {
    return wouldSign(this.resources, {
      brandId,
      model,
      serial,
      deviceKeyId: deviceKeyId ?? undefined,
    });
  }

  @Query(() => [LineStateType], {
    description: 'Go or no go for each serial, at most 500; asks the store.',
  })
  lineStates(
    @Args('brand', { type: () => ID }) brand: string,
    @Args('model', { type: () => ID }) model: string,
    @Args('serials', { type: () => [ID] }) serials: string[],
  ): Promise<LineState[]> {
    return this.line.states(brand, model, serials);
  }

  @Mutation(() => PendingResult, { description: 'The serial goes to the new device key.' })
  approveRequest(
    @Who() who: VaultPrincipal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('id', { type: () => ID }) id: string,
    @Args('reason', { defaultValue: '' }) reason: string,
  ): Promise<VaultPending> {
    return this.devices.approve(who, brand, id, reason);
  }

  @Mutation(() => PendingResult, { description: 'The new device key never gets the serial.' })
  refuseRequest(
    @Who() who: VaultPrincipal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('id', { type: () => ID }) id: string,
    @Args('reason', { defaultValue: '' }) reason: string,
  ): Promise<VaultPending> {
    return this.devices.refuse(who, brand, id, reason);
  }

  @Mutation(() => DeviceResult, {
    description: 'The store ends the sessions of the device, at once.',
  })
  async revokeDevice(
    @Who() who: VaultPrincipal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('model', { type: () => ID }) model: string,
    @Args('serial', { type: () => ID }) serial: string,
    @Args('reason') reason: string,
  ): Promise<DeviceType> {
    return toDevice(await this.devices.revoke(who, brand, model, serial, reason));
  }

  @Mutation(() => DeviceResult, { description: 'Takes a revocation back.' })
  async restoreDevice(
    @Who() who: VaultPrincipal,
    @Args('brand', { type: () => ID }) brandId: string,
    @Args('model', { type: () => ID }) model: string,
    @Args('serial', { type: () => ID }) serial: string,
    @Args('reason') reason: string,
  ): Promise<DeviceType> {
    return toDevice(await this.returns.restore(who, { brandId, model, serial }, reason));
  }

  @Mutation(() => DeviceResult, {
    description: 'The old serial ends; tags, fleets, pins and holds go to the new one.',
  })
  async swapBoard(
    @Who() who: VaultPrincipal,
    @Args('brand', { type: () => ID }) brandId: string,
    @Args('model', { type: () => ID }) model: string,
    @Args('serial', { type: () => ID }) serial: string,
    @Args('newSerial', { type: () => ID }) newSerial: string,
    @Args('reason') reason: string,
  ): Promise<DeviceType> {
    return toDevice(await this.returns.swap(who, { brandId, model, serial }, newSerial, reason));
  }
}
