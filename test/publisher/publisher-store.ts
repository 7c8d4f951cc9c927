import 'reflect-metadata';
import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Client } from 'pg';
import { inject } from 'vitest';
import {
  Database,
  dropDatabase,
  markDelivered,
  shiftClock,
  takeFromOutbox,
  type Account,
  type Role,
} from '#libs/database';
import { createMasterKeyFile } from '#libs/keyring';
import {
  BrandService,
  initialise,
  openStoreKeys,
  PeopleService,
  type Principal,
  type Resources,
} from '#libs/operations';
import { jobs, parsePayload } from '#libs/queue';
import { createLogger, fastifyOptions } from '#libs/runtime';
import { FileBlobStore } from '#libs/storage';
import { freePort } from '#stack';
import { PublisherModule } from '../../apps/store-api/src/publisher/publisher.module.js';
import { ResourcesModule } from '../../apps/store-api/src/resources.module.js';
import { reviewUploadProcessor } from '../../apps/worker/src/review-upload.processor.js';
import { freshDatabase } from '../support/databases.js';

export const PASSWORD = 'correct horse battery';

/** The publisher surface over real Postgres, a real signer process and real files, on a port of its own. */
export interface PublisherStore {
  readonly url: string;
  readonly resources: Resources;
  readonly operator: Principal;
  readonly blobDir: string;
  readonly logLines: readonly string[];
  readonly app: NestFastifyApplication;
  /** The same surfaces once more on a port of their own, on the same data with other settings; gives their URL. */
  addProcess(settings: Partial<Resources['settings']>): Promise<string>;
  addBrand(username: string): Promise<Account>;
  addPerson(brandId: string, email: string, roles: readonly Role[]): Promise<string>;
  /** What relay and worker do, here and now: runs every review that the outbox asks for; returns how many. */
  drainReviews(): Promise<number>;
  /** Moves the one clock (decisions 19). */
  shiftClock(milliseconds: number): Promise<void>;
  /** SQL as the owner of the tables, for states that no surface leads to. */
  asOwner(sql: string, values: readonly unknown[]): Promise<void>;
  stop(): Promise<void>;
}

export interface PublisherStoreOptions {
  /** Others may be served besides. */
  readonly surfaces?: readonly Type[];
  readonly downloads?: 'redirect' | 'stream';
}

export async function startPublisherStore({
  surfaces = [PublisherModule],
  downloads = 'stream',
}: PublisherStoreOptions = {}): Promise<PublisherStore> {
  const { database, adminUrl, urls } = await freshDatabase('publisher');
  const dir = join(inject('stackDir'), database);
  mkdirSync(dir, { recursive: true });
  const db = await Database.open({ url: urls.store, room: 'store', applicationName: 'test' });
  const masterKeyFile = join(dir, 'master');
  await createMasterKeyFile(masterKeyFile);
  const names = { username: 'operator', displayName: 'Operator', operatorEmail: 'op@acme.test' };
  const files = {
    rootKeyFile: join(dir, 'root'),
    trustedFile: join(dir, 'trusted'),
    masterKeyFile,
  };
  await initialise({ db, ...names, ...files, keyBits: 2048 }, async () => {});
  const keys = await openStoreKeys({ db, masterKeyFile });
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const blobDir = join(dir, 'blobs');
  const blobsSecret = 'of this run';
  const blobs = new FileBlobStore(blobDir, { baseUrl: url, secret: blobsSecret });
  const settings = { publicUrl: url, downloads, secret: randomBytes(32), blobsSecret } as const;
  const resources: Resources = { db, blobs, keys, settings };
  const { app, logLines } = await listen(resources, port, surfaces);
  const twins: NestFastifyApplication[] = [];
  const operator: Principal = {
    kind: 'session',
    tokenId: '',
    personId: '00000000-0000-4000-8000-000000000000',
    email: names.operatorEmail,
    displayName: 'Operator',
    isOperator: true,
    grants: new Map(),
  };
  const brands = new BrandService(resources);
  const people = new PeopleService(resources);
  return {
    url,
    resources,
    operator,
    blobDir,
    logLines,
    app,
    addProcess: async (settings) => {
      const twinPort = await freePort();
      const twin = { ...resources, settings: { ...resources.settings, ...settings } };
      twins.push((await listen(twin, twinPort, surfaces)).app);
      return `http://127.0.0.1:${twinPort}`;
    },
    addBrand: (username) =>
      brands.create(operator, {
        username,
        displayName: username.toUpperCase(),
        validation: 'verified',
        firstStore: { name: `${username} main` },
      }),
    addPerson: async (brandId, email, roles) => {
      const order = { email, displayName: email, grants: roles.map((role) => ({ role })) };
      return (await people.add(operator, brandId, order, PASSWORD)).personId;
    },
    drainReviews: () => drainReviews(resources),
    shiftClock: async (milliseconds) => {
      await shiftClock(urls.owner, milliseconds);
      const isThere = () => Math.abs(db.clock.aheadMs - milliseconds) < 5_000;
      while (!isThere()) await new Promise((resolve) => setTimeout(resolve, 10));
    },
    asOwner: async (sql, values) => {
      const client = new Client({ connectionString: urls.owner });
      await client.connect();
      await client.query(sql, [...values]).finally(() => client.end());
    },
    stop: async () => {
      for (const one of [app, ...twins]) await one.close();
      await keys.close();
      await db.close();
      await dropDatabase(adminUrl, database);
    },
  };
}

async function listen(
  resources: Resources,
  port: number,
  surfaces: readonly Type[],
): Promise<{ app: NestFastifyApplication; logLines: string[] }> {
  const logLines: string[] = [];
  const destination = { write: (line: string) => void logLines.push(line) };
  const logger = createLogger({ name: 'test', level: 'trace', destination });
  const module = {
    module: class Root {},
    imports: [ResourcesModule.with(resources), ...surfaces],
  };
  const adapter = new FastifyAdapter(fastifyOptions(logger, { bodyLimitBytes: 4 * 1024 * 1024 }));
  const app = await NestFactory.create<NestFastifyApplication>(module, adapter, { logger: false });
  await app.listen(port, '127.0.0.1');
  return { app, logLines };
}

async function drainReviews(resources: Resources): Promise<number> {
  const handler = reviewUploadProcessor(resources);
  const rows = await resources.db.asSystem(async (tx) => {
    const taken = await takeFromOutbox(tx, 1000);
    await markDelivered(
      tx,
      taken.map(({ id }) => id),
    );
    return taken.filter(({ job }) => job === jobs.reviewUpload.name);
  });
  const run = { jobId: 'test', job: jobs.reviewUpload.name, attempt: 1, isLastAttempt: false };
  for (const { payload } of rows) await handler.run(parsePayload(jobs.reviewUpload, payload), run);
  return rows.length;
}
