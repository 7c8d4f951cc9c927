import { Client } from 'pg';
import { dataSource, type Room } from './database.js';

/** What every schema stands on: the schemas themselves and the one clock of SQL (decisions 19). */
const FOUNDATION = `
  SET lock_timeout = '4s';
  CREATE SCHEMA IF NOT EXISTS app;
  CREATE SCHEMA IF NOT EXISTS store;
  CREATE SCHEMA IF NOT EXISTS vault;
  -- BullMQ's Postgres backend makes its own tables there, as the worker.
  CREATE SCHEMA IF NOT EXISTS bullmq;
  DO $$ BEGIN
    EXECUTE format('GRANT ALL ON SCHEMA bullmq TO %I', regexp_replace(current_user, '_owner$', '_worker'));
  END $$;
  CREATE TABLE IF NOT EXISTS app.clock (
    id int PRIMARY KEY DEFAULT 1 CHECK (id = 1),
    shift interval NOT NULL DEFAULT '0'
  );
  INSERT INTO app.clock DEFAULT VALUES ON CONFLICT DO NOTHING;
  CREATE OR REPLACE FUNCTION app.now() RETURNS timestamptz LANGUAGE sql STABLE
    AS 'SELECT statement_timestamp() + shift FROM app.clock';
  -- CASE: the planner takes it for half of the rows. "IN" it takes for one of a hundred, and joins a fleet row by row.
  CREATE OR REPLACE FUNCTION app.sees(brand text) RETURNS boolean LANGUAGE sql STABLE
    AS $$ SELECT CASE current_setting('app.brand', true) WHEN '*' THEN true WHEN brand THEN true ELSE false END $$;
  GRANT USAGE ON SCHEMA app TO PUBLIC;
  GRANT SELECT ON app.clock TO PUBLIC;
`;

/** Brings both rooms of the database to the newest migration; returns the names of those that ran. */
export async function migrate(ownerUrl: string): Promise<string[]> {
  const client = new Client({ connectionString: ownerUrl });
  await client.connect();
  try {
    await client.query(`SELECT pg_advisory_lock(hashtext('brandstore migrate'))`);
    await client.query(FOUNDATION);
    const ran: string[] = [];
    for (const room of ['store', 'vault'] as const)
      ran.push(...(await migrateRoom(ownerUrl, room)));
    return ran;
  } finally {
    await client.end();
  }
}

async function migrateRoom(url: string, room: Room): Promise<string[]> {
  const source = await dataSource({ url, room, applicationName: 'migrate' }).initialize();
  try {
    return (await source.runMigrations()).map(({ name }) => name);
  } finally {
    await source.destroy();
  }
}

/** Takes every migration of both rooms back, newest first. */
export async function migrateDown(ownerUrl: string): Promise<void> {
  for (const room of ['vault', 'store'] as const) {
    const source = await dataSource({
      url: ownerUrl,
      room,
      applicationName: 'migrate',
    }).initialize();
    try {
      const done = await source.query<unknown[]>(`SELECT 1 FROM ${room}.migrations`);
      for (let left = done.length; left > 0; left--) await source.undoLastMigration();
    } finally {
      await source.destroy();
    }
  }
}

/** The statements that would bring the tables to what the entities say: empty when nothing drifted. */
export async function drift(ownerUrl: string, room: Room): Promise<string[]> {
  const source = await dataSource({ url: ownerUrl, room, applicationName: 'drift' }).initialize();
  try {
    const { upQueries } = await source.driver.createSchemaBuilder().log();
    return upQueries.map(({ query }) => query);
  } finally {
    await source.destroy();
  }
}

/** Moves `app.now()`: for tests and simulations, and only as the owner. */
export async function shiftClock(ownerUrl: string, milliseconds: number): Promise<void> {
  const client = new Client({ connectionString: ownerUrl });
  await client.connect();
  try {
    await client.query(
      `UPDATE app.clock SET shift = $1::double precision * interval '1 millisecond'`,
      [milliseconds],
    );
    await client.query(`NOTIFY clock`);
  } finally {
    await client.end();
  }
}
