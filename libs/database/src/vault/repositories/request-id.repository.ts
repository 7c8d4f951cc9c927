import type { Tx } from '../../database.js';
import type { VaultNonce } from '../entities/index.js';

/** Gives out a request-id; `lifetimeSeconds` by the database's clock (serial-vault.md 8). */
export async function insertRequestId(
  tx: Tx,
  nonce: Pick<VaultNonce, 'nonceHash' | 'apiKeyId' | 'address'>,
  lifetimeSeconds: number,
): Promise<void> {
  await tx.query(
    `INSERT INTO vault.nonces (nonce_hash, api_key_id, address, expires_at)
     VALUES ($1, $2, $3, app.now() + $4 * interval '1 second')`,
    [nonce.nonceHash, nonce.apiKeyId, nonce.address, lifetimeSeconds],
  );
}

/** How many request-ids of this API key are neither used nor expired. */
export async function countOutstandingRequestIds(tx: Tx, apiKeyId: string | null): Promise<number> {
  const [row] = await tx.query<{ count: string }[]>(
    `SELECT count(*) FROM vault.nonces
     WHERE api_key_id IS NOT DISTINCT FROM $1 AND expires_at > app.now() AND used_at IS NULL`,
    [apiKeyId],
  );
  return Number(row?.count ?? 0);
}

const USABLE = `(used_at IS NULL AND expires_at > app.now())
  OR (request_digest = $2 AND repeatable_until > app.now())`;

/** The nonce, if this request may use it: unused, or used before by the identical request (serial-vault.md 8). */
export async function findUsableRequestId(
  tx: Tx,
  nonceHash: string,
  requestDigest: string,
): Promise<Pick<VaultNonce, 'nonceHash' | 'apiKeyId'> | null> {
  const [row] = await tx.query<{ api_key_id: string | null }[]>(
    `SELECT api_key_id FROM vault.nonces WHERE nonce_hash = $1 AND (${USABLE})`,
    [nonceHash, requestDigest],
  );
  return row ? { nonceHash, apiKeyId: row.api_key_id } : null;
}

/** Uses it up for this request, atomically; false when another request was faster. */
export async function consumeRequestId(
  tx: Tx,
  nonceHash: string,
  requestDigest: string,
  repeatableSeconds: number,
): Promise<boolean> {
  const [, changed] = await tx.query<[unknown, number]>(
    `UPDATE vault.nonces
     SET used_at = coalesce(used_at, app.now()), request_digest = $2,
         repeatable_until = greatest(repeatable_until, app.now() + $3 * interval '1 second')
     WHERE nonce_hash = $1 AND (${USABLE})`,
    [nonceHash, requestDigest, repeatableSeconds],
  );
  return changed === 1;
}

/** Takes away what nobody can use any more; in a background job, never in a request. */
export async function sweepRequestIds(tx: Tx): Promise<number> {
  const [, removed] = await tx.query<[unknown, number]>(
    `DELETE FROM vault.nonces WHERE expires_at < app.now() AND coalesce(repeatable_until, expires_at) < app.now()`,
  );
  return removed;
}
