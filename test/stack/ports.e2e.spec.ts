import { createServer, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isPortFree, startStack } from '#stack';
import { query } from './query.js';

/** Strangers on the well-known ports: some answer, all would be wrong to use (local-stack.md 2). */
const KNOWN = [5432, 6379, 9000, 8000];

describe('with the well-known ports taken by others', () => {
  const strangers: Server[] = [];
  let visits = 0;
  beforeAll(async () => {
    for (const port of KNOWN) {
      if (!(await isPortFree(port))) continue; // taken already, which is as good
      const server = createServer((socket) => {
        visits++;
        socket.end('+PONG\r\n');
      });
      await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
      strangers.push(server);
    }
  });
  afterAll(() => {
    for (const server of strangers) server.close();
  });

  it('everything starts elsewhere, and the strangers are left alone', async () => {
    const stack = await startStack({ redis: true, env: {} });
    try {
      const ports = [stack.env.DATABASE_URL, stack.env.REDIS_URL].map((url) =>
        Number(new URL(url ?? '').port),
      );
      for (const port of ports) expect(KNOWN).not.toContain(port);
      expect(await query(stack.env.DATABASE_URL, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
      expect(visits).toBe(0);
    } finally {
      await stack.stop();
    }
  });
});
