import { describe, expect, it } from 'vitest';
import { makeAlarm } from './alarm.js';
import { createLogger } from './logger.js';
import { createMetrics } from './metrics.js';

describe('an alarm', () => {
  it('is an error in the log and a figure to watch', async () => {
    const lines: string[] = [];
    const logger = createLogger({
      name: 'test',
      destination: { write: (l) => void lines.push(l) },
    });
    const metrics = createMetrics('test');
    const alarm = makeAlarm(logger, metrics);
    alarm('clock-off', { offMs: 3_000 });
    alarm('clock-off', { offMs: 4_000 });
    expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { level: 'error', alarm: 'clock-off', offMs: 3_000 },
      { level: 'error', alarm: 'clock-off', offMs: 4_000 },
    ]);
    expect(await metrics.registry.metrics()).toContain(
      'brandstore_alarms_total{alarm="clock-off",app="test"} 2',
    );
  });
});
