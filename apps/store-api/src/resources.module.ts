import { type DynamicModule, Global, Module } from '@nestjs/common';
import type { Resources } from '#libs/operations';
import { createMetrics, type Metrics } from '#libs/runtime';
import { METRICS, RESOURCES } from './resources.js';

/** Hands the process's `Resources` and `Metrics` to every surface. */
@Global()
@Module({})
export class ResourcesModule {
  static with(resources: Resources, metrics: Metrics = createMetrics('store-api')): DynamicModule {
    const providers = [
      { provide: RESOURCES, useValue: resources },
      { provide: METRICS, useValue: metrics },
    ];
    return { module: ResourcesModule, providers, exports: [RESOURCES, METRICS] };
  }
}
