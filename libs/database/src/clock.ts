import { performance } from 'node:perf_hooks';
import type { DataSource } from 'typeorm';
import type { Alarm } from './alarm.js';
import type { Listener } from './listener.js';

const CHECK_EVERY_MS = 2_000;
/** So far off this process's own clock is worth an alarm; much further off, nothing it has to do with is trusted (update-control.md 2.6). */
const OFF_MS = 2_000;
const FAR_OFF_MS = 60_000;

interface Reading {
  /** By `app.now()`, which tests and simulations shift. */
  readonly ms: string;
  /** By the server's own clock. */
  readonly wall: string;
}

/**
 * The time that Postgres tells by `app.now()`, derived without asking it each time (decisions 19). Between two measurements
 * it runs on the monotonic clock: a wall clock that is wrong, or jumps, moves nothing (update-control.md 2.6).
 */
export class Clock {
  /** Database time minus monotonic time. */
  private aheadOfStartMs: number | undefined;
  private wallOffMs = 0;
  private wasOff = false;

  private constructor(
    private readonly source: DataSource,
    private readonly alarm: Alarm,
  ) {}

  static async start(source: DataSource, listener: Listener, alarm: Alarm): Promise<Clock> {
    const clock = new Clock(source, alarm);
    await clock.measure();
    listener.on('clock', () => clock.measure());
    setInterval(() => void clock.measure().catch(() => undefined), CHECK_EVERY_MS).unref();
    return clock;
  }

  now(): Date {
    return new Date(Math.round(performance.now() + (this.aheadOfStartMs ?? 0)));
  }

  /** Milliseconds by which the database's clock is ahead of this process's. */
  get aheadMs(): number {
    return this.now().getTime() - Date.now();
  }

  /** True while this process's own clock is a minute or more away from the database's: then nothing moves. */
  get isFarOff(): boolean {
    return Math.abs(this.wallOffMs) > FAR_OFF_MS;
  }

  private async measure(): Promise<void> {
    const before = performance.now();
    const [row] = await this.source.query<Reading[]>(
      `SELECT extract(epoch FROM app.now()) * 1000 AS ms, extract(epoch FROM statement_timestamp()) * 1000 AS wall`,
    );
    const after = performance.now();
    if (!row) return;
    const ms = Number(row.ms);
    // Postgres said so between `before` and `after`: an estimate that fits stays, so that time is not moved back by noise.
    const known = this.aheadOfStartMs ?? ms - (before + after) / 2;
    this.aheadOfStartMs = Math.min(Math.max(known, ms - after), ms - before);
    this.judge(Date.now() - (after - before) / 2 - Number(row.wall));
  }

  private judge(wallOffMs: number): void {
    this.wallOffMs = wallOffMs;
    const isOff = Math.abs(wallOffMs) > OFF_MS;
    if (isOff && !this.wasOff) this.alarm('clock-off', { offMs: Math.round(wallOffMs) });
    this.wasOff = isOff;
  }
}
