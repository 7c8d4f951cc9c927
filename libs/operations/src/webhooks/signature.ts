import { createHmac } from 'node:crypto';
import type { Webhook } from '#libs/database';

/** What secrets are derived from, and which of them are live. */
export type SecretHolder = Pick<Webhook, 'id' | 'secretNo' | 'previousUntil'>;

/**
 * The secret of a webhook's rotation `no`, as its receiver keeps it: `whsec_` and 32 bytes in base64. It is derived from the
 * installation's secret, so that no table holds it and worker and API agree on it.
 */
export function webhookSecret(installationSecret: Buffer, id: string, no: number): string {
  const key = createHmac('sha256', installationSecret).update(`webhook ${id} ${no}`).digest();
  return `whsec_${key.toString('base64')}`;
}

/** The secrets that are good at `now`: the current one first, and the one before while it may still be used. */
export function liveSecrets(
  installationSecret: Buffer,
  webhook: SecretHolder,
  now: Date,
): string[] {
  const { id, secretNo, previousUntil } = webhook;
  const numbers =
    previousUntil !== null && now < previousUntil ? [secretNo, secretNo - 1] : [secretNo];
  return numbers.map((no) => webhookSecret(installationSecret, id, no));
}

/**
 * `v1,<base64>` per secret, separated by blanks: HMAC-SHA256 over id, timestamp (whole seconds) and body, joined by dots.
 * The form of standardwebhooks.com, for which receivers find libraries.
 */
export function signWebhook(
  secrets: readonly string[],
  id: string,
  timestamp: number,
  body: string,
): string {
  return secrets
    .map((secret) => {
      const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
      const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`);
      return `v1,${signature.digest('base64')}`;
    })
    .join(' ');
}
