const AT_ONCE = 500;

interface Question<V> {
  readonly key: string;
  readonly answer: (value: V | null) => void;
  readonly fail: (error: unknown) => void;
}

/**
 * One question to Postgres for all that is asked while the one before is under way: a thousand devices that wake up together are a few
 * statements and not a thousand transactions; who asks alone does not wait.
 */
export class Gathered<V> {
  private asked: Question<V>[] = [];
  private isReading = false;

  /** `load`: what there is of these keys; what is left out is null. */
  constructor(
    private readonly load: (keys: readonly string[]) => Promise<ReadonlyMap<string, V>>,
  ) {}

  get(key: string): Promise<V | null> {
    return new Promise((answer, fail) => {
      this.asked.push({ key, answer, fail });
      if (!this.isReading) void this.read();
    });
  }

  private async read(): Promise<void> {
    this.isReading = true;
    while (this.asked.length > 0) {
      const now = this.asked.slice(0, AT_ONCE);
      this.asked = this.asked.slice(AT_ONCE);
      try {
        const found = await this.load([...new Set(now.map(({ key }) => key))]);
        for (const { key, answer } of now) answer(found.get(key) ?? null);
      } catch (error) {
        for (const { fail } of now) fail(error);
      }
    }
    this.isReading = false;
  }
}
