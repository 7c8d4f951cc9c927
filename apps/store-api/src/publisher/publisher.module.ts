import { Inject, Module, type FactoryProvider, type NestModule } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import multipart from '@fastify/multipart';
import type { FastifyInstance } from 'fastify';
import {
  BlobIntakeService,
  ChannelService,
  KeyService,
  MetadataService,
  NameService,
  ReleaseService,
  SnapDirectory,
  UploadService,
  type Resources,
} from '#libs/operations';
import { AccessModule } from '../access/access.module.js';
import { RESOURCES } from '../resources.js';
import { AccountController } from './account/account.controller.js';
import { MetadataController } from './account/metadata.controller.js';
import { ChannelController } from './channels/channel.controller.js';
import { ReleaseController } from './channels/release.controller.js';
import { LoginController } from './login/login.controller.js';
import { WhoamiController } from './login/whoami.controller.js';
import { NotFoundController } from './not-found.controller.js';
import { shapePublisherRoutes } from './publisher-routes.js';
import { BlobController } from './uploads/blob.controller.js';
import { PushController } from './uploads/push.controller.js';

const SERVICES = [
  BlobIntakeService,
  ChannelService,
  KeyService,
  MetadataService,
  NameService,
  ReleaseService,
  SnapDirectory,
  UploadService,
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
    BlobController,
    PushController,
    ReleaseController,
    ChannelController,
    NotFoundController,
  ],
  providers: SERVICES.map(provide),
})
export class PublisherModule implements NestModule {
  constructor(@Inject(HttpAdapterHost) private readonly host: HttpAdapterHost) {}

  /** Nest calls this before it registers routes. */
  configure(): void {
    const fastify = this.host.httpAdapter.getInstance<FastifyInstance>();
    if (!fastify.hasRequestDecorator('isMultipart')) void fastify.register(multipart);
    shapePublisherRoutes(fastify);
  }
}
