import { Inject, Module, type FactoryProvider } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { GraphQLModule } from '@nestjs/graphql';
import { MercuriusDriver, type MercuriusDriverConfig } from '@nestjs/mercurius';
import type { FastifyInstance } from 'fastify';
import {
  ApiTokenService,
  CredentialsService,
  ApprovalSettingsService,
  AuditService,
  BrakeService,
  BrandAssertionService,
  BrandReader,
  BrandService,
  CategoryService,
  CollaboratorService,
  DecisionLog,
  EventFeed,
  EventReader,
  ExplanationService,
  DeclarationService,
  FactsBuffer,
  RollbackService,
  GateReportService,
  SignalBuffer,
  SignalService,
  ForeignRootService,
  ImageCheckService,
  ImportService,
  FleetService,
  InvitationService,
  InclusionService,
  FloorService,
  KeyRetirementService,
  KeyService,
  LaneService,
  MetadataService,
  ReviewQueueService,
  TrackService,
  LicenceService,
  ModelRegistry,
  ModelService,
  PeopleService,
  PreviewService,
  PriceService,
  RolloutFeed,
  RolloutFiguresService,
  RolloutApprovalService,
  RolloutControlService,
  PinService,
  RolloutService,
  ScheduleService,
  StrandedService,
  SecondFactorService,
  SessionService,
  SnapDiagnosisService,
  StandardModelService,
  StoreAssertionService,
  StoreContentService,
  StoreService,
  StoreKeyService,
  Sight,
  WebhookService,
  type Resources,
} from '#libs/operations';
import { AccessModule } from '../access/access.module.js';
import { DeviceServices } from '../device/device-services.js';
import { DeviceModule } from '../device/device.module.js';
import { RESOURCES } from '../resources.js';
import { prepareAdminSurface } from './admin-surface.js';
import { AuditExportController } from './journal/audit-export.controller.js';
import { InvitationController } from './people/invitation.controller.js';
import { graphqlOptions } from './graphql-options.js';
import { RESOLVERS } from './resolvers.js';
import { PlanSchemaController } from './rollouts/plan-schema.controller.js';

const SERVICES = [
  BrandAssertionService,
  ApiTokenService,
  CredentialsService,
  ApprovalSettingsService,
  AuditService,
  BrakeService,
  BrandReader,
  BrandService,
  CategoryService,
  CollaboratorService,
  EventReader,
  DeclarationService,
  FleetService,
  InvitationService,
  InclusionService,
  FloorService,
  KeyRetirementService,
  KeyService,
  LaneService,
  MetadataService,
  ReviewQueueService,
  TrackService,
  LicenceService,
  ModelRegistry,
  ModelService,
  PeopleService,
  PreviewService,
  PriceService,
  RollbackService,
  GateReportService,
  SignalService,
  RolloutFiguresService,
  RolloutApprovalService,
  RolloutControlService,
  PinService,
  RolloutService,
  ScheduleService,
  StrandedService,
  SecondFactorService,
  SessionService,
  StandardModelService,
  StoreAssertionService,
  StoreService,
  StoreKeyService,
  ForeignRootService,
  ImportService,
  Sight,
  WebhookService,
];

const provide = (Service: new (resources: Resources) => object): FactoryProvider => ({
  provide: Service,
  inject: [RESOURCES],
  useFactory: (resources: Resources) => new Service(resources),
});

/** What the brand's people use (decisions 25): GraphQL on the store's own port. */
@Module({
  imports: [
    AccessModule,
    DeviceModule,
    GraphQLModule.forRootAsync<MercuriusDriverConfig>({
      driver: MercuriusDriver,
      inject: [RESOURCES],
      useFactory: graphqlOptions,
    }),
  ],
  controllers: [AuditExportController, InvitationController, PlanSchemaController],
  providers: [
    ...RESOLVERS,
    ...SERVICES.map(provide),
    {
      // With the policies that polls are answered by, which are in memory.
      provide: ExplanationService,
      inject: [DeviceServices],
      useFactory: ({ explanations }: DeviceServices) => explanations,
    },
    {
      provide: EventFeed,
      inject: [RESOURCES],
      useFactory: (resources: Resources) => new EventFeed(resources),
    },
    {
      provide: RolloutFeed,
      inject: [RESOURCES, EventFeed],
      useFactory: (resources: Resources, events: EventFeed) => new RolloutFeed(resources, events),
    },
    {
      provide: DecisionLog,
      inject: [DeviceServices],
      useFactory: ({ decisionLog }: DeviceServices) => decisionLog,
    },
    {
      provide: ImageCheckService,
      inject: [DeviceServices],
      useFactory: ({ imageChecks }: DeviceServices) => imageChecks,
    },
    {
      provide: SnapDiagnosisService,
      inject: [DeviceServices],
      useFactory: ({ resources, policies }: DeviceServices) =>
        new SnapDiagnosisService(resources, policies),
    },
    {
      provide: StoreContentService,
      inject: [DeviceServices],
      useFactory: ({ resources, policies }: DeviceServices) =>
        new StoreContentService(resources, policies),
    },
    {
      provide: FactsBuffer,
      inject: [DeviceServices],
      useFactory: ({ facts }: DeviceServices) => facts,
    },
    {
      provide: SignalBuffer,
      inject: [DeviceServices],
      useFactory: ({ observations }: DeviceServices) => observations,
    },
  ],
})
export class AdminModule {
  constructor(@Inject(HttpAdapterHost) host: HttpAdapterHost) {
    prepareAdminSurface(host.httpAdapter.getInstance<FastifyInstance>());
  }
}
