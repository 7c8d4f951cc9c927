import { VaultSupersededKey } from '#libs/database';
import { refuse } from '../../refusal.js';
import type { Attempt } from '../attempt.js';
import type { CheckContext } from './context.js';

/** Step 14: before duplicates, since a revoked device must not get its stored serial again. */
export async function checkRevoked(attempt: Attempt, { tx }: CheckContext): Promise<void> {
  const { brandId, model, serial, deviceKeyId } = attempt;
  const [revoked] = await tx.query<unknown[]>(
    `SELECT 1 FROM vault.devices WHERE brand_id = $1 AND revoked_at IS NOT NULL
       AND ((model = $2 AND serial = $3) OR device_key_id = $4) LIMIT 1`,
    [brandId, model, serial, deviceKeyId],
  );
  if (revoked !== undefined) {
    refuse(
      'revoked-device',
      `cannot register serial ${serial}: the device was revoked; ask the brand`,
    );
  }
  if (await tx.existsBy(VaultSupersededKey, { brandId, model, deviceKeyId })) {
    refuse(
      'revoked-device',
      `cannot register serial ${serial}: this device key was superseded by another one`,
    );
  }
}
