import { LRUCache } from 'lru-cache';

/**
 * Values of Postgres in memory: read anew when they are older than `ttl`, once for all who ask meanwhile. While Postgres
 * does not answer, the last value goes on (update-control.md 2.6). That there is no value is not remembered.
 */
export class Remembered<V> {
  private readonly known: LRUCache<string, { readonly value: V }>;
  private readonly reading = new Map<string, Promise<V | null>>();

  constructor(
    limits: { readonly max: number; readonly ttl: number },
    private readonly load: (key: string) => Promise<V | null>,
  ) {
    this.known = new LRUCache({ ...limits, noDeleteOnStaleGet: true });
  }

  /** Null where there is none. Rejects when it cannot be read and was never known. */
  async get(key: string): Promise<V | null> {
    const fresh = this.known.get(key);
    return fresh ? fresh.value : (this.reading.get(key) ?? this.read(key));
  }

  set(key: string, value: V): void {
    this.known.set(key, { value });
  }

  /** What is held now, however old; undefined: nothing. */
  peek(key: string): V | undefined {
    return this.known.peek(key, { allowStale: true })?.value;
  }

  /** The next `get` reads it anew. */
  forget(key: string): void {
    this.known.delete(key);
    this.reading.delete(key);
  }

  forgetAll(): void {
    this.known.clear();
    this.reading.clear();
  }

  private read(key: string): Promise<V | null> {
    // Forgotten meanwhile: those who asked get it, and it is not kept.
    const isWanted = (): boolean => this.reading.get(key) === reading;
    const reading: Promise<V | null> = this.load(key)
      .then(
        (value) => {
          if (value === null) this.known.delete(key);
          else if (isWanted()) this.set(key, value);
          return value;
        },
        (error: unknown) => {
          const last = this.known.get(key, { allowStale: true });
          if (!last) throw error;
          return last.value;
        },
      )
      .finally(() => {
        if (isWanted()) this.reading.delete(key);
      });
    this.reading.set(key, reading);
    return reading;
  }
}
