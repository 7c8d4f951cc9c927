import { findXdelta3, openResources } from '#libs/operations';
import { runApp } from '#libs/runtime';
import { workerConfig } from './config.js';
import { Dispatcher } from './dispatcher.js';
import { makeHandlers } from './handlers.js';
import { OutboxRelay } from './outbox-relay.js';
import { Reconciler } from './reconciler.js';
import { startQueue } from './start-queue.js';

await runApp({
  name: 'worker',
  schema: workerConfig,
  build: async (ground) => {
    const { config, secrets, logger, metrics, shutdown } = ground;
    const xdelta3 = config.XDELTA3 ?? findXdelta3();
    if (xdelta3 === undefined) logger.info('no xdelta3 on PATH: no deltas are made');
    const resources = await openResources(
      {
        ...config,
        XDELTA3: xdelta3,
        DATABASE_URL: secrets.DATABASE_URL.reveal(),
        BLOBS_SECRET: secrets.BLOBS_SECRET.reveal(),
        S3_ACCESS_KEY: secrets.S3_ACCESS_KEY.reveal(),
        S3_SECRET_KEY: secrets.S3_SECRET_KEY.reveal(),
      },
      {
        name: 'worker',
        poolSize: 15,
        alarm: ground.alarm,
        onTrouble: (err) => logger.error({ err }, 'the signer process is in trouble'),
        opened: (what, close) => shutdown.add(what, close),
      },
    );
    ground.addCheck({ name: 'database', check: () => resources.db.ping() });
    const handlers = makeHandlers(resources, logger);
    const dispatcher = new Dispatcher(handlers, logger);
    const queue = await startQueue({
      redisUrl: secrets.REDIS_URL?.reveal(),
      pgUrl: secrets.DATABASE_URL.reveal(),
      handlers,
      dispatcher,
      logger,
      metrics,
    });
    shutdown.add('queue', () => queue.close());
    ground.addCheck({ name: 'queue', check: () => queue.check() });
    const relay = new OutboxRelay(resources.db, dispatcher, logger);
    relay.start();
    shutdown.add('outbox relay', () => relay.stop());
    const reconciler = new Reconciler(resources, dispatcher, logger);
    reconciler.start();
    shutdown.add('reconciler', () => reconciler.stop());
    return [];
  },
});
