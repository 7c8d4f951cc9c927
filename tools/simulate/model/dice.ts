import { createHash } from 'node:crypto';

/** Numbers that depend on the words alone, many of them fast: mulberry32, seeded by their digest. */
export class Dice {
  private state: number;

  constructor(...words: readonly (string | number)[]) {
    this.state = createHash('sha256').update(words.join('\0')).digest().readInt32BE(0);
  }

  /** In [0, 1). */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** True so often, in [0, 1]. */
  chance(share: number): boolean {
    return this.next() < share;
  }

  between(low: number, high: number): number {
    return low + this.next() * (high - low);
  }

  /** A waiting time of this mean, without memory. */
  waiting(mean: number): number {
    return -Math.log(1 - this.next()) * mean;
  }
}
