import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import type { BullBackend } from './bull.js';
import { QueueError } from './queue-error.js';

/** Jobs on Redis or Valkey: what production uses. `prefix` keeps installations on one server apart. */
export function redisBackend(
  url: string,
  prefix: string,
  onError: (error: unknown) => void,
): BullBackend {
  // BullMQ insists on null: commands wait for the server to come back instead of failing.
  const connection = new Redis(url, { maxRetriesPerRequest: null, lazyConnect: true });
  connection.on('error', onError);
  const base = { connection, prefix };
  return {
    kind: 'redis',
    prepare: async () => {
      // A Redis that forgets keys under memory pressure loses jobs; BullMQ itself only warns (local-stack.md 4.4).
      const policy = /maxmemory_policy:(\S+)/.exec(await connection.info('memory'))?.[1];
      if (policy && policy !== 'noeviction') {
        throw new QueueError(
          'unsafe-redis',
          `cannot use Redis with maxmemory-policy ${policy}: it must be noeviction`,
        );
      }
    },
    queue: (lane) => new Queue(lane, base),
    worker: (lane, processor, options) => new Worker(lane, processor, { ...base, ...options }),
    close: async () => {
      connection.disconnect();
    },
  };
}
