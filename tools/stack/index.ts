/** The ground that `npm start`, the demo, tests and benches stand on: services, and processes on top of them. */
export { ensureDatabases, waitForQuery } from './databases.js';
export { StackError, type StackErrorCode } from './errors.js';
export { freePort, isPortFree } from './free-port.js';
export { appMain, defaultDataDir, projectRoot } from './paths.js';
export {
  Processes,
  type ManagedProcess,
  type ProcessesOptions,
  type ProcessSpec,
} from './processes.js';
export { startRedis, type RedisServer } from './redis.js';
export { startS3, type S3Server } from './s3.js';
export { startStack, type Stack, type StackOptions, type StackRow } from './stack.js';
export { findDeltaProgram } from './xdelta3.js';
export { startWatchdog, type Watchdog } from './watchdog.js';
