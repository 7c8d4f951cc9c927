import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { StackError } from './errors.js';
import { lastLines, logSize, readLog } from './log-file.js';

/** How to start one of our apps, and how it says that it serves. */
export interface ProcessSpec {
  readonly name: string;
  /** Path of a JavaScript file; `appMain(…)` for our apps. */
  readonly script: string;
  readonly args?: readonly string[];
  /** All it gets besides PATH, HOME, TMPDIR and NODE_ENV. */
  readonly env: Readonly<Record<string, string>>;
  /**
   * `message`: the app sends `{ type: 'ready', addresses }` over IPC, as `bootstrapApp` does; `url`: answers 2xx there;
   * `line`: prints a matching line.
   */
  readonly ready: 'message' | { readonly url: string } | { readonly line: RegExp };
  readonly readyTimeoutMs?: number;
  /** SIGTERM to SIGKILL; 15 s if not given. */
  readonly stopTimeoutMs?: number;
}

export interface ProcessesOptions {
  /** `<name>.log` of each process; appended to over restarts. */
  readonly logDir: string;
  /** Told of every end that nobody asked for. */
  readonly onUnexpectedExit?: (name: string, why: string) => void;
}

/** One running app. */
export interface ManagedProcess {
  readonly name: string;
  readonly pid: number;
  readonly logFile: string;
  /** What the app reported with its ready message, e.g. `{ http: 'http://127.0.0.1:41234', ops: … }`. */
  readonly addresses: Readonly<Record<string, string>>;
  /** Resolves with the status or signal when it has ended, for whatever reason. */
  readonly exited: Promise<number | NodeJS.Signals>;
}

interface Running extends ManagedProcess {
  readonly spec: ProcessSpec;
  readonly child: ChildProcess;
  addresses: Readonly<Record<string, string>>;
  isEndExpected: boolean;
}

/**
 * Starts, restarts, stops and kills our apps. Each runs in a process group of its own, so that only we react to Ctrl-C,
 * and on an IPC channel, whose end tells it to stop when we die (local-stack.md 6.2, 6.5).
 */
export class Processes {
  private readonly running = new Map<string, Running>();
  private readonly specs = new Map<string, ProcessSpec>();

  constructor(private readonly options: ProcessesOptions) {
    mkdirSync(options.logDir, { recursive: true });
  }

  /**
   * Resolves when the app is ready.
   * @throws StackError `ended-early` or `not-ready`, with the last lines of its log; `taken` for a name already running
   */
  async start(spec: ProcessSpec): Promise<ManagedProcess> {
    if (this.running.has(spec.name)) {
      throw new StackError('taken', `cannot start ${spec.name}: it is running`);
    }
    this.specs.set(spec.name, spec);
    const logFile = join(this.options.logDir, `${spec.name}.log`);
    const offset = logSize(logFile);
    const running = this.spawn(spec, logFile);
    try {
      await this.untilReady(running, offset);
      running.isEndExpected = false;
    } catch (error) {
      await this.end(running, 'SIGKILL', 5_000);
      throw error;
    }
    return running;
  }

  /** The running process of that name. */
  get(name: string): ManagedProcess {
    return this.need(name);
  }

  has(name: string): boolean {
    return this.running.has(name);
  }

  /** Asks it to end with SIGTERM, insists after 15 s with SIGKILL; no-op when it is not running. */
  async stop(name: string): Promise<void> {
    const running = this.running.get(name);
    if (running) await this.end(running, 'SIGTERM', running.spec.stopTimeoutMs ?? 15_000);
  }

  /** kill -9 of the one process (not of its children): a crash. Resolves when it is gone. */
  async kill(name: string): Promise<void> {
    const running = this.need(name);
    running.isEndExpected = true;
    running.child.kill('SIGKILL');
    await running.exited;
  }

  /** Starts it again as it was started last, with changed environment if given; after `kill`, or stopping it first. */
  async restart(name: string, env: Readonly<Record<string, string>> = {}): Promise<ManagedProcess> {
    await this.stop(name);
    const spec = this.specs.get(name);
    if (!spec) throw new StackError('bad-setting', `cannot restart ${name}: it was never started`);
    return this.start({ ...spec, env: { ...spec.env, ...env } });
  }

  /** Stops all at once: none needs another to end in order. */
  async stopAll(): Promise<void> {
    await Promise.all([...this.running.keys()].map((name) => this.stop(name)));
  }

  /** What it has printed so far (the last 64 kB). */
  log(name: string): string {
    return readLog(join(this.options.logDir, `${name}.log`));
  }

  private need(name: string): Running {
    const running = this.running.get(name);
    if (!running) throw new StackError('bad-setting', `cannot find ${name}: it is not running`);
    return running;
  }

  private spawn(spec: ProcessSpec, logFile: string): Running {
    const log = openSync(logFile, 'a', 0o600);
    const child = spawn(process.execPath, [spec.script, ...(spec.args ?? [])], {
      detached: true,
      stdio: ['ignore', log, log, 'ipc'],
      env: { ...inheritedEnv(), BRANDSTORE_SUPERVISED: '1', ...spec.env },
    });
    closeSync(log);
    const exited = new Promise<number | NodeJS.Signals>((resolve) => {
      child.once('exit', (code, signal) => resolve(code ?? signal ?? 0));
      child.once('error', () => resolve(127));
    });
    const running: Running = {
      name: spec.name,
      pid: child.pid ?? 0,
      logFile,
      addresses: {},
      exited,
      spec,
      child,
      // Until it is ready, `start` itself reports its end.
      isEndExpected: true,
    };
    this.running.set(spec.name, running);
    void exited.then((status) => {
      this.running.delete(spec.name);
      if (!running.isEndExpected)
        this.options.onUnexpectedExit?.(spec.name, `ended with ${status}`);
    });
    return running;
  }

  private async untilReady(running: Running, logOffset: number): Promise<void> {
    const { spec, child, logFile } = running;
    const timeoutMs = spec.readyTimeoutMs ?? 30_000;
    let ended: number | NodeJS.Signals | undefined;
    void running.exited.then((status) => (ended = status));
    let isReady = false;
    child.on('message', (message: unknown) => {
      if (!isReadyMessage(message)) return;
      running.addresses = message.addresses ?? {};
      if (spec.ready === 'message') isReady = true;
    });
    for (const end = Date.now() + timeoutMs; !isReady;) {
      await new Promise((resolve) => setTimeout(resolve, 15));
      if (ended !== undefined) {
        const tail = lastLines(readLog(logFile, logOffset));
        throw new StackError(
          'ended-early',
          `cannot start ${spec.name}: it ended with ${ended}\n${tail}`,
        );
      }
      if (Date.now() >= end) {
        const tail = lastLines(readLog(logFile, logOffset));
        throw new StackError(
          'not-ready',
          `cannot start ${spec.name}: not ready after ${timeoutMs / 1000} s\n${tail}`,
        );
      }
      if (typeof spec.ready === 'object') isReady = await isUp(spec.ready, logFile, logOffset);
    }
  }

  private async end(running: Running, signal: NodeJS.Signals, patienceMs: number): Promise<void> {
    running.isEndExpected = true;
    running.child.kill(signal);
    const timer = setTimeout(() => running.child.kill('SIGKILL'), patienceMs);
    await running.exited;
    clearTimeout(timer);
    try {
      process.kill(-running.pid, 'SIGKILL'); // children it may have left behind, in its group
    } catch {
      // none
    }
  }
}

function isReadyMessage(message: unknown): message is { addresses?: Record<string, string> } {
  return (
    typeof message === 'object' && message !== null && 'type' in message && message.type === 'ready'
  );
}

async function isUp(
  ready: { readonly url: string } | { readonly line: RegExp },
  logFile: string,
  logOffset: number,
): Promise<boolean> {
  if ('line' in ready) return ready.line.test(readLog(logFile, logOffset));
  try {
    const response = await fetch(ready.url, { signal: AbortSignal.timeout(2_000) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}

/** Little enough that an app cannot depend on the terminal it was started from. */
function inheritedEnv(): Record<string, string> {
  const names = ['PATH', 'HOME', 'TMPDIR', 'NODE_EXTRA_CA_CERTS', 'NODE_V8_COVERAGE'];
  const pairs = names.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { NODE_ENV: 'production', ...Object.fromEntries(pairs) };
}
