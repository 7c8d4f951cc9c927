import { pino, type DestinationStream, type Logger } from 'pino';

export type { Logger } from 'pino';

/** Never written out, wherever an object given to the logger holds them (house 2.9). */
const REDACTED = [
  'authorization',
  'cookie',
  'password',
  'secret',
  'token',
  'macaroon',
  'session',
  'nonce',
];

export interface LoggerOptions {
  /** Of the process: `store-api`, `worker`, `serial-vault`. */
  readonly name: string;
  readonly level?: string;
  readonly destination?: DestinationStream;
}

/** One logger per process, made in `main.ts`: lines of JSON on stdout, times in ISO 8601. */
export function createLogger({ name, level = 'info', destination }: LoggerOptions): Logger {
  const options = {
    name,
    level,
    base: { name, pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: {
      paths: REDACTED.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]),
      censor: '[redacted]',
    },
  };
  return destination ? pino(options, destination) : pino(options);
}
