import type { Tx } from '../../database.js';
import { VaultOidcLogin } from '../entities/index.js';

/** Names a begun login: by both, so that what passed through a browser does not suffice. */
export type OidcLoginName = Pick<VaultOidcLogin, 'ticketHash' | 'stateHash'>;

/** Uses it up for one answer of the provider, atomically; null: unknown, used or over. */
export async function takeOidcLogin(
  tx: Tx,
  { ticketHash, stateHash }: OidcLoginName,
): Promise<VaultOidcLogin | null> {
  const [, changed] = await tx.query<[unknown, number]>(
    `UPDATE vault.oidc_logins SET used_at = app.now()
     WHERE ticket_hash = $1 AND state_hash = $2 AND used_at IS NULL AND expires_at > app.now()`,
    [ticketHash, stateHash],
  );
  return changed === 1 ? tx.findOneBy(VaultOidcLogin, { ticketHash }) : null;
}

/** One whose person is known and that is not over, locked; null: there is none. */
export function lockProvenLogin(tx: Tx, name: OidcLoginName): Promise<VaultOidcLogin | null> {
  return tx
    .createQueryBuilder(VaultOidcLogin, 'login')
    .setLock('pessimistic_write')
    .where(name)
    .andWhere('login.proven IS NOT NULL AND login.expiresAt > app.now()')
    .getOne();
}

/** Takes away what nobody can finish any more; in a background job, never in a request. */
export async function sweepOidcLogins(tx: Tx): Promise<void> {
  await tx.query(`DELETE FROM vault.oidc_logins WHERE expires_at < app.now()`);
}
