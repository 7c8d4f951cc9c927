import 'reflect-metadata';
import { openResources } from '#libs/operations';
import { runApp } from '#libs/runtime';
import { AppModule } from './app.module.js';
import { storeApiConfig } from './config.js';
import { DeviceServices } from './device/device-services.js';

/** Refresh bodies grow with the installed snaps (device-api.md 3.5); uploads stream past this limit. */
const BODY_LIMIT_BYTES = 4 * 1024 * 1024;

await runApp({
  name: 'store-api',
  schema: storeApiConfig,
  build: async ({ config, secrets, logger, shutdown, ...ground }) => {
    const resources = await openResources(
      {
        ...config,
        DATABASE_URL: secrets.DATABASE_URL.reveal(),
        BLOBS_SECRET: secrets.BLOBS_SECRET.reveal(),
        S3_ACCESS_KEY: secrets.S3_ACCESS_KEY.reveal(),
        S3_SECRET_KEY: secrets.S3_SECRET_KEY.reveal(),
      },
      {
        name: 'store-api',
        poolSize: 20,
        alarm: ground.alarm,
        onTrouble: (err) => logger.error({ err }, 'the signer process is in trouble'),
        opened: (what, close) => shutdown.add(what, close),
      },
    );
    return [
      {
        name: 'http',
        module: AppModule.with(resources, ground.metrics),
        port: config.PORT,
        bodyLimitBytes: BODY_LIMIT_BYTES,
        publicUrl: config.PUBLIC_URL,
        prepare: (app) => {
          // Not the database: without it polls are answered from what is held (update-control.md 2.6, 3.3).
          const { policies } = app.get(DeviceServices, { strict: false });
          ground.addCheck({ name: 'policy', check: async () => policies.assertInTouch() });
        },
      },
    ];
  },
});
