import type { Server } from 'node:http';
import { Module } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import type { Resources } from '#libs/operations';
import type { Metrics } from '#libs/runtime';
import { AccessModule } from '../access/access.module.js';
import { METRICS, RESOURCES } from '../resources.js';
import { AssertionsController } from './assertions/assertions.controller.js';
import { CatalogueController } from './catalogue/catalogue.controller.js';
import { IconsController } from './catalogue/icons.controller.js';
import { NothingController } from './catalogue/nothing.controller.js';
import { CohortsController } from './cohorts/cohorts.controller.js';
import { DeviceServices } from './device-services.js';
import { prepareDeviceSurface } from './device-surface.js';
import { BlobsController } from './downloads/blobs.controller.js';
import { DownloadsController } from './downloads/downloads.controller.js';
import { LoadGuard } from './load/load-guard.js';
import { StandardModelsController } from './models/standard-models.controller.js';
import { RefreshController } from './refresh/refresh.controller.js';
import { RegistrationController } from './registration/registration.controller.js';
import { VaultDevicesController } from './registration/vault-devices.controller.js';
import { VaultEventsController } from './registration/vault-events.controller.js';
import { VaultModelsController } from './registration/vault-models.controller.js';
import { SessionsController } from './sessions/sessions.controller.js';
import { StatusController } from './status/status.controller.js';

/** What snapd calls (device-api.md). */
@Module({
  imports: [AccessModule],
  controllers: [
    RefreshController,
    AssertionsController,
    CatalogueController,
    IconsController,
    NothingController,
    SessionsController,
    CohortsController,
    DownloadsController,
    BlobsController,
    RegistrationController,
    VaultDevicesController,
    VaultEventsController,
    VaultModelsController,
    StandardModelsController,
    StatusController,
  ],
  providers: [
    {
      provide: DeviceServices,
      useFactory: async (resources: Resources, metrics: Metrics) => {
        const services = await DeviceServices.start(resources);
        services.showBacklog(metrics);
        return services;
      },
      inject: [RESOURCES, METRICS],
    },
    {
      provide: LoadGuard,
      useFactory: (host: HttpAdapterHost, { settings }: Resources, metrics: Metrics) =>
        LoadGuard.start(host.httpAdapter.getHttpServer() as Server, settings, metrics),
      inject: [HttpAdapterHost, RESOURCES, METRICS],
    },
  ],
  exports: [DeviceServices],
})
export class DeviceModule {
  constructor(host: HttpAdapterHost) {
    prepareDeviceSurface(host.httpAdapter.getInstance<FastifyInstance>());
  }
}
