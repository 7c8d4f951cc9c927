import { Inject, Module, type FactoryProvider, type NestModule } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { MEDIA_TYPE } from '#libs/assertions';
import multipart from '@fastify/multipart';
import type { FastifyInstance } from 'fastify';
import {
  BlobIntakeService,
  BrandAssertionService,
  ConfdbSchemaService,
  ChannelService,
  InstalledBase,
  KeyService,
  MetadataService,
  NameService,
  ReleaseService,
  SnapDirectory,
  UploadService,
  ValidationService,
  ValidationSetService,
  type Resources,
} from '#libs/operations';
import { AccessModule } from '../access/access.module.js';
import { RESOURCES } from '../resources.js';
import { AccountController } from './account/account.controller.js';
import { BinaryMetadataController } from './account/binary-metadata.controller.js';
import { ConfdbSchemaController } from './sets/confdb-schema.controller.js';
import { MetricsController } from './sets/metrics.controller.js';
import { ValidationController } from './sets/validation.controller.js';
import { ValidationSetController } from './sets/validation-set.controller.js';
import { MetadataController } from './account/metadata.controller.js';
import { ChannelController } from './channels/channel.controller.js';
import { ReleaseController } from './channels/release.controller.js';
import { LoginController } from './login/login.controller.js';
import { WhoamiController } from './login/whoami.controller.js';
import { NotFoundController } from './not-found.controller.js';
import { shapePublisherRoutes } from './publisher-routes.js';
import { BuildController } from './uploads/build.controller.js';
import { BlobController } from './uploads/blob.controller.js';
import { PushController } from './uploads/push.controller.js';

const SERVICES = [
  BlobIntakeService,
  BrandAssertionService,
  ConfdbSchemaService,
  ChannelService,
  InstalledBase,
  KeyService,
  MetadataService,
  NameService,
  ReleaseService,
  SnapDirectory,
  UploadService,
  ValidationService,
  ValidationSetService,
];

const provide = (Service: new (resources: Resources) => object): FactoryProvider => ({
  provide: Service,
  inject: [RESOURCES],
  useFactory: (resources: Resources) => new Service(resources),
});

/** What `snapcraft` and its library call (publisher-api.md), in the mode where the store is its own login service. */
@Module({
  imports: [AccessModule],
  controllers: [
    LoginController,
    WhoamiController,
    AccountController,
    MetadataController,
    BinaryMetadataController,
    MetricsController,
    ValidationSetController,
    ValidationController,
    ConfdbSchemaController,
    BlobController,
    PushController,
    BuildController,
    ReleaseController,
    ChannelController,
    NotFoundController,
  ],
  providers: SERVICES.map(provide),
})
export class PublisherModule implements NestModule {
  constructor(
    @Inject(HttpAdapterHost) private readonly host: HttpAdapterHost,
    @Inject(RESOURCES) private readonly resources: Resources,
  ) {}

  /** Nest calls this before it registers routes. */
  configure(): void {
    const fastify = this.host.httpAdapter.getInstance<FastifyInstance>();
    if (!fastify.hasRequestDecorator('isMultipart')) void fastify.register(multipart);
    if (!fastify.hasContentTypeParser(MEDIA_TYPE))
      // Signed bytes stay as they came.
      fastify.addContentTypeParser(MEDIA_TYPE, { parseAs: 'buffer' }, (_request, body, done) =>
        done(null, body),
      );
    shapePublisherRoutes(fastify, this.resources.settings.routeTimeoutMs);
  }
}
