import { deviceKeyOf } from '#libs/assertions';
import { known, type Attempt } from './attempt.js';

/** RFC 3339 in UTC, to the second. */
const timestamp = (now: Date): string => now.toISOString().replace(/\.\d+Z$/, 'Z');

/** Headers of the serial assertion (serial-vault.md 5). */
export function serialHeaders(
  attempt: Attempt,
  authorityId: string,
  now: Date,
): Record<string, string> {
  const { brandId, model, serial, deviceKeyId, decision, parts } = attempt;
  const revision = decision?.kind === 'sign' ? decision.revision : 0;
  return {
    'authority-id': authorityId,
    'brand-id': brandId,
    model,
    serial,
    ...(revision > 0 && { revision: String(revision) }),
    // A dry run knows the key's id only; nothing is signed there.
    ...(parts && { 'device-key': deviceKeyOf(parts.serialRequest).encoded }),
    'device-key-sha3-384': deviceKeyId,
    timestamp: timestamp(now),
  };
}

/** The request's body is carried over unless the model says otherwise. */
export function serialBody(attempt: Attempt): Buffer {
  const { policy } = known(attempt.registered, 'the model');
  return policy.body === 'copy'
    ? known(attempt.parts, 'the request').serialRequest.body
    : Buffer.alloc(0);
}
