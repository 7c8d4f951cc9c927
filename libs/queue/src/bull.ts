import type { Job, JobsOptions, WorkerOptions } from 'bullmq';
import type { Lane } from './job-contract.js';

/** The part of BullMQ's `Queue` that we use, the same on both backends. */
export interface BullQueue {
  add(name: string, data: object, options: JobsOptions): Promise<unknown>;
  getJobCounts(...types: string[]): Promise<Record<string, number>>;
  waitUntilReady(): Promise<unknown>;
  close(): Promise<void>;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

/** The part of BullMQ's `Worker` that we use. */
export interface BullWorker {
  waitUntilReady(): Promise<unknown>;
  close(force?: boolean): Promise<void>;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'stalled', listener: (jobId: string) => void): unknown;
  on(event: 'completed', listener: (job: Job) => void): unknown;
  on(event: 'failed', listener: (job: Job | undefined, error: Error) => void): unknown;
}

export type BullWorkerOptions = Omit<WorkerOptions, 'connection' | 'prefix'>;

/** What carries the jobs: a Redis, or BullMQ's tables in Postgres. */
export interface BullBackend {
  readonly kind: 'redis' | 'postgres';
  /** Checks the service, and makes what it needs there. */
  prepare(): Promise<void>;
  queue(lane: Lane): BullQueue;
  worker(
    lane: Lane,
    processor: (job: Job) => Promise<void>,
    options: BullWorkerOptions,
  ): BullWorker;
  /** After queues and workers are closed. */
  close(): Promise<void>;
}
