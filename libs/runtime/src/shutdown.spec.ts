import { describe, expect, it } from 'vitest';
import { createLogger } from './logger.js';
import { Shutdown } from './shutdown.js';

describe('stopping', () => {
  it('undoes the last thing first, once, past steps that fail or hang', async () => {
    const lines: string[] = [];
    const destination = { write: (line: string) => void lines.push(line) };
    const shutdown = new Shutdown(createLogger({ name: 'test', destination }), 30);
    const done: string[] = [];
    shutdown.add('first', async () => done.push('first'));
    shutdown.add('hangs', () => new Promise(() => {}));
    shutdown.add('fails', () => {
      throw new Error('no');
    });
    shutdown.add('last', async () => done.push('last'));
    await Promise.all([shutdown.run(), shutdown.run()]);
    expect(done).toEqual(['last', 'first']);
    expect(lines.map((line) => (JSON.parse(line) as { step: string }).step)).toEqual([
      'fails',
      'hangs',
    ]);
  });
});
