/** What every process needs to start: settings, logger, metrics, health, and an orderly end. */
export { makeAlarm } from './alarm.js';
export {
  runApp,
  startApp,
  type AppGround,
  type AppPlan,
  type HttpSurface,
  type RunningApp,
} from './bootstrap-app.js';
export {
  ConfigError,
  flag,
  httpUrl,
  port,
  postgresUrl,
  readConfig,
  redisUrl,
  Secret,
  wholeNumber,
  type ConfigSchema,
  type Env,
  type Settings,
} from './config.js';
export { fastifyOptions } from './fastify-options.js';
export { createLogger, type Logger, type LoggerOptions } from './logger.js';
export { createMetrics, type Metrics } from './metrics.js';
export { NestLogger } from './nest-logger.js';
export { postgresUrlNow, postgresUrlOrLater } from './said-later.js';
export {
  startOpsServer,
  type OpsServer,
  type OpsServerOptions,
  type ReadinessCheck,
} from './ops-server.js';
export { requireRouteRules, routeRule, type RouteRules } from './route-rules.js';
export { processConfig, type ProcessConfig } from './process-config.js';
export { isSupervised, onEnd, Shutdown } from './shutdown.js';
