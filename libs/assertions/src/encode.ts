import type { Assertion } from './assertion.js';

const NEWLINE = Buffer.from('\n');

/**
 * Writes assertions one after the other in stream form (assertions.md 1.5): a blank line between them, every byte of
 * each as it was received.
 *
 * @example response.type(MEDIA_TYPE).send(encodeAssertions([serial, accountKey]));
 */
export function encodeAssertions(assertions: readonly Assertion[]): Buffer {
  const parts: Uint8Array[] = [];
  for (const [index, { bytes }] of assertions.entries()) {
    if (index > 0) {
      const last = parts[parts.length - 1];
      if (last?.[last.length - 1] !== 0x0a) parts.push(NEWLINE);
      parts.push(NEWLINE);
    }
    parts.push(bytes);
  }
  return Buffer.concat(parts);
}
