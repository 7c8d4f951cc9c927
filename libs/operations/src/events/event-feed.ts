import type { BrandEvent } from '#libs/database';
import type { Resources } from '../resources.js';
import { EventReader } from './event-reader.js';

/** After so long without news a follower is told that there is none: who has lost their rights learns it by then. */
const BEAT_MS = 5_000;
const BATCH = 100;

/** Told by Postgres that a brand has news (decisions 25); the news themselves are read, so that none is missed. */
export class EventFeed {
  private readonly reader: EventReader;
  private readonly waiting = new Map<string, Set<() => void>>();

  constructor(private readonly resources: Resources) {
    this.reader = new EventReader(resources);
    resources.db.listener.on('brand-event', (brandId) => this.wake(brandId));
  }

  /** Number of the brand's last event; 0: there is none. */
  last(brandId: string): Promise<number> {
    return this.reader.last(brandId);
  }

  /** Every event after number `after` in its order, and those to come; null: none for a while. Ends when it is returned. */
  async *follow(brandId: string, after: number): AsyncGenerator<BrandEvent | null> {
    for (let last = after; ;) {
      const news = this.news(brandId);
      const { rows } = await this.reader.list(brandId, last, BATCH);
      for (const row of rows) yield row;
      last = rows.at(-1)?.seq ?? last;
      if (rows.length > 0) {
        news.forget();
        continue;
      }
      await news.come;
      yield null;
    }
  }

  /** Asked for before reading: what is written in between wakes too. */
  private news(brandId: string): { readonly come: Promise<void>; forget(): void } {
    const waiting = this.waiting.get(brandId) ?? new Set();
    this.waiting.set(brandId, waiting);
    let forget = (): void => undefined;
    const come = new Promise<void>((resolve) => {
      const timer = setTimeout(() => forget(), BEAT_MS);
      timer.unref();
      forget = () => {
        clearTimeout(timer);
        waiting.delete(forget);
        if (waiting.size === 0 && this.waiting.get(brandId) === waiting)
          this.waiting.delete(brandId);
        resolve();
      };
      waiting.add(forget);
    });
    return { come, forget: () => forget() };
  }

  /** An empty name follows a reconnect: anything may have been missed. */
  private wake(brandId: string): void {
    const brands = brandId === '' ? [...this.waiting.keys()] : [brandId];
    for (const each of brands) for (const tell of [...(this.waiting.get(each) ?? [])]) tell();
  }
}
