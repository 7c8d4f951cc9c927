import { request, type Server } from 'node:http';

/** A wildcard address is no place to connect to. */
const LOOPBACK: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };

/**
 * One call to this very server over a new connection, which waits its turn as every newcomer's does. Resolves when it is
 * answered, whatever the answer; at once while the server does not listen.
 */
export function askSelf(server: Server): Promise<void> {
  const address = server.address();
  if (address === null || typeof address === 'string') return Promise.resolve();
  const host = LOOPBACK[address.address] ?? address.address;
  return new Promise((resolve) => {
    const call = request({ host, port: address.port, method: 'HEAD', path: '/', agent: false });
    call.on('response', (response) => response.resume());
    call.on('error', () => resolve());
    call.on('close', () => resolve());
    // A process that ends does not wait for it.
    call.on('socket', (socket) => socket.unref());
    call.end();
  });
}
