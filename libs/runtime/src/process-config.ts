import { z } from 'zod';
import { port } from './config.js';

/** What every process of ours reads, besides its own names. */
export const processConfig = z.object({
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  /** Address that the process listens on, for all its ports. */
  HOST: z.string().default('127.0.0.1'),
  /** Metrics and health; 0 chooses a free one. */
  METRICS_PORT: port().default(0),
});
export type ProcessConfig = z.output<typeof processConfig>;
