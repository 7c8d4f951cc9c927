import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/** Below the ports that systems give to outgoing connections, which would take one between its choice and its use. */
const [FIRST, END] = [15_000, 32_000];
const TRIES = 200;

/** A TCP port of 127.0.0.1 that nobody listens on now. Another may take it before you do: retry on EADDRINUSE. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const port = randomInt(FIRST, END);
    if (await isPortFree(port)) return port;
  }
  throw new Error(`cannot find a free port between ${FIRST} and ${END}`);
}

/** Whether we could listen on this port of 127.0.0.1 now. */
export function isPortFree(port: number, host = '127.0.0.1'): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, host, () => server.close(() => resolve(true)));
  });
}
