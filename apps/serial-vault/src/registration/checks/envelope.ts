import { createHash } from 'node:crypto';
import { MEDIA_TYPE } from '#libs/assertions';
import { refuse } from '../../refusal.js';
import type { Attempt } from '../attempt.js';
import type { CheckContext } from './context.js';

/** Step 1: size and kind of what was posted. */
export async function checkEnvelope(attempt: Attempt, { resources }: CheckContext): Promise<void> {
  const { body, contentType } = attempt.envelope;
  if (body.length > resources.settings.maxBodyBytes) {
    refuse(
      'too-large',
      `cannot take a request of more than ${resources.settings.maxBodyBytes} bytes`,
    );
  }
  if (contentType !== undefined && contentType !== MEDIA_TYPE) {
    refuse('unsupported-media-type', `cannot read ${contentType}: send ${MEDIA_TYPE}`);
  }
  attempt.requestDigest = createHash('sha3-384').update(body).digest('base64url');
}

/** Step 2: not too often, and not from where wrong keys came. */
export async function checkRate(attempt: Attempt, { limiter, now }: CheckContext): Promise<void> {
  const { address } = attempt.envelope;
  limiter.check(`serial ${address}`, address, now.getTime());
}
