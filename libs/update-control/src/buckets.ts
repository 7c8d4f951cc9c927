import { createHash } from 'node:crypto';
import { UpdateControlError } from './errors.js';

/** One more than the largest bucket: a threshold of 2^53 admits everybody, also devices never seen before. */
export const EVERYBODY = 2 ** 53;

/**
 * Where a device stands in one rollout, in [0, 2^53): the first 56 bits of SHA-256(salt ‖ 0x00 ‖ uid) without the last three
 * (update-control.md 2.4). `saltHex`: 32 hex digits, drawn per rollout. The SQL twin is in the same section.
 */
export function bucket(saltHex: string, uid: string): number {
  const digest = createHash('sha256').update(saltHex, 'hex').update(`\0${uid}`, 'utf8').digest();
  // 48 bits and the upper 5 of the next 8: exact in a double.
  return digest.readUIntBE(0, 6) * 32 + (digest.readUInt8(6) >> 3);
}

/** Throws `bad-salt` unless the salt is 16 bytes of lower-case hex. Checked when a snapshot is compiled, not on each poll. */
export function assertSalt(saltHex: string): void {
  if (!/^[0-9a-f]{32}$/.test(saltHex))
    throw new UpdateControlError('bad-salt', 'cannot use salt: not 16 bytes of hex');
}

/** `percent` per cent of all buckets, rounded up: what a share means for a population that nobody counted. */
export function shareThreshold(percent: number): number {
  if (!(percent >= 0 && percent <= 100)) {
    throw new UpdateControlError(
      'bad-share',
      `cannot use a share of ${percent} %: not between 0 and 100`,
    );
  }
  // Millionths of a per cent are exact integers; a float product would lose the low bits.
  const parts = BigInt(Math.round(percent * 1e6));
  const whole = 100n * 1_000_000n;
  return Number((parts * BigInt(EVERYBODY) + whole - 1n) / whole);
}

/** The size of a wave: cumulative, either a share of the fleet (at least `minCount` devices) or a number of devices. */
export interface WaveSize {
  readonly percent?: number | undefined;
  readonly count?: number | undefined;
  readonly minCount?: number | undefined;
}

/** How many of `population` members the wave admits: max(minCount, ⌈N·p/100⌉) or the count, at most all. */
export function waveCount(size: WaveSize, population: number): number {
  const wanted =
    size.count ??
    Math.max(
      size.minCount ?? 0,
      Number(ceilDiv(BigInt(population) * partsOf(size.percent ?? 0), 100_000_000n)),
    );
  return Math.min(wanted, population);
}

function partsOf(percent: number): bigint {
  shareThreshold(percent);
  return BigInt(Math.round(percent * 1e6));
}

function ceilDiv(a: bigint, b: bigint): bigint {
  return (a + b - 1n) / b;
}

export interface FrozenWave {
  readonly population: number;
  /** Devices admitted at the moment of freezing; later members are admitted by their bucket alone. */
  readonly k: number;
  readonly threshold: number;
}

/**
 * Freezes a wave's threshold on the buckets of the fleet's members (any order; not changed): exactly the k smallest are admitted, so
 * that a "1 %" wave of 100 devices is never empty. A share of 100 % is 2^53, not "the largest known bucket". Never below
 * `prevThreshold`: a wave only grows (update-control.md 2.4).
 */
export function freezeThreshold(
  buckets: readonly number[],
  size: WaveSize,
  prevThreshold = 0,
): FrozenWave {
  const population = buckets.length;
  const k = waveCount(size, population);
  const sorted = Float64Array.from(buckets).sort();
  const kth = k === 0 ? 0 : (sorted[k - 1] ?? 0) + 1;
  const own = size.percent === 100 ? EVERYBODY : kth;
  const threshold = Math.max(prevThreshold, own);
  return { population, k: countBelow(sorted, threshold), threshold };
}

function countBelow(sorted: Float64Array, threshold: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? 0) < threshold) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Refuses a wave that would be smaller than the one before it (U39). Throws `threshold-falls`. */
export function assertGrowing(before: number, after: number): void {
  if (after < before) {
    throw new UpdateControlError(
      'threshold-falls',
      'cannot make a wave smaller: abort the rollout and start a new one, with inheritSaltFrom to keep the same first devices',
      { before, after },
    );
  }
}
