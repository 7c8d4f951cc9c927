import { describe, expect, it } from 'vitest';
import { createLogger } from './logger.js';
import { NestLogger } from './nest-logger.js';

function collect(level = 'trace') {
  const lines: Record<string, unknown>[] = [];
  const destination = {
    write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>),
  };
  return { lines, logger: createLogger({ name: 'test', level, destination }) };
}

describe('the logger', () => {
  it('writes level, name and time as words', () => {
    const { lines, logger } = collect();
    logger.info({ requestId: 'r1' }, 'hello');
    expect(lines).toEqual([
      {
        level: 'info',
        name: 'test',
        pid: process.pid,
        requestId: 'r1',
        msg: 'hello',
        time: expect.stringMatching(/^\d{4}-.*Z$/) as string,
      },
    ]);
  });

  it('leaves out what must not be written', () => {
    const { lines, logger } = collect();
    logger.info({
      headers: { authorization: 'Macaroon root=x' },
      body: { user: { password: 'p' } },
      nonce: 'n',
    });
    expect(lines[0]).toMatchObject({
      headers: { authorization: '[redacted]' },
      body: { user: { password: '[redacted]' } },
      nonce: '[redacted]',
    });
  });

  it('carries what Nest says, with its context', () => {
    const { lines, logger } = collect();
    const nest = new NestLogger(logger);
    nest.log('Mapped {/x, GET} route', 'RouterExplorer');
    nest.error(new Error('broken'), 'the stack', 'ExceptionsHandler');
    nest.warn({ a: 1 });
    expect(lines).toMatchObject([
      { level: 'debug', context: 'RouterExplorer', msg: 'Mapped {/x, GET} route' },
      { level: 'error', context: 'ExceptionsHandler', msg: 'broken', err: { message: 'broken' } },
      { level: 'warn', msg: '{"a":1}' },
    ]);
  });
});
