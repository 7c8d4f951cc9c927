import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import type { BullBackend } from './bull.js';
import { QueueError } from './queue-error.js';

/** Jobs on Redis or Valkey: what production uses. `prefix` keeps installations on one server apart. */
export function redisBackend(
  url: string,
  prefix: string,
  patienceMs: number,
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
      const memory = await withinPatience(connection, connection.info('memory'), patienceMs);
      const policy = /maxmemory_policy:(\S+)/.exec(memory)?.[1];
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

/** Commands wait for a Redis for ever, which is right while running and wrong at the start. */
async function withinPatience<T>(
  connection: Redis,
  work: Promise<T>,
  patienceMs: number,
): Promise<T> {
  let why = 'no answer';
  const remember = (error: Error) => (why = error.message || why);
  connection.on('error', remember);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const { host, port } = connection.options;
      reject(new QueueError('unreachable', `cannot reach Redis at ${host}:${port}: ${why}`));
    }, patienceMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
    connection.off('error', remember);
    work.catch(() => {}); // ended by our own disconnect after the time
  }
}
