import { VaultPending } from '#libs/database';
import { refuse } from '../../refusal.js';
import type { Attempt, Decision } from '../attempt.js';
import type { CheckContext } from './context.js';

/**
 * A serial that is on no order yet waits for its order until `days` have passed; a person may let it in or refuse it before
 * (serial-vault.md 6.3).
 */
export async function awaitOrder(
  { holder }: Attempt,
  { tx, now }: CheckContext,
  days: number,
  otherwise: Decision,
): Promise<Decision> {
  const held = await tx.findOneBy(VaultPending, holder);
  if (held === null) return { kind: 'hold', why: 'unlisted', days, isNew: true };
  if (held.state === 'refused') refuseByOperator(holder.serial);
  if (held.expiresAt <= now) refuseUnlisted(holder.serial);
  if (held.state === 'approved') return otherwise;
  return { kind: 'hold', why: 'unlisted', days, isNew: false };
}

export function refuseUnlisted(serial: string): never {
  return refuse(
    'serial-not-expected',
    `cannot register serial ${serial}: it is on no production order of this model`,
  );
}

export function refuseByOperator(serial: string): never {
  return refuse(
    'refused-by-operator',
    `cannot register serial ${serial} with this device key: the brand has refused it`,
  );
}
