import { type DynamicModule, Inject, Module } from '@nestjs/common';
import { APP_INTERCEPTOR, HttpAdapterHost } from '@nestjs/core';
import { GraphQLModule } from '@nestjs/graphql';
import type { MercuriusDriverConfig } from '@nestjs/mercurius';
import type { FastifyInstance } from 'fastify';
import { requireRouteRules } from '#libs/runtime';
import { ApiKeyService } from './administration/api-key.service.js';
import { BrandService } from './administration/brand.service.js';
import { DeviceReturnService } from './administration/device-return.service.js';
import { DeviceService } from './administration/device.service.js';
import { EnrolmentService } from './administration/enrolment.service.js';
import { JournalService } from './administration/journal.service.js';
import { LineService } from './administration/line.service.js';
import { LoginService } from './administration/login.service.js';
import { MasterKeyService } from './administration/master-key.service.js';
import { MemberService } from './administration/member.service.js';
import { ModelService } from './administration/model.service.js';
import { OidcLoginService } from './administration/oidc-login.service.js';
import { OrderService } from './administration/order.service.js';
import { RegistryPull } from './registry/registry-pull.js';
import { SecondFactorService } from './administration/second-factor.service.js';
import { SigningKeyService } from './administration/signing-key.service.js';
import { SystemUserService } from './administration/system-user.service.js';
import { TokenService } from './administration/token.service.js';
import { FieldGate } from './graphql/field-gate.js';
import { graphqlOptions } from './graphql/graphql.options.js';
import { RESOLVERS } from './graphql/resolvers.js';
import { ROUTES } from './http/routes.js';
import { VAULT_RESOURCES, type VaultResources } from './resources.js';

const SERVICES = [
  ApiKeyService,
  BrandService,
  DeviceReturnService,
  DeviceService,
  EnrolmentService,
  JournalService,
  LineService,
  LoginService,
  MasterKeyService,
  MemberService,
  ModelService,
  OidcLoginService,
  OrderService,
  RegistryPull,
  SecondFactorService,
  SigningKeyService,
  SystemUserService,
  TokenService,
];

/** The administration; what devices call stands beside it, without Nest (`http/device-surface.ts`). */
@Module({})
export class VaultModule {
  constructor(@Inject(HttpAdapterHost) host: HttpAdapterHost) {
    requireRouteRules(host.httpAdapter.getInstance<FastifyInstance>(), ROUTES);
  }

  static with(resources: VaultResources): DynamicModule {
    return {
      module: VaultModule,
      imports: [GraphQLModule.forRoot<MercuriusDriverConfig>(graphqlOptions(resources))],
      providers: [
        { provide: VAULT_RESOURCES, useValue: resources },
        ...SERVICES.map((service) => ({
          provide: service,
          useFactory: () => new service(resources),
        })),
        { provide: APP_INTERCEPTOR, useClass: FieldGate },
        ...RESOLVERS,
      ],
    };
  }
}
