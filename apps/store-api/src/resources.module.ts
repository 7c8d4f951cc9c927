import { type DynamicModule, Global, Module } from '@nestjs/common';
import type { Resources } from '#libs/operations';
import { RESOURCES } from './resources.js';

/** Hands the process's `Resources` to every surface. */
@Global()
@Module({})
export class ResourcesModule {
  static with(resources: Resources): DynamicModule {
    return {
      module: ResourcesModule,
      providers: [{ provide: RESOURCES, useValue: resources }],
      exports: [RESOURCES],
    };
  }
}
