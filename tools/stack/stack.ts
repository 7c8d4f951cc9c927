import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { isRoot } from './account.js';
import { waitForQuery } from './databases.js';
import { StackError } from './errors.js';
import { lockDirectory } from './lock.js';
import { postgresDir, rootDataDir } from './paths.js';
import { startPostgres } from './postgres.js';
import { startRedis } from './redis.js';
import { startS3 } from './s3.js';
import { startWatchdog, type Watchdog } from './watchdog.js';

export interface StackOptions {
  /** Data folder, made if missing, locked while we run. Not given: a fresh one that is removed at the end. */
  readonly dir?: string;
  /** Throw-away data: faster, and the folder is removed at the end. */
  readonly ephemeral?: boolean;
  /** Whether Postgres forces writes to the disk, which only a power cut tells; not given: unless `ephemeral`. */
  readonly isDurable?: boolean;
  /** Jobs on a Redis even without REDIS_URL. */
  readonly redis?: boolean;
  /** Blobs on a real S3 server even without S3_ENDPOINT. */
  readonly s3?: boolean;
  readonly log?: (line: string) => void;
  /** Where services given by URL are read from; `process.env` if not given. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** How long a given Postgres may take to answer; 10 s if not given. */
  readonly patienceMs?: number;
}

/** A row of the final table: what carries what. */
export interface StackRow {
  readonly service: 'Postgres' | 'jobs' | 'blobs';
  readonly backend: 'given' | 'embedded' | 'redis' | 'postgres' | 's3' | 'files';
  readonly detail: string;
}

/** The services of a run. */
export interface Stack {
  readonly dir: string;
  /**
   * What apps are started with: DATABASE_URL (may make roles and databases), REDIS_URL when jobs run there, and either
   * S3_ENDPOINT, S3_ACCESS_KEY, S3_SECRET_KEY, S3_BUCKET, S3_REGION or BLOBS_DIR with BLOBS_SECRET.
   */
  readonly env: Readonly<Record<string, string>>;
  describe(): readonly StackRow[];
  stop(): Promise<void>;
}

interface Part {
  readonly env: Record<string, string>;
  readonly row: StackRow;
  readonly stop?: () => Promise<void>;
}

interface Ground {
  readonly dir: string;
  readonly isDurable: boolean;
  readonly watchdog: Watchdog;
  readonly log: (line: string) => void;
  readonly given: (name: string) => string | undefined;
  readonly patienceMs: number;
}

/**
 * Chooses and starts the services: given by URL, else our own; never one that merely answers on a known port
 * (local-stack.md 2).
 * @throws StackError with a sentence for the person at the terminal; whatever was started is stopped again
 */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const env = options.env ?? process.env;
  const given = (name: string) => env[name] || undefined;
  checkGiven(given);
  const { dir, ephemeral } = prepareDir(options);
  const lock = lockDirectory(dir);
  const ground: Ground = {
    dir,
    isDurable: options.isDurable ?? !ephemeral,
    watchdog: startWatchdog(),
    log: options.log ?? (() => {}),
    given,
    patienceMs: options.patienceMs ?? 10_000,
  };
  if (ephemeral) {
    ground.watchdog.removeAfterwards(dir);
    if (isRoot) ground.watchdog.removeAfterwards(postgresDir(dir));
  }
  const outcomes = await Promise.allSettled([
    databasePart(ground),
    jobsPart(ground, options.redis ?? false),
    blobsPart(ground, options.s3 ?? false),
  ]);
  const parts = outcomes.flatMap((outcome) =>
    outcome.status === 'fulfilled' ? [outcome.value] : [],
  );
  const stop = once(async () => {
    for (const part of [...parts].reverse()) await part.stop?.();
    await ground.watchdog.done();
    lock.release();
    if (ephemeral) {
      rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
      if (isRoot) rmSync(postgresDir(dir), { recursive: true, force: true, maxRetries: 5 });
    }
  });
  const failure = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failure) {
    await stop();
    throw failure.reason;
  }
  return {
    dir,
    env: Object.assign({}, ...parts.map((part) => part.env)) as Record<string, string>,
    describe: () => parts.map((part) => part.row),
    stop,
  };
}

const LOOKS = {
  DATABASE_URL: [/^postgres(ql)?:\/\/.+\/.+/, 'postgres://user:password@host:5432/database'],
  REDIS_URL: [/^rediss?:\/\/.+/, 'redis://host:6379'],
  S3_ENDPOINT: [/^https?:\/\/.+/, 'https://host:9000'],
} as const;

/** @throws StackError `bad-setting`; without the value, which may hold a password */
function checkGiven(given: (name: string) => string | undefined): void {
  for (const [name, [pattern, example]] of Object.entries(LOOKS)) {
    const value = given(name);
    if (value !== undefined && (!pattern.test(value) || !URL.canParse(value))) {
      throw new StackError('bad-setting', `cannot use ${name}: it must look like ${example}`);
    }
  }
  const missing = ['S3_ACCESS_KEY', 'S3_SECRET_KEY', 'S3_BUCKET'].filter((name) => !given(name));
  if (given('S3_ENDPOINT') && missing.length > 0) {
    throw new StackError('bad-setting', `cannot use S3_ENDPOINT: ${missing.join(', ')} not set`);
  }
}

function prepareDir(options: StackOptions): { dir: string; ephemeral: boolean } {
  if (options.dir === undefined) {
    return { dir: mkdtempSync(join(tmpdir(), 'brandstore-')), ephemeral: true };
  }
  const dir = resolve(options.dir);
  mkdirSync(dir, { recursive: true });
  // Inside our folder for root, the server's account must get through to its own part.
  if (isRoot && dir.startsWith(rootDataDir())) chmodSync(dir, 0o711);
  return { dir, ephemeral: options.ephemeral ?? false };
}

async function databasePart({
  dir,
  isDurable,
  watchdog,
  log,
  given,
  patienceMs,
}: Ground): Promise<Part> {
  const url = given('DATABASE_URL');
  if (url) {
    const version = await waitForQuery(url, patienceMs);
    const { hostname, port } = new URL(url);
    const detail = `${version} at ${hostname}:${port || 5432}`;
    return { env: { DATABASE_URL: url }, row: { service: 'Postgres', backend: 'given', detail } };
  }
  const started = Date.now();
  const server = await startPostgres({ dir: postgresDir(dir), isDurable, watchdog });
  log(`Postgres ${server.title} on port ${server.port} (${Date.now() - started} ms)`);
  return {
    env: { DATABASE_URL: server.url },
    row: { service: 'Postgres', backend: 'embedded', detail: server.title },
    stop: () => server.stop(),
  };
}

async function jobsPart({ dir, watchdog, log, given }: Ground, wanted: boolean): Promise<Part> {
  const url = given('REDIS_URL');
  if (url) {
    const detail = `BullMQ on the Redis at ${new URL(url).host}`;
    return { env: { REDIS_URL: url }, row: { service: 'jobs', backend: 'redis', detail } };
  }
  if (!wanted) {
    const detail = 'BullMQ on its Postgres backend, schema bullmq';
    return { env: {}, row: { service: 'jobs', backend: 'postgres', detail } };
  }
  const redis = await startRedis({ dir: join(dir, 'redis'), watchdog, log });
  log(`${redis.title} on port ${redis.port}`);
  return {
    env: { REDIS_URL: redis.url },
    row: { service: 'jobs', backend: 'redis', detail: `BullMQ on ${redis.title}` },
    stop: () => redis.stop(),
  };
}

async function blobsPart({ dir, watchdog, log, given }: Ground, wanted: boolean): Promise<Part> {
  const endpoint = given('S3_ENDPOINT');
  if (endpoint) {
    const names = ['S3_ENDPOINT', 'S3_ACCESS_KEY', 'S3_SECRET_KEY', 'S3_BUCKET', 'S3_REGION'];
    const env = Object.fromEntries(names.map((name) => [name, given(name) ?? '']));
    const detail = `bucket ${env['S3_BUCKET']} at ${new URL(endpoint).host}`;
    return { env, row: { service: 'blobs', backend: 's3', detail } };
  }
  if (wanted) {
    const s3 = await startS3({ dir: join(dir, 's3'), watchdog, log });
    log(`${s3.title} at ${s3.env.S3_ENDPOINT}`);
    return {
      env: { ...s3.env },
      row: { service: 'blobs', backend: 's3', detail: s3.title },
      stop: () => s3.stop(),
    };
  }
  const env = { BLOBS_DIR: join(dir, 'objects'), BLOBS_SECRET: blobsSecret(dir) };
  return {
    env,
    row: { service: 'blobs', backend: 'files', detail: 'files, signed links served by the store' },
  };
}

/** Signs links to blobs; kept, so that links survive a restart. */
function blobsSecret(dir: string): string {
  const file = join(dir, 'blobs.secret');
  if (!existsSync(file))
    writeFileSync(file, randomBytes(32).toString('base64url'), { mode: 0o600 });
  return readFileSync(file, 'utf8').trim();
}

function once(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => (running ??= work());
}
