import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DynamicModule, Type } from '@nestjs/common';
import { APP_FILTER, NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Client } from 'pg';
import { inject } from 'vitest';
import { localSigner, signAssertion, type Assertion, type Signer } from '#libs/assertions';
import { formatId } from '#libs/auth';
import {
  Account,
  Blob,
  BrandStore,
  Database,
  Installation,
  Lane,
  LaneEvent,
  Snap,
  SnapRevision,
  Upload,
  dropDatabase,
  type DatabaseUrls,
  type Risk,
} from '#libs/database';
import { CompilePolicyService, keepAssertion, timestamp, type Resources } from '#libs/operations';
import { createLogger, fastifyOptions } from '#libs/runtime';
import { FileBlobStore } from '#libs/storage';
import { freePort } from '#stack';
import { DeviceServices } from '../../../apps/store-api/src/device/device-services.js';
import { DeviceModule } from '../../../apps/store-api/src/device/device.module.js';
import { FallbackFilter } from '../../../apps/store-api/src/fallback.filter.js';
import { ResourcesModule } from '../../../apps/store-api/src/resources.module.js';
import { freshDatabase } from '../../support/databases.js';
import { cheapKey } from '../../../tools/clients/cheap-keys.js';

const SNAPS = join(import.meta.dirname, '../../snaps');

/** Small keys: what is tested is who signed, not how hard it is to forge. */
export const makeSigner = (): Signer => localSigner(cheapKey());

export interface TestBrand {
  readonly id: string;
  readonly storeId: string;
  readonly signer: Signer;
}

export interface TestSnap {
  readonly id: string;
  readonly name: string;
  readonly brand: TestBrand;
}

const adminUrl = (): string => inject('stackEnv')['DATABASE_URL'] ?? '';

async function asAdmin(sql: string): Promise<void> {
  const client = new Client({ connectionString: adminUrl() });
  await client.connect();
  await client.query(sql);
  await client.end();
}

class TestApp {
  static with(resources: Resources, surfaces: readonly Type[]): DynamicModule {
    return {
      module: TestApp,
      providers: [{ provide: APP_FILTER, useClass: FallbackFilter }],
      imports: [ResourcesModule.with(resources), ...surfaces],
    };
  }
}

/** What one process of a store serves, listening. */
async function serve(
  resources: Resources,
  surfaces: readonly Type[],
  port: number,
): Promise<NestFastifyApplication> {
  const logger = createLogger({
    name: 'device test',
    level: process.env['TEST_LOG'] ?? 'silent',
  });
  const { publicUrl } = resources.settings;
  const app = await NestFactory.create<NestFastifyApplication>(
    TestApp.with(resources, surfaces),
    new FastifyAdapter(fastifyOptions(logger, { publicUrl })),
    { logger: ['error', 'fatal'], abortOnError: false },
  );
  await app.listen(port, '127.0.0.1');
  return app;
}

/** One process more of the same store: what the others keep in memory it does not know. */
export interface StoreProcess {
  readonly url: string;
  readonly services: DeviceServices;
  stop(): Promise<void>;
}

/**
 * A store's device surface in this process: HTTP on a free port, real Postgres with a database of its own, real files. Rows
 * and assertions come from factories, signed by a root, a store key and brand keys as on day one (assertions.md 14).
 */
export class DeviceStore {
  private readonly rootSigner = makeSigner();
  private readonly storeSigner = makeSigner();
  readonly operatorAccountId = formatId(randomBytes(32));
  trusted: readonly Assertion[] = [];
  private rank = 0;

  private constructor(
    readonly url: string,
    readonly resources: Resources,
    readonly databaseUrls: DatabaseUrls,
    readonly app: NestFastifyApplication,
    private readonly database: string,
    /** The names of the alarms that were raised. */
    readonly alarms: readonly string[],
  ) {}

  /** `surfaces`: others that stand on the device surface may be served besides. */
  static async start(
    settings: Partial<Resources['settings']> = {},
    surfaces: readonly Type[] = [DeviceModule],
  ): Promise<DeviceStore> {
    const { database, urls: databaseUrls } = await freshDatabase('test');
    const port = await freePort();
    const { publicUrl = `http://127.0.0.1:${port}` } = settings;
    const blobsSecret = randomBytes(32).toString('base64');
    const dir = join(inject('stackDir'), database);
    mkdirSync(dir, { recursive: true });
    const alarms: string[] = [];
    const resources: Resources = {
      alarm: (name) => void alarms.push(name),
      db: await Database.open({
        url: databaseUrls.store,
        room: 'store',
        applicationName: 'device test',
      }),
      blobs: new FileBlobStore(dir, { baseUrl: publicUrl, secret: blobsSecret }),
      keys: {
        operatorAccountId: '',
        signer: () => Promise.reject(new Error('the device surface signs nothing')),
        generate: () => Promise.reject(new Error('the device surface makes no keys')),
      },
      settings: {
        publicUrl,
        downloads: 'redirect',
        secret: randomBytes(32),
        blobsSecret,
        ...settings,
      },
    };
    const app = await serve(resources, surfaces, port);
    const url = `http://127.0.0.1:${port}`;
    const store = new DeviceStore(url, resources, databaseUrls, app, database, alarms);
    await store.initialise();
    return store;
  }

  async stop(): Promise<void> {
    await this.app.close();
    await this.resources.db.close();
    await dropDatabase(adminUrl(), this.database);
  }

  /** The device surface once more, as another process behind the same address has it. */
  async beside(): Promise<StoreProcess> {
    const db = await Database.open({
      url: this.databaseUrls.store,
      room: 'store',
      applicationName: 'device test beside',
    });
    const port = await freePort();
    const app = await serve({ ...this.resources, db }, [DeviceModule], port);
    const stop = async (): Promise<void> => {
      await app.close();
      await db.close();
    };
    return { url: `http://127.0.0.1:${port}`, services: app.get(DeviceServices), stop };
  }

  /** Ends all connections to the database and lets nobody in. */
  async cutDatabase(): Promise<void> {
    await asAdmin(`ALTER DATABASE "${this.database}" ALLOW_CONNECTIONS false`);
    await asAdmin(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${this.database}'`,
    );
  }

  async restoreDatabase(): Promise<void> {
    await asAdmin(`ALTER DATABASE "${this.database}" ALLOW_CONNECTIONS true`);
  }

  /** A stand-by of the database as it is now. What it gives takes the database's place, with all that was committed since lost. */
  async standBy(): Promise<() => Promise<void>> {
    const copy = `${this.database}_copy`;
    await this.cutDatabase();
    await asAdmin(`CREATE DATABASE "${copy}" TEMPLATE "${this.database}"`);
    await this.restoreDatabase();
    return async () => {
      await this.cutDatabase();
      await asAdmin(`ALTER DATABASE "${this.database}" RENAME TO "${this.database}_lost"`);
      await asAdmin(`ALTER DATABASE "${copy}" RENAME TO "${this.database}"`);
      await this.restoreDatabase();
      await dropDatabase(adminUrl(), `${this.database}_lost`);
    };
  }

  get services(): DeviceServices {
    return this.app.get(DeviceServices);
  }

  async sign(draft: Parameters<typeof signAssertion>[0], signer: Signer): Promise<Assertion> {
    return signAssertion(draft, signer, new Date());
  }

  signAsStore(draft: Parameters<typeof signAssertion>[0]): Promise<Assertion> {
    return this.sign(draft, this.storeSigner);
  }

  private async initialise(): Promise<void> {
    const id = this.operatorAccountId;
    const account = await this.accountAssertion(id, 'operator', this.rootSigner);
    const rootKey = await this.keyAssertion(id, 'root', this.rootSigner, this.rootSigner);
    const storeKey = await this.keyAssertion(id, 'store', this.storeSigner, this.rootSigner);
    this.trusted = [account, rootKey];
    await this.resources.db.asSystem(async (tx) => {
      await tx.insert(Installation, {
        id: 1,
        operatorAccountId: id,
        rootKeyId: this.rootSigner.publicKey.id,
        storeKeyId: this.storeSigner.publicKey.id,
      });
      await tx.insert(Account, { id, username: 'operator', displayName: 'Operator' });
      for (const one of [account, rootKey, storeKey]) await keepAssertion(tx, one);
    });
  }

  accountAssertion(id: string, username: string, signer = this.storeSigner): Promise<Assertion> {
    const headers = {
      'authority-id': this.operatorAccountId,
      'account-id': id,
      username,
      'display-name': username,
      validation: 'unproven',
      timestamp: timestamp(new Date()),
    };
    return this.sign({ type: 'account', headers }, signer);
  }

  keyAssertion(
    accountId: string,
    name: string,
    key: Signer,
    signer = this.storeSigner,
    more: Record<string, string> = {},
  ): Promise<Assertion> {
    const headers = {
      'authority-id': this.operatorAccountId,
      'public-key-sha3-384': key.publicKey.id,
      'account-id': accountId,
      name,
      since: '2026-01-01T00:00:00Z',
      ...more,
    };
    return this.sign({ type: 'account-key', headers, body: key.publicKey.encoded }, signer);
  }

  /** A brand with one store and one registered key. */
  async brand(username: string, store: Partial<BrandStore> = {}): Promise<TestBrand> {
    const id = formatId(randomBytes(32));
    const signer = makeSigner();
    const storeId = formatId(randomBytes(32));
    const account = await this.accountAssertion(id, username);
    const key = await this.keyAssertion(id, 'serials', signer);
    await this.resources.db.asSystem(async (tx) => {
      await tx.insert(Account, { id, username, displayName: username, isBrand: true });
      await keepAssertion(tx, account);
      await keepAssertion(tx, key);
      await tx.insert(BrandStore, { id: storeId, brandId: id, name: username, ...store });
    });
    return { id, storeId, signer };
  }

  /** A registered name with its declaration. */
  async snap(brand: TestBrand, name: string, change: Partial<Snap> = {}): Promise<TestSnap> {
    const id = change.id ?? formatId(randomBytes(32));
    const headers = {
      'authority-id': this.operatorAccountId,
      series: '16',
      'snap-id': id,
      'snap-name': name,
      'publisher-id': brand.id,
      timestamp: timestamp(new Date()),
    };
    const declaration = await this.sign({ type: 'snap-declaration', headers }, this.storeSigner);
    await this.resources.db.asSystem(async (tx) => {
      await tx.insert(Snap, {
        id,
        brandId: brand.id,
        storeId: brand.storeId,
        name,
        type: 'app',
        ...change,
      });
      await keepAssertion(tx, declaration, id);
    });
    return { id, name, brand };
  }

  /** An accepted revision whose blob is one of test/snaps, or `content`, or some random bytes. */
  async revision(
    snap: TestSnap,
    revision: number,
    {
      file,
      content = randomBytes(5000),
      ...change
    }: Partial<SnapRevision> & { file?: string; content?: Buffer } = {},
  ): Promise<Buffer> {
    const bytes = file ? readFileSync(join(SNAPS, file)) : content;
    const sha3 = createHash('sha3-384').update(bytes).digest();
    const blobId = randomUUID();
    const uploadId = randomUUID();
    const storageKey = `snaps/${blobId}`;
    await this.resources.blobs.put(storageKey, [bytes]);
    const headers = {
      'authority-id': this.operatorAccountId,
      'snap-sha3-384': sha3.toString('base64url'),
      'snap-id': snap.id,
      'snap-size': String(bytes.length),
      'snap-revision': String(revision),
      'developer-id': snap.brand.id,
      timestamp: timestamp(new Date()),
    };
    const assertion = await this.sign({ type: 'snap-revision', headers }, this.storeSigner);
    const brandId = snap.brand.id;
    await this.resources.db.asSystem(async (tx) => {
      await tx.insert(Blob, {
        id: blobId,
        storageKey,
        sha3384: sha3.toString('hex'),
        sha256: createHash('sha256').update(bytes).digest('hex'),
        sizeBytes: bytes.length,
        claimedAt: new Date(),
      });
      await tx.insert(Upload, {
        id: uploadId,
        brandId,
        snapId: snap.id,
        blobId,
        personId: randomUUID(),
        state: 'accepted',
        revision,
      });
      await tx.insert(SnapRevision, {
        snapId: snap.id,
        revision,
        brandId,
        uploadId,
        blobId,
        sha3384: sha3.toString('hex'),
        sizeBytes: bytes.length,
        version: `${revision}.0`,
        type: 'app',
        architectures: ['all'],
        epoch: { read: [0], write: [0] },
        confinement: 'strict',
        grade: 'stable',
        snapYaml: `name: ${snap.name}\nversion: ${revision}.0\n`,
        ...change,
      });
      await keepAssertion(tx, assertion, snap.id);
    });
    return bytes;
  }

  /** A release; with `revision` null the channel is closed. */
  async release(
    snap: TestSnap,
    revision: number | null,
    channel = 'latest/stable',
    architectures = ['all'],
  ): Promise<void> {
    const [track = '', risk = '', branch = ''] = channel.split('/');
    const brandId = snap.brand.id;
    await this.resources.db.asSystem(async (tx) => {
      const where = { snapId: snap.id, track, risk: risk as Risk, branch };
      const lane =
        (await tx.findOneBy(Lane, where)) ??
        (await tx.save(tx.create(Lane, { brandId, ...where })));
      const seq = lane.lastSeq + 1;
      await tx.update(Lane, { id: lane.id }, { lastSeq: seq });
      await tx.insert(LaneEvent, {
        laneId: lane.id,
        seq,
        brandId,
        snapId: snap.id,
        kind: revision === null ? 'close' : 'release',
        revision,
        architectures,
        rank: revision === null ? null : String(++this.rank),
      });
    });
  }

  /** What the worker does with the outbox: compiles these brands' policies, and the surface takes them. */
  async compile(...brands: readonly TestBrand[]): Promise<void> {
    const service = new CompilePolicyService(this.resources);
    for (const { id } of brands) await service.compile(id);
    await this.services.policies.check();
  }
}
