import { decodeAssertion, header, type Assertion, type AssertionTypeName } from '#libs/assertions';
import type { Tx } from '#libs/database';
import {
  assertionDatabaseFor,
  keepAssertion,
  readAssertion,
} from '../installation/assertion-shelf.js';
import { OperationError } from '../operation-error.js';
import type { Resources } from '../resources.js';
import { performAct } from './act.js';
import type { Principal } from './principal.js';
import { refusedAssertion, refusingSync } from './refused-assertion.js';

/** An assertion that the store keeps and hands out. */
export interface BrandAssertionView {
  readonly type: string;
  /** Parts joined by `/`. */
  readonly primaryKey: string;
  readonly revision: number;
}

/** Types that a brand signs itself and devices ask for, with the snap whose visibility each shares (decisions 13). */
const SNAP_OF: Readonly<
  Partial<Record<AssertionTypeName, (assertion: Assertion) => string | null>>
> = {
  'validation-set': () => null,
  'confdb-schema': () => null,
  validation: (assertion) => header(assertion, 'approved-snap-id'),
  'snap-build': (assertion) => header(assertion, 'snap-id'),
};

/** What a brand's own keys say: validation sets and validations (update-control.md 2.9), builds and confdb schemas (publisher-api.md 3.12, 3.14). */
export class BrandAssertionService {
  constructor(private readonly resources: Pick<Resources, 'db'>) {}

  /** The same bytes again change nothing. Throws `invalid` with the failing rule, `conflict` for a revision that is not newer. */
  add(who: Principal, brandId: string, text: string, key?: string): Promise<BrandAssertionView> {
    const assertion = refusingSync(() => decodeAssertion(Buffer.from(text, 'utf8')));
    const snapOf = SNAP_OF[assertion.type];
    if (snapOf === undefined)
      throw refusedAssertion('unexpected assertions in the request', `this is a ${assertion.type}`);
    if (assertion.authorityId !== brandId)
      throw refusedAssertion(
        'authority-id does not match the brand or account named in the assertion',
        'it is signed by another account',
      );
    const request = { assertion: text };
    const act = { who, brandId, action: 'add-assertion', idempotencyKey: key, request };
    const { db } = this.resources;
    return performAct(db, act, async (tx) => {
      await keepNewer(tx, assertion, snapOf(assertion), db.clock.now());
      const result = view(assertion);
      return { result, subject: `${result.type}:${result.primaryKey}:${result.revision}` };
    });
  }
}

const view = ({ type, primaryKey, revision }: Assertion): BrandAssertionView => ({
  ...{ type, revision },
  primaryKey: primaryKey.join('/'),
});

async function keepNewer(
  tx: Tx,
  assertion: Assertion,
  snapId: string | null,
  now: Date,
): Promise<void> {
  const newest = await readAssertion(tx, assertion.type, assertion.primaryKey);
  if (newest?.bytes.equals(assertion.bytes)) return;
  const verdict = (await assertionDatabaseFor(tx, [assertion])).check(assertion, now);
  if (!verdict.valid) throw refusedAssertion(verdict.errorClass, verdict.message);
  if (newest && newest.revision >= assertion.revision)
    throw new OperationError(
      'conflict',
      `cannot add ${view(assertion).primaryKey}: revision ${newest.revision} is there already`,
      { current: { revision: newest.revision } },
    );
  await keepAssertion(tx, assertion, snapId);
}
