import { header, signAssertion, type Assertion } from '#libs/assertions';
import { RetiredKey, type Tx } from '#libs/database';
import { keepAssertion, readAccountKeys } from '../installation/assertion-shelf.js';
import { timestamp } from '../installation/timestamp.js';
import { OperationError } from '../operation-error.js';
import type { Resources } from '../resources.js';
import { performAct } from './act.js';
import { viewOf, type KeyView } from './key.service.js';
import { requireHuman, type Principal } from './principal.js';
import { refusing } from './refused-assertion.js';

/**
 * The two ways in which a key of a brand ends. Retired: nothing new that it signs is taken, what it signed stays valid (S9).
 * Ended: whatever it signed is invalid at once, on devices too as they learn of it (assertions.md 7.2); for a key that is lost.
 */
export class KeyRetirementService {
  constructor(private readonly resources: Resources) {}

  /** Throws `not-found` for a key that is not the brand's, `conflict` when it is retired already. */
  retire(who: Principal, brandId: string, keyId: string, reason: string): Promise<KeyView> {
    requireHuman(who, 'retire a key');
    requireReason(reason);
    const act = { who, brandId, action: 'retire-key', request: { keyId } };
    return performAct(this.resources.db, act, async (tx) => {
      const key = await getKey(tx, brandId, keyId);
      const known = await tx.findOneBy(RetiredKey, { keyId });
      if (known !== null)
        throw new OperationError('conflict', `cannot retire key ${keyId}: it is retired already`);
      const retired = await tx.save(
        tx.create(RetiredKey, { keyId, brandId, personId: who.personId, reason }),
      );
      return { result: viewOf(key, retired), subject: `account-key:${keyId}`, reason };
    });
  }

  /** Signs a new revision of the account-key that ends now. Throws as `retire`; `conflict` when it has an end behind it. */
  end(who: Principal, brandId: string, keyId: string, reason: string): Promise<KeyView> {
    requireHuman(who, 'end a key');
    requireReason(reason);
    const act = { who, brandId, action: 'end-key', request: { keyId } };
    return performAct(this.resources.db, act, async (tx) => {
      const key = await getKey(tx, brandId, keyId);
      const now = this.resources.db.clock.now();
      const until = header(key, 'until');
      if (until !== '' && new Date(until) <= now)
        throw new OperationError('conflict', `cannot end key ${keyId}: it ended at ${until}`);
      const ended = await this.sign(key, now);
      await keepAssertion(tx, ended);
      const detail = { before: { until: until || null }, after: { until: header(ended, 'until') } };
      const retired = await tx.findOneBy(RetiredKey, { keyId });
      return { result: viewOf(ended, retired), subject: `account-key:${keyId}`, reason, detail };
    });
  }

  private sign(key: Assertion, now: Date): Promise<Assertion> {
    const headers = {
      ...key.headers,
      'authority-id': this.resources.keys.operatorAccountId,
      revision: String(key.revision + 1),
      until: timestamp(now),
    };
    const body = key.body.toString('latin1');
    return refusing(async () =>
      signAssertion(
        { type: 'account-key', headers, body },
        await this.resources.keys.signer(),
        now,
      ),
    );
  }
}

/** Whoever takes an assertion that a brand's key signed asks this first. Throws `invalid` for a retired key. */
export async function requireNotRetired(tx: Tx, assertion: Assertion): Promise<void> {
  const retired = await tx.findOneBy(RetiredKey, { keyId: assertion.signKeyId });
  if (retired === null) return;
  throw new OperationError(
    'invalid',
    `cannot take this assertion: its key was retired at ${timestamp(retired.retiredAt)}: ${retired.reason}`,
    { paths: ['assertion'] },
  );
}

async function getKey(tx: Tx, brandId: string, keyId: string): Promise<Assertion> {
  const keys = await readAccountKeys(tx, brandId);
  const key = keys.find((one) => header(one, 'public-key-sha3-384') === keyId);
  if (key === undefined) throw new OperationError('not-found', `cannot find key ${keyId}`);
  return key;
}

function requireReason(reason: string): void {
  if (reason.trim() === '' || reason.length > 500)
    throw new OperationError('invalid', 'cannot do this without a reason of up to 500 characters', {
      paths: ['reason'],
    });
}
