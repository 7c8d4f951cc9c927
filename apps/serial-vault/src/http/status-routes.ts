import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import type { VaultResources } from '../resources.js';
import { sendJson } from './answers.js';
import { openApi } from './openapi.js';

const VERSION = '0.1.0';
const PING_MS = 2_000;

/** What monitoring and proxies ask (serial-vault.md 16, 17.1); metrics are on the port for operators. */
export function addStatusRoutes(scope: FastifyInstance, resources: VaultResources): void {
  // snapd asks a proxy store for this before it sends it registrations (serial-vault.md 2.2).
  scope.get('/', async (_request, reply) => {
    reply.header('snap-store-version', '6');
    return sendJson(reply, 200, { service: 'serial-vault' });
  });
  const document = openApi(resources.settings.publicUrl);
  scope.get('/openapi.json', async (_request, reply) => sendJson(reply, 200, document));
  scope.get('/v1/version', async (_request, reply) =>
    sendJson(reply, 200, { version: VERSION, revision: '' }),
  );
  scope.get('/v1/health', async (_request, reply) => {
    const { database } = await states(resources);
    return sendJson(reply, database === 'OK' ? 200 : 503, {
      database: database === 'OK' ? 'healthy' : database,
    });
  });
  scope.get('/_status/ping', async (_request, reply) => sendJson(reply, 200, { version: VERSION }));
  scope.get('/_status/check', async (_request, reply) => {
    const found = await states(resources);
    reply.header('cache-control', 'no-store');
    return sendJson(
      reply,
      Object.values(found).every((state) => state === 'OK') ? 200 : 503,
      found,
    );
  });
}

/** A process that has no master key has no signer either. */
async function states({
  db,
  keys,
}: VaultResources): Promise<{ database: string; signer?: string }> {
  if (!keys.canSign) return { database: await stateOf(db.ping()) };
  const [database, signer] = await Promise.all([stateOf(db.ping()), stateOf(keys.ping())]);
  return { database, signer };
}

async function stateOf(ping: Promise<void>): Promise<string> {
  try {
    const late = sleep(PING_MS, undefined, { ref: false }).then(() =>
      Promise.reject(new Error('late')),
    );
    late.catch(() => undefined);
    await Promise.race([ping, late]);
    return 'OK';
  } catch {
    // Why is for the log of the process, not for strangers.
    return 'unavailable';
  }
}
