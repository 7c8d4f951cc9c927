import type { DynamicModule, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { z } from 'zod';
import { makeAlarm } from './alarm.js';
import { ConfigError, readConfig, type ConfigSchema, type Env, type Settings } from './config.js';
import { fastifyOptions } from './fastify-options.js';
import { measureRequests, requestMetrics, type RequestMetrics } from './http-metrics.js';
import { createLogger, type Logger } from './logger.js';
import { createMetrics, type Metrics } from './metrics.js';
import { NestLogger } from './nest-logger.js';
import { startOpsServer, type ReadinessCheck } from './ops-server.js';
import { processConfig, type ProcessConfig } from './process-config.js';
import { isSupervised, onEnd, Shutdown } from './shutdown.js';

/** Connections that wait to be accepted while one turn of a busy event loop lasts; Node's 511 are lost ones in a rush. */
const BACKLOG = 4096;

/** What an app's `main.ts` builds itself from. */
export interface AppGround<C extends z.ZodObject, S extends z.ZodObject> extends Settings<C, S> {
  readonly process: ProcessConfig;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Told what an operator must know. */
  readonly alarm: ReturnType<typeof makeAlarm>;
  /** Steps are undone in reverse order, after the listeners have closed. */
  readonly shutdown: Shutdown;
  /** Asked by `/health/ready`. */
  addCheck(check: ReadinessCheck): void;
}

/** One HTTP surface of a process, on a port of its own. */
export interface HttpSurface {
  /** Reported as an address under this name. */
  readonly name: string;
  readonly module: Type | DynamicModule;
  readonly port: number;
  readonly bodyLimitBytes?: number;
  /** The address at which clients find it, where that is known: its path may precede those of requests. */
  readonly publicUrl?: string;
  /** Before it listens: parsers, hooks, filters. */
  readonly prepare?: (app: NestFastifyApplication) => unknown;
}

export interface AppPlan<C extends z.ZodObject, S extends z.ZodObject> {
  readonly name: string;
  readonly schema: ConfigSchema<C, S>;
  /** Connects to what the app needs, and says which surfaces it has; a worker has none. */
  readonly build: (ground: AppGround<C, S>) => Promise<readonly HttpSurface[]>;
}

/** A started app; `main.ts` needs nothing of it, tests do. */
export interface RunningApp {
  /** By surface, and `ops`: `http://127.0.0.1:41234`. */
  readonly addresses: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/**
 * Starts an app and returns when it serves: reads the environment, makes logger and metrics, builds, listens, tells a
 * supervisor, and ends on SIGTERM, SIGINT or a lost supervisor. `main.ts` is `await runApp(plan)`.
 * @throws ConfigError, or whatever `build` throws, after undoing what was done
 */
export async function startApp<C extends z.ZodObject, S extends z.ZodObject>(
  plan: AppPlan<C, S>,
  env: Env = process.env,
): Promise<RunningApp> {
  const own = readConfig({ config: processConfig, secrets: z.object({}) }, env).config;
  const settings = readConfig(plan.schema, env);
  if (env === process.env) forgetSecrets(plan.schema);
  const logger = createLogger({ name: plan.name, level: own.LOG_LEVEL });
  const metrics = createMetrics(plan.name);
  const shutdown = new Shutdown(logger);
  const checks: ReadinessCheck[] = [];
  let isServing = false;
  try {
    const ops = await startOpsServer({
      host: own.HOST,
      port: own.METRICS_PORT,
      registry: metrics.registry,
      checks,
      isServing: () => isServing,
    });
    shutdown.add('ops server', () => ops.close());
    const addCheck = (check: ReadinessCheck) => void checks.push(check);
    const surfaces = await plan.build({
      ...settings,
      process: own,
      logger,
      metrics,
      alarm: makeAlarm(logger, metrics),
      shutdown,
      addCheck,
    });
    const requests = requestMetrics(metrics);
    const addresses: Record<string, string> = { ops: ops.url };
    for (const surface of surfaces) {
      addresses[surface.name] = await open(surface, own.HOST, logger, requests, shutdown);
    }
    isServing = true;
    shutdown.add('readiness', () => (isServing = false));
    logger.info({ addresses }, 'ready');
    return { addresses, stop: () => shutdown.run() };
  } catch (error) {
    await shutdown.run();
    throw error;
  }
}

/** `startApp` for `main.ts`: one more sentence and status 1 when it cannot start, and the end of the process at the end. */
export async function runApp<C extends z.ZodObject, S extends z.ZodObject>(
  plan: AppPlan<C, S>,
): Promise<void> {
  const fallback = createLogger({ name: plan.name });
  let app: RunningApp | undefined;
  let isEnding = false;
  const end = (reason: string) => {
    isEnding = true;
    fallback.info({ reason }, 'stopping');
    void (app?.stop() ?? Promise.resolve()).finally(() => process.exit(0));
  };
  onEnd(end);
  process.on('uncaughtException', (err) => {
    fallback.fatal({ err }, 'stopping: an error that nobody handled');
    process.exit(1);
  });
  try {
    app = await startApp(plan);
  } catch (err) {
    if (err instanceof ConfigError) process.stderr.write(`${plan.name}: ${err.message}\n`);
    else fallback.fatal({ err }, 'cannot start');
    process.exit(1);
  }
  if (isEnding) return end('ended while it started');
  if (isSupervised()) process.send?.({ type: 'ready', addresses: app.addresses });
}

/** Read once, they are in `settings` only: no child of this process gets them with its environment. */
function forgetSecrets({ secrets }: ConfigSchema<z.ZodObject, z.ZodObject>): void {
  for (const name of Object.keys(secrets.shape)) delete process.env[name];
}

async function open(
  surface: HttpSurface,
  host: string,
  logger: Logger,
  requests: RequestMetrics,
  shutdown: Shutdown,
): Promise<string> {
  const adapter = new FastifyAdapter(fastifyOptions(logger, surface));
  const app = await NestFactory.create<NestFastifyApplication>(surface.module, adapter, {
    logger: new NestLogger(logger),
    abortOnError: false,
  });
  shutdown.add(surface.name, () => app.close());
  measureRequests(app.getHttpAdapter().getInstance(), surface.name, requests);
  await surface.prepare?.(app);
  await app.listen({ port: surface.port, host, backlog: BACKLOG });
  const address = app.getHttpServer().address() as { port: number };
  return `http://${host}:${address.port}`;
}
