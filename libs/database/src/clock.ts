import type { DataSource } from 'typeorm';
import type { Listener } from './listener.js';

const CHECK_EVERY_MS = 30_000;

/** The time that Postgres tells by `app.now()`, derived without asking it each time (decisions 19). */
export class Clock {
  private offsetMs = 0;

  private constructor(private readonly source: DataSource) {}

  static async start(source: DataSource, listener: Listener): Promise<Clock> {
    const clock = new Clock(source);
    await clock.measure();
    listener.on('clock', () => clock.measure());
    setInterval(() => void clock.measure().catch(() => undefined), CHECK_EVERY_MS).unref();
    return clock;
  }

  now(): Date {
    return new Date(Date.now() + this.offsetMs);
  }

  /** Milliseconds by which the database's clock is ahead of this process's. */
  get aheadMs(): number {
    return this.offsetMs;
  }

  private async measure(): Promise<void> {
    const before = Date.now();
    const [row] = await this.source.query<{ ms: string }[]>(
      'SELECT extract(epoch FROM app.now()) * 1000 AS ms',
    );
    const after = Date.now();
    if (row) this.offsetMs = Math.round(Number(row.ms) - (before + after) / 2);
  }
}
