import { findUsableRequestId } from '#libs/database';
import { refuse } from '../../refusal.js';
import type { Attempt } from '../attempt.js';
import type { CheckContext } from './context.js';
import { readRequestId } from './stream.js';

export const INVALID_REQUEST_ID =
  'cannot accept the request-id: it is unknown, used or too old; the device must ask for a new one';

/** Step 7: issued by us to this API key, and not used up by another request. It is consumed with the reservation only. */
export async function checkRequestId(attempt: Attempt, { tx }: CheckContext): Promise<void> {
  const found = await findUsableRequestId(tx, readRequestId(attempt), attempt.requestDigest);
  if (found === null || found.apiKeyId !== (attempt.apiKey?.id ?? null)) {
    refuse('invalid-nonce', INVALID_REQUEST_ID);
  }
}
