import { setTimeout as sleep } from 'node:timers/promises';
import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { KeyringError } from './keyring-error.js';
import { readLines } from './line-reader.js';
import type {
  HeldKey,
  Operation,
  Operations,
  Response,
  SignerReport,
  SignerSetup,
} from './operations.js';
import { signerArguments } from './signer-entry.js';

type Child = ChildProcessByStdio<Writable, Readable, Readable>;
type Started = Extract<SignerReport, { address: unknown }>;

interface Pending {
  readonly resolve: (answer: Operations[Operation]['answer']) => void;
  readonly reject: (error: KeyringError) => void;
}

const START_MS = 60_000;
const DRAIN_STEP_MS = 50;
const CLOSE_MS = 5_000;
const STDERR_TAIL = 2000;

/** Resolves when the child is gone, with how it went. */
function watchEnd(child: Child): Promise<KeyringError> {
  let tail = '';
  child.stderr.setEncoding('utf8');
  child.stderr.on('data', (chunk: string) => {
    tail = (tail + chunk).slice(-STDERR_TAIL);
  });
  return new Promise((resolve) => {
    child.once('error', (cause) => {
      resolve(new KeyringError('signer-start', 'cannot start the signer process', { cause }));
    });
    child.once('close', (status, signal) => {
      const how = signal ?? `status ${status ?? 'unknown'}`;
      const said = tail === '' ? '' : `: ${tail.trim()}`;
      resolve(
        new KeyringError('signer-died', `cannot reach the signer: it ended with ${how}${said}`),
      );
    });
  });
}

function readReport(child: Child): Promise<Started> {
  return new Promise((resolve, reject) => {
    readLines(child.stdout, (line) => {
      // Written by our own child, signer-process.ts.
      const report = JSON.parse(line) as SignerReport;
      if ('address' in report) resolve(report);
      else reject(new KeyringError(report.error.code, report.error.message));
    });
  });
}

async function withinStart<Value>(
  work: Promise<Value>,
  died: Promise<KeyringError>,
): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new KeyringError('signer-start', 'cannot wait longer for the signer to start');
    timer = setTimeout(() => reject(error), START_MS);
  });
  // A report of failure is written before the child ends, but may be read after it.
  const gone = died.then(async (error) => {
    await new Promise((resolve) => setImmediate(resolve));
    throw error;
  });
  try {
    return await Promise.race([work, gone, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** One signer process and the connection to it. */
export class SignerLink {
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;

  private constructor(
    readonly child: Child,
    readonly socket: Socket,
    readonly started: Started,
    /** Resolves, never rejects, when process or connection is gone. */
    readonly died: Promise<KeyringError>,
  ) {
    readLines(socket, (line) => this.#settle(JSON.parse(line) as Response));
    socket.on('error', () => socket.destroy());
    // Without connection the process is of no use; its end then tells everybody.
    socket.once('close', () => child.stdin.end());
    void died.then((error) => this.#end(error));
  }

  /** Starts a process; rejects with its own words when it cannot open a key, else with `signer-start` or `signer-died`. */
  static async open(setup: Omit<SignerSetup, 'password'>): Promise<SignerLink> {
    // No environment: nothing of ours, NODE_OPTIONS with a debugger least of all, reaches the process with the keys.
    const env = { TMPDIR: tmpdir() };
    const child = spawn(process.execPath, signerArguments(), { stdio: 'pipe', env });
    const died = watchEnd(child);
    child.stdin.on('error', () => child.stdin.destroy());
    const password = randomBytes(32).toString('base64url');
    child.stdin.write(`${JSON.stringify({ ...setup, password } satisfies SignerSetup)}\n`);
    try {
      const started = await withinStart(readReport(child), died);
      const socket = connect({ ...started.address, host: '127.0.0.1' });
      await withinStart(once(socket, 'connect'), died);
      socket.setNoDelay(true).write(`${password}\n`);
      return new SignerLink(child, socket, started, died);
    } catch (error) {
      child.stdin.end();
      throw error;
    }
  }

  /** The keys that the process held when it had started. */
  get keys(): readonly HeldKey[] {
    return this.started.keys;
  }

  /** Asks; rejects with the signer's own error, with `signer-died`, or with `signer-slow` after the time limit. */
  async request<Op extends Operation>(
    op: Op,
    ask: Operations[Op]['ask'],
    timeLimitMs: number,
  ): Promise<Operations[Op]['answer']> {
    if (this.socket.destroyed) throw await this.died;
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#pending.delete(id);
        reject(
          new KeyringError('signer-slow', `cannot wait longer than ${timeLimitMs} ms for ${op}`),
        );
      }, timeLimitMs);
      const settle = (work: () => void): void => {
        clearTimeout(timer);
        this.#pending.delete(id);
        work();
      };
      this.#pending.set(id, {
        resolve: (answer) => settle(() => resolve(answer)),
        reject: (error) => settle(() => reject(error)),
      });
      this.socket.write(`${JSON.stringify({ id, op, ask })}\n`);
    });
  }

  /** Waits until nothing is under way, for what may still be on its way here too. */
  async drain(): Promise<void> {
    do await sleep(DRAIN_STEP_MS);
    while (this.#pending.size > 0 && !this.socket.destroyed);
  }

  /** Ends the process by the end of its input, after five seconds by force. */
  async close(): Promise<void> {
    const timer = setTimeout(() => this.child.kill('SIGKILL'), CLOSE_MS);
    this.child.stdin.end();
    await this.died;
    clearTimeout(timer);
  }

  #settle(response: Response): void {
    const pending = this.#pending.get(response.id);
    if ('error' in response) {
      pending?.reject(new KeyringError(response.error.code, response.error.message));
    } else {
      pending?.resolve(response.answer);
    }
  }

  async #end(error: KeyringError): Promise<void> {
    this.socket.destroy();
    for (const pending of [...this.#pending.values()]) pending.reject(error);
    const { address } = this.started;
    // A killed process could not take its folder away.
    if ('path' in address) {
      await rm(dirname(address.path), { recursive: true, force: true }).catch(() => {});
    }
  }
}
