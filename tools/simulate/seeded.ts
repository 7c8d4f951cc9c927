import { createHash } from 'node:crypto';

const digest = (words: readonly (string | number)[]): Buffer =>
  createHash('sha256').update(words.join('\0')).digest();

/** A number in [0, 1) that depends on the words alone: the same dice in every run of a seed. */
export const fractionOf = (...words: readonly (string | number)[]): number =>
  digest(words).readUIntBE(0, 6) / 2 ** 48;

/** A uuid that depends on the words alone. */
export function uuidOf(...words: readonly (string | number)[]): string {
  const bytes = digest(words).subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return [8, 12, 16, 20, 32]
    .map((end, index, ends) => hex.slice(ends[index - 1] ?? 0, end))
    .join('-');
}

/** Sixteen bytes that depend on the words alone, such as the salt of a rollout. */
export const saltOf = (...words: readonly (string | number)[]): Buffer =>
  digest(words).subarray(0, 16);
