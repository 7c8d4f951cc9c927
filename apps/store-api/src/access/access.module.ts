import { Inject, Module, type FactoryProvider } from '@nestjs/common';
import { APP_GUARD, HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import {
  PublisherLoginService,
  SignInService,
  SubjectFinder,
  type Resources,
} from '#libs/operations';
import { requireRouteRules } from '#libs/runtime';
import { RESOURCES } from '../resources.js';
import { AccessGuard } from './access.guard.js';
import { ROUTES } from './routes.js';

const SERVICES = [PublisherLoginService, SignInService, SubjectFinder];

const provide = (Service: new (resources: Resources) => object): FactoryProvider => ({
  provide: Service,
  inject: [RESOURCES],
  useFactory: (resources: Resources) => new Service(resources),
});

/** Every surface imports it: no route is served without a rule, and none is called against it. */
@Module({
  providers: [...SERVICES.map(provide), { provide: APP_GUARD, useClass: AccessGuard }],
  exports: SERVICES,
})
export class AccessModule {
  constructor(@Inject(HttpAdapterHost) host: HttpAdapterHost) {
    requireRouteRules(host.httpAdapter.getInstance<FastifyInstance>(), ROUTES);
  }
}
