import { setTimeout as sleep } from 'node:timers/promises';
import { Rollout, RolloutCounts, Wave, addToOutbox, type Database } from '#libs/database';
import type { Installation } from '../../installation/index.js';

const LIMIT_MS = 300_000;
/** Looks again so soon, and later ever more seldom: looking costs the store something, too. */
const LOOK_MS = { first: 4, most: 60, growth: 1.5 } as const;
/** A job that nobody has taken is asked for again. */
const ASK_AGAIN_MS = 2_000;
/** With more than this left nobody has to extend a lease (update-control.md 2.4). */
const LEASE_LEFT_MS = 10 * 60_000;
const LIVE: ReadonlySet<string> = new Set(['ACTIVE', 'COMPLETING']);

export interface RolloutId {
  readonly brandId: string;
  readonly rolloutId: string;
}

/**
 * What the worker's timers would do within a step of compressed time, asked for at once and waited for: the store writes what it
 * heard, the worker counts the rollout and then asks its gates. Everything is done by the store's own jobs.
 */
export class WorkerRounds {
  constructor(
    private readonly db: Database,
    private readonly installation: Installation,
  ) {}

  /** Until nothing that devices said waits in the memory of the store. */
  async written(): Promise<void> {
    const url = `http://127.0.0.1:${this.installation.ports.storeOps}/metrics`;
    await until('what was heard to be written', async () => {
      const text = await (await fetch(url)).text();
      const waiting = [...text.matchAll(/^brandstore_writes_waiting\{.*\} (\d+)$/gm)];
      return waiting.length > 0 && waiting.every(([, count]) => count === '0');
    });
  }

  /** Until the rollout is counted as of `since` or later, its gates were asked after that, and what they said is done. */
  async judged(of: RolloutId, since: Date): Promise<void> {
    const isCounted = async (): Promise<boolean> => {
      const row = await this.read(RolloutCounts, of);
      return (row?.countedAt ?? new Date(0)) >= since;
    };
    if (!(await this.isLive(of))) return;
    await this.asked(of, 'stats-rollup', async () => !(await this.isLive(of)) || isCounted());
    await this.asked(
      of,
      'rollout-tick',
      async () => !(await this.isLive(of)) || this.isSettled(of),
    );
  }

  /** Asks as the reconciler does. */
  private async asked(
    { brandId, rolloutId }: RolloutId,
    job: 'stats-rollup' | 'rollout-tick',
    isDone: () => Promise<boolean>,
  ): Promise<void> {
    const payload = { rolloutId, brandId, ...(job === 'rollout-tick' && { rev: 0 }) };
    let askedAt = -Infinity;
    await until(job, async () => {
      if (await isDone()) return true;
      if (Date.now() - askedAt > ASK_AGAIN_MS) {
        askedAt = Date.now();
        await this.db.asBrand(brandId, (tx) => addToOutbox(tx, job, payload));
      }
      return false;
    });
  }

  private async isLive(of: RolloutId): Promise<boolean> {
    return LIVE.has((await this.rollout(of)).state);
  }

  /** Watched, and no wave is between two states. */
  private async isSettled(of: RolloutId): Promise<boolean> {
    const { state, leaseUntil } = await this.rollout(of);
    if (state !== 'ACTIVE') return false;
    const left = (leaseUntil?.getTime() ?? 0) - this.db.clock.now().getTime();
    if (left <= LEASE_LEFT_MS) return false;
    const waves = await this.db.asSystem((tx) => tx.findBy(Wave, { rolloutId: of.rolloutId }));
    return waves.some((wave) => wave.state === 'OPEN');
  }

  private async rollout({ rolloutId }: RolloutId): Promise<Rollout> {
    return this.db.asSystem((tx) => tx.findOneByOrFail(Rollout, { id: rolloutId }));
  }

  private read(
    entity: typeof RolloutCounts,
    { rolloutId }: RolloutId,
  ): Promise<RolloutCounts | null> {
    return this.db.asSystem((tx) => tx.findOneBy(entity, { rolloutId }));
  }
}

/** Waits for a condition. */
export async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + LIMIT_MS;
  for (let waitMs: number = LOOK_MS.first; !(await isSo());) {
    if (Date.now() > end) throw new Error(`cannot wait any longer for ${what}`);
    await sleep(waitMs);
    waitMs = Math.min(waitMs * LOOK_MS.growth, LOOK_MS.most);
  }
}
