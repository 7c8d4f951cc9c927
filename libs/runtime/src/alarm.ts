import type { Logger } from './logger.js';
import type { Metrics } from './metrics.js';

/** What an operator must know: an error in the log, and `brandstore_alarms_total{alarm}` to watch. */
export function makeAlarm(
  logger: Logger,
  metrics: Metrics,
): (name: string, detail: Readonly<Record<string, unknown>>) => void {
  const count = metrics.counter('alarms_total', 'Things that an operator must look at', ['alarm']);
  return (alarm, detail) => {
    count.inc({ alarm });
    logger.error({ alarm, ...detail }, `alarm: ${alarm}`);
  };
}
