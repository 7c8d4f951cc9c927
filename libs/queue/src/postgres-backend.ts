import {
  createPostgresBackend,
  type PostgresConnectionOptions,
  runMigrations,
  withBackend,
} from 'bullmq';
import pg from 'pg';
import type { BullBackend } from './bull.js';
import { LANES } from './job-contract.js';

const SCHEMA = 'bullmq';
const bull = withBackend(createPostgresBackend);

/**
 * Jobs in the schema `bullmq` of our own database: the default where no Redis is given. The role of `url` must be allowed to
 * create tables in that schema. Good for some hundred jobs a second (local-stack.md 4.3).
 */
export function postgresBackend(url: string, onError: (error: unknown) => void): BullBackend {
  // One pool for all: each worker keeps a connection for LISTEN and needs others for its running jobs' bookkeeping.
  const lanes = Object.values(LANES);
  const max = 4 + lanes.length + lanes.reduce((sum, lane) => sum + lane.concurrency, 0);
  const pool = new pg.Pool({
    connectionString: url,
    max,
    options: `-c search_path=${SCHEMA}`,
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
  });
  pool.setMaxListeners(0); // every queue and worker listens for its errors
  pool.on('error', onError);
  // BullMQ describes pg.Pool in types of its own, which leave out overloads of `on`.
  const connection = pool as unknown as PostgresConnectionOptions;
  return {
    kind: 'postgres',
    prepare: async () => {
      const client = await pool.connect();
      try {
        await runMigrations(await withoutNeedlessCreate(client), SCHEMA);
      } finally {
        client.release();
      }
    },
    queue: (lane) => new bull.Queue(lane, { connection }),
    worker: (lane, processor, options) =>
      new bull.Worker(lane, processor, { connection, ...options }),
    close: () => pool.end(),
  };
}

type Queryable = Parameters<typeof runMigrations>[0];

/**
 * BullMQ sends CREATE SCHEMA IF NOT EXISTS, which Postgres refuses to a role without CREATE on the database even when the
 * schema exists; our owner makes the schema and the worker's role has no such right (decisions 4).
 */
async function withoutNeedlessCreate(client: pg.PoolClient): Promise<Queryable> {
  const { rowCount } = await client.query('SELECT 1 FROM pg_namespace WHERE nspname = $1', [
    SCHEMA,
  ]);
  if (!rowCount) return client;
  return {
    query: (text, params) =>
      text.startsWith('CREATE SCHEMA')
        ? Promise.resolve({ rows: [] })
        : (client as Queryable).query(text, params),
  };
}
