import type { SnapContents } from './open-snap.js';
import { ReviewProblem } from './problem.js';

const MOST_ENTRIES = 500_000;
const MOST_UNPACKED_BYTES = 64 * 2 ** 30;
/** Below this nobody minds; above it the content must be worth its packed size. */
const HARMLESS_BYTES = 512 * 2 ** 20;
const MOST_RATIO = 200;

/** Sparse files and compression bombs: a few kilobytes that claim gigabytes. */
export function checkSize({ sizeBytes, entries }: SnapContents): void {
  if (entries.size > MOST_ENTRIES) {
    throw new ReviewProblem('too-large', `the snap holds more than ${MOST_ENTRIES} files`);
  }
  let unpacked = 0;
  for (const entry of entries.values()) unpacked += entry.sizeBytes;
  const isBomb = unpacked > HARMLESS_BYTES && unpacked > sizeBytes * MOST_RATIO;
  if (isBomb || unpacked > MOST_UNPACKED_BYTES) {
    throw new ReviewProblem(
      'too-large',
      `the snap unpacks to ${unpacked} bytes from ${sizeBytes}, more than is allowed`,
    );
  }
}
