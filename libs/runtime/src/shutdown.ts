import type { Logger } from './logger.js';

/** Undoes what the start did, the last thing first; each step has its time, and the next is taken whatever happened. */
export class Shutdown {
  private readonly steps: { readonly name: string; readonly run: () => unknown }[] = [];
  private running: Promise<void> | undefined;

  constructor(
    private readonly logger: Logger,
    private readonly stepTimeoutMs = 12_000,
  ) {}

  get isUnderWay(): boolean {
    return this.running !== undefined;
  }

  /** `run` may give a promise. */
  add(name: string, run: () => unknown): void {
    this.steps.push({ name, run });
  }

  run(): Promise<void> {
    return (this.running ??= this.undo());
  }

  private async undo(): Promise<void> {
    for (const step of this.steps.reverse()) {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise((_, reject) => {
        timer = setTimeout(
          () => reject(new Error(`not done in ${this.stepTimeoutMs} ms`)),
          this.stepTimeoutMs,
        );
      });
      try {
        await Promise.race([Promise.resolve().then(step.run), late]);
      } catch (err) {
        this.logger.error({ err, step: step.name }, 'cannot stop a part cleanly');
      } finally {
        clearTimeout(timer);
      }
    }
  }
}

/**
 * Calls `stop` once, on SIGTERM, on SIGINT, or when the parent that supervises us is gone: without the last, apps survive a
 * killed `npm start` as orphans (local-stack.md 6.5).
 */
export function onEnd(stop: (reason: string) => void): void {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop(signal));
  if (isSupervised()) process.once('disconnect', () => stop('the supervisor is gone'));
}

/** Started by `Processes` of the stack, with an IPC channel. */
export function isSupervised(): boolean {
  return process.env.BRANDSTORE_SUPERVISED === '1' && process.connected;
}
