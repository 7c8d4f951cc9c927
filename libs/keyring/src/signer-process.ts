import { timingSafeEqual } from 'node:crypto';
import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { KeyTable } from './key-table.js';
import { KeyringError } from './keyring-error.js';
import { readLines } from './line-reader.js';
import { readMasterKey } from './master-key.js';
import type {
  Operation,
  Operations,
  OperationTable,
  Request,
  Response,
  SignerReport,
  SignerSetup,
} from './operations.js';

// Entry of the signer child (decisions 8): the only process whose memory holds private keys. It has no arguments and no
// environment; standard input brings one line of setup and, by ending, the end.

// A socket path has at most 107 bytes on Linux and 103 elsewhere.
const LONGEST_PATH = 100;

type Address = Extract<SignerReport, { address: unknown }>['address'];

function toError(error: unknown): { code: KeyringError['code']; message: string } {
  if (error instanceof KeyringError) return { code: error.code, message: error.message };
  // Messages of node:crypto name algorithms and reasons, never key material.
  return { code: 'bad-request', message: error instanceof Error ? error.message : String(error) };
}

const NAMES: readonly string[] = [
  'list',
  'sign',
  'generate',
  'load',
  'transport',
  'import',
  'reseal',
  'forget',
] satisfies Operation[];

async function perform<Op extends Operation>(
  table: OperationTable,
  { op, ask }: Request<Op>,
): Promise<Operations[Op]['answer']> {
  if (!NAMES.includes(op)) throw new KeyringError('bad-request', `cannot do ${String(op)}`);
  return table[op](ask);
}

async function respond(table: OperationTable, line: string): Promise<Response> {
  // The peer has shown the password that only our parent knows: the line is its Request.
  const request = JSON.parse(line) as Request;
  try {
    return { id: request.id, answer: await perform(table, request) };
  } catch (error) {
    return { id: request.id, error: toError(error) };
  }
}

function serve(table: OperationTable, socket: Socket, password: string): void {
  const expected = Buffer.from(password);
  let isKnown = false;
  socket.on('error', () => socket.destroy());
  readLines(socket, (line) => {
    if (isKnown) {
      void respond(table, line).then(
        (response) => socket.write(`${JSON.stringify(response)}\n`),
        () => socket.destroy(),
      );
      return;
    }
    const shown = Buffer.from(line);
    isKnown = shown.length === expected.length && timingSafeEqual(shown, expected);
    if (!isKnown) socket.destroy();
  });
}

/** A socket in a folder of mode 0700 where the path is short enough, else a loopback port behind the password. */
async function listen(server: Server): Promise<Address> {
  const listening = (): Promise<void> =>
    new Promise((resolve, reject) => server.once('listening', resolve).once('error', reject));
  const path = join(await mkdtemp(join(tmpdir(), 'signer-')), 's');
  if (Buffer.byteLength(path) < LONGEST_PATH) {
    process.once('exit', () => rmSync(dirname(path), { recursive: true, force: true }));
    server.listen(path);
    await listening();
    return { path };
  }
  rmSync(dirname(path), { recursive: true });
  server.listen(0, '127.0.0.1');
  await listening();
  return { port: (server.address() as AddressInfo).port };
}

async function start(setup: SignerSetup): Promise<SignerReport> {
  try {
    const [current, ...former] = await Promise.all(setup.masterKeys.map(readMasterKey));
    if (current === undefined) throw new KeyringError('master-key', 'cannot do without master key');
    const table = new KeyTable(current, former);
    for (const sealed of setup.sealedKeys) await table.load({ sealed });
    const server = createServer((socket) => serve(table, socket, setup.password));
    return { address: await listen(server), ...(await table.list()) };
  } catch (error) {
    return { error: toError(error) };
  }
}

process.title = 'brandstore-signer';
// A signal to the whole group must not end the signer before its parent has drained; SIGUSR1 would open the debugger.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1'] as const)
  process.on(signal, () => {});
process.stdin.once('close', () => process.exit(0)).once('error', () => process.exit(0));

let isStarted = false;
readLines(process.stdin, (line) => {
  if (isStarted) return;
  isStarted = true;
  // Written by our parent, signer-link.ts.
  void start(JSON.parse(line) as SignerSetup).then((report) => {
    process.stdout.write(`${JSON.stringify(report)}\n`, () => {
      if ('error' in report) process.exit(1);
    });
  });
});
