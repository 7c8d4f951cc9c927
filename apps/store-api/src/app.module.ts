import { type DynamicModule, Module } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import type { Resources } from '#libs/operations';
import type { Metrics } from '#libs/runtime';
import { AdminModule } from './admin/admin.module.js';
import { DeviceModule } from './device/device.module.js';
import { FallbackFilter } from './fallback.filter.js';
import { PublisherModule } from './publisher/publisher.module.js';
import { ResourcesModule } from './resources.module.js';

/** The three surfaces of the store, each with its own guards and its own words for errors. */
@Module({})
export class AppModule {
  static with(resources: Resources, metrics?: Metrics): DynamicModule {
    return {
      module: AppModule,
      providers: [{ provide: APP_FILTER, useClass: FallbackFilter }],
      imports: [
        ResourcesModule.with(resources, metrics),
        DeviceModule,
        PublisherModule,
        AdminModule,
      ],
    };
  }
}
