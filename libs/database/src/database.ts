import { DataSource, type EntityManager } from 'typeorm';
import type { Alarm } from './alarm.js';
import { begin } from './begin.js';
import { Clock } from './clock.js';
import { Listener } from './listener.js';
import { SnakeNaming } from './snake-naming.js';
import * as storeEntities from './store/entities/index.js';
import { storeMigrations } from './store/migrations/index.js';
import * as vaultEntities from './vault/entities/index.js';
import { vaultMigrations } from './vault/migrations/index.js';

/** A transaction: repositories and helpers take it as their first parameter; there is no ambient one. */
export type Tx = EntityManager;

/** The store's tables and the vault's live in schemas (or databases) of their own; no role sees both. */
export type Room = 'store' | 'vault';

type EntityClass = new () => object;

/** The entity modules also export words (`ROLES`); only their classes are tables. */
function classes(module: object): EntityClass[] {
  return Object.values(module).filter((value): value is EntityClass => typeof value === 'function');
}

const ROOMS = {
  store: { entities: classes(storeEntities), migrations: storeMigrations },
  vault: { entities: classes(vaultEntities), migrations: vaultMigrations },
} as const;

export interface DatabaseOptions {
  readonly url: string;
  readonly room: Room;
  /** Shown in pg_stat_activity. */
  readonly applicationName: string;
  /** At least 10: a repository used outside its transaction waits for a second connection. */
  readonly poolSize?: number;
  /** Told when this process's own clock is wrong. */
  readonly alarm?: Alarm;
}

export function dataSource({
  url,
  room,
  applicationName,
  poolSize = 10,
}: DatabaseOptions): DataSource {
  return new DataSource({
    type: 'postgres',
    url,
    schema: room,
    applicationName,
    entities: [...ROOMS[room].entities],
    migrations: [...ROOMS[room].migrations],
    migrationsTableName: 'migrations',
    migrationsTransactionMode: 'each',
    namingStrategy: new SnakeNaming(),
    uuidExtension: 'pgcrypto',
    installExtensions: false,
    extra: { max: poolSize, connectionTimeoutMillis: 10_000 },
  });
}

/** Postgres as one room sees it. Row level security is in force: say for whom you work, or see nothing (decisions 4). */
export class Database {
  private constructor(
    private readonly source: DataSource,
    readonly clock: Clock,
    readonly listener: Listener,
  ) {}

  static async open(options: DatabaseOptions): Promise<Database> {
    const source = await dataSource(options).initialize();
    const listener = new Listener(options.url, options.applicationName);
    try {
      const clock = await Clock.start(source, listener, options.alarm ?? (() => undefined));
      await listener.start();
      return new Database(source, clock, listener);
    } catch (error) {
      await listener.close();
      await source.destroy();
      throw error;
    }
  }

  /** One transaction that sees and writes the rows of this brand only. */
  asBrand<T>(brandId: string, work: (tx: Tx) => Promise<T>): Promise<T> {
    return this.within(brandId, work);
  }

  /** One transaction across brands: for what no single brand can do (names, public snaps, sessions, sweeping). */
  asSystem<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    return this.within('*', work);
  }

  /**
   * Statements on tables that belong to no brand (assertions, nonces), each by itself: one journey to Postgres instead of the four of a
   * transaction. Rows of brands are invisible here.
   */
  asNobody<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    return work(this.source.manager);
  }

  private async within<T>(scope: string, work: (tx: Tx) => Promise<T>): Promise<T> {
    const runner = this.source.createQueryRunner();
    try {
      await begin(runner, scope);
      const result = await work(runner.manager);
      await runner.commitTransaction();
      return result;
    } catch (error) {
      // What went wrong first is what is told.
      await runner.rollbackTransaction().catch(() => undefined);
      throw error;
    } finally {
      await runner.release();
    }
  }

  /** Answers when Postgres does; throws its error otherwise. For health checks. */
  async ping(): Promise<void> {
    await this.source.query('SELECT 1');
  }

  async close(): Promise<void> {
    await this.listener.close();
    await this.source.destroy();
  }
}
