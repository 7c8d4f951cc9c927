import { afterEach, describe, expect, it } from 'vitest';
import { createMetrics } from './metrics.js';
import { startOpsServer, type OpsServer, type ReadinessCheck } from './ops-server.js';

describe('the port for operators', () => {
  let server: OpsServer;
  afterEach(() => server.close());

  async function start(checks: ReadinessCheck[], isServing = () => true): Promise<void> {
    const metrics = createMetrics('test');
    metrics.counter('things_total', 'Things', ['kind']).inc({ kind: 'a' });
    server = await startOpsServer({
      host: '127.0.0.1',
      port: 0,
      registry: metrics.registry,
      checks,
      isServing,
      checkTimeoutMs: 50,
    });
  }

  const get = async (path: string) => {
    const response = await fetch(server.url + path);
    return { status: response.status, body: await response.text() };
  };

  it('shows metrics and says that it lives', async () => {
    await start([]);
    expect((await get('/metrics')).body).toContain(
      'brandstore_things_total{kind="a",app="test"} 1',
    );
    expect(await get('/health/live')).toMatchObject({ status: 200 });
    expect(await get('/other')).toMatchObject({ status: 404 });
  });

  it('is ready when every check is well, and otherwise names the one that is not', async () => {
    let isWell = true;
    await start([
      { name: 'database', check: async () => {} },
      {
        name: 'keys',
        check: () => (isWell ? Promise.resolve() : Promise.reject(new Error('locked'))),
      },
      { name: 'blobs', check: () => (isWell ? Promise.resolve() : new Promise(() => {})) },
    ]);
    expect(await get('/health/ready')).toMatchObject({ status: 200 });
    isWell = false;
    const { status, body } = await get('/health/ready');
    expect(status).toBe(503);
    expect(JSON.parse(body)).toEqual({
      status: 'failing',
      checks: { database: 'ok', keys: 'locked', blobs: 'no answer in 50 ms' },
    });
  });

  it('is not ready while it starts or drains', async () => {
    await start([], () => false);
    expect(await get('/health/ready')).toMatchObject({ status: 503 });
    expect(await get('/health/live')).toMatchObject({ status: 200 });
  });
});
