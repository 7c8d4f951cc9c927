import { header } from '#libs/assertions';
import { isSameHash, readApiKey } from '#libs/auth';
import { VaultApiKey, type Tx } from '#libs/database';
import { refuse } from '../../refusal.js';
import { known, type Attempt } from '../attempt.js';
import { isInRanges } from '../rate-limiter.js';
import type { CheckContext } from './context.js';
import { findRegisteredModel } from '../registered-model.js';

const INVALID =
  'cannot accept this API key: it is unknown or has ended; the gadget snap must send a key of this model';
const MISSING =
  'cannot go on without an API key: the gadget snap must set device-service.headers with "api-key"';

/** Step 3, for what was sent. */
export async function checkApiKey(attempt: Attempt, context: CheckContext): Promise<void> {
  if (attempt.envelope.apiKey === undefined) return;
  attempt.apiKey = await findLiveApiKey(attempt.envelope.apiKey, attempt.envelope.address, context);
}

/** The row of a presented key. Wrong keys are counted against the address (serial-vault.md 16). */
export async function findLiveApiKey(
  presented: string,
  address: string,
  { tx, resources, limiter, now }: Pick<CheckContext, 'tx' | 'resources' | 'limiter' | 'now'>,
): Promise<VaultApiKey> {
  const stored = readApiKey(presented, resources.settings.pepper);
  const rows = stored === null ? [] : await tx.findBy(VaultApiKey, { lookup: stored.lookup });
  const row = rows.find(({ hash }) => stored !== null && isSameHash(stored.hash, hash));
  if (row === undefined || !isLive(row, now) || !mayComeFrom(row, address)) {
    limiter.countWrongKey(address, now.getTime());
    refuse('invalid-api-key', INVALID);
  }
  return row;
}

function isLive(row: VaultApiKey, now: Date): boolean {
  if (row.endedAt !== null || row.notBefore > now) return false;
  return row.notAfter === null || row.notAfter > now;
}

function mayComeFrom(row: VaultApiKey, address: string): boolean {
  return row.addressRanges.length === 0 || isInRanges(address, row.addressRanges);
}

/**
 * Step 3 again, as soon as brand and model are known by name: another brand's key is answered like one that nobody knows,
 * before anything of the named brand is looked at.
 */
export async function checkApiKeyOfBrand(attempt: Attempt, { tx }: CheckContext): Promise<void> {
  if (attempt.apiKey !== null) {
    if (attempt.apiKey.brandId !== attempt.brandId) refuse('invalid-api-key', INVALID);
    return;
  }
  const registered = await findRegisteredModel(tx, attempt.brandId, attempt.model);
  if (registered?.policy.needsApiKey) refuse('missing-api-key', MISSING);
}

/** Whether a request-id may be had without a key: only where some model can do without (serial-vault.md 8). */
export async function checkKeylessRequestId(tx: Tx): Promise<void> {
  const [row] = await tx.query<{ exists: boolean }[]>(
    `SELECT EXISTS (SELECT 1 FROM vault.models AS m JOIN LATERAL (
       SELECT policy FROM vault.model_policies AS p WHERE p.brand_id = m.brand_id AND p.model = m.model
       ORDER BY revision DESC LIMIT 1) AS latest ON true
     WHERE m.is_active AND NOT (latest.policy ->> 'needsApiKey')::boolean) AS exists`,
  );
  if (!row?.exists) refuse('missing-api-key', MISSING);
}

/** Step 10: the key is one of this model's; after a remodel the old model's is as good (serial-vault.md 10.4). */
export async function checkKeyBelongsToModel(attempt: Attempt): Promise<void> {
  const { apiKey, parts, model } = attempt;
  if (apiKey === null) return;
  const { oldSerial } = known(parts, 'the request');
  if (apiKey.model === model || (oldSerial && apiKey.model === header(oldSerial, 'model'))) return;
  refuse(
    'key-not-for-model',
    `cannot register for model ${model}: the API key belongs to another model`,
  );
}
