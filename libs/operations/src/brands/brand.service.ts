import { randomBytes } from 'node:crypto';
import { signAssertion, type Assertion } from '#libs/assertions';
import { formatId } from '#libs/auth';
import { Account, recordAudit, type Validation } from '#libs/database';
import { keepAssertion, readAssertion } from '../installation/assertion-shelf.js';
import { timestamp } from '../installation/timestamp.js';
import { OperationError } from '../operation-error.js';
import type { Resources } from '../resources.js';
import { checkStoreName, insertStore, type StoreOrder } from '../stores/store-rows.js';
import { performAct } from './act.js';
import { getBrand } from './get-brand.js';
import { actorOf, type Principal } from './principal.js';

const VALIDATIONS: readonly string[] = ['unproven', 'starred', 'verified'] satisfies Validation[];

export interface BrandOrder {
  readonly username: string;
  readonly displayName: string;
  readonly validation: Validation;
  /** S1: brand and first store are one act. */
  readonly firstStore: StoreOrder;
}

/** Brands and their account assertions (decisions 1; S1). */
export class BrandService {
  constructor(private readonly resources: Resources) {}

  async create(who: Principal, order: BrandOrder, idempotencyKey?: string): Promise<Account> {
    checkBrand(order);
    checkStoreName(order.firstStore.name);
    const { db, keys } = this.resources;
    const id = formatId(randomBytes(32));
    // Signed before the transaction: the signer is another process.
    const assertion = await this.signAccount({ id, ...order }, 0);
    const act = {
      who,
      brandId: keys.operatorAccountId,
      acrossBrands: true,
      action: 'create-brand',
      idempotencyKey,
      request: order,
    };
    return performAct(db, act, async (tx) => {
      const { username, displayName, validation } = order;
      const taken = await tx.existsBy(Account, { username });
      if (taken)
        throw new OperationError('conflict', `cannot make brand ${username}: the name is taken`);
      await tx.insert(Account, { id, username, displayName, validation, isBrand: true });
      await keepAssertion(tx, assertion);
      const store = await insertStore(tx, id, order.firstStore);
      await recordAudit(tx, {
        brandId: id,
        actor: actorOf(who),
        action: 'create-brand',
        subject: `account:${id}`,
        detail: { username, storeId: store.id },
      });
      const result = await tx.findOneByOrFail(Account, { id });
      return { result, subject: `account:${id}`, detail: { username } };
    });
  }

  /** A changed display name or validation is a new revision of the account assertion (S1). */
  async update(
    who: Principal,
    brandId: string,
    change: {
      displayName?: string | undefined;
      validation?: Validation | undefined;
      expectedRevision?: number | undefined;
    },
  ): Promise<Account> {
    const { db } = this.resources;
    const { account, revision } = await db.asBrand(brandId, async (tx) => ({
      account: await getBrand(tx, brandId),
      revision: (await readAssertion(tx, 'account', [brandId]))?.revision ?? 0,
    }));
    if (change.expectedRevision !== undefined && change.expectedRevision !== revision)
      throw new OperationError('conflict', `cannot change brand: it is at revision ${revision}`, {
        current: { revision, displayName: account.displayName, validation: account.validation },
      });
    const next = {
      id: brandId,
      username: account.username,
      displayName: change.displayName ?? account.displayName,
      validation: change.validation ?? account.validation,
    };
    checkBrand(next);
    const assertion = await this.signAccount(next, revision + 1);
    const act = { who, brandId, action: 'update-brand', request: change };
    return performAct(db, act, async (tx) => {
      // Somebody faster has taken the revision: keepAssertion refuses.
      await keepAssertion(tx, assertion);
      const { displayName, validation } = next;
      await tx.update(Account, { id: brandId }, { displayName, validation });
      const result = { ...account, displayName, validation };
      return { result, subject: `account:${brandId}`, detail: { displayName, validation } };
    });
  }

  /** The brand, or null; its account assertion is at `revision`. */
  find(brandId: string): Promise<Account | null> {
    return this.resources.db.asBrand(brandId, (tx) =>
      tx.findOneBy(Account, { id: brandId, isBrand: true }),
    );
  }

  /** All brands for the operator, else those the person belongs to. */
  async list(who: Principal): Promise<Account[]> {
    const brands = await this.resources.db.asSystem((tx) =>
      tx.find(Account, { where: { isBrand: true }, order: { username: 'ASC' } }),
    );
    return who.isOperator ? brands : brands.filter(({ id }) => who.grants.has(id));
  }

  /** The account assertion as devices get it. */
  accountAssertion(brandId: string): Promise<Assertion | null> {
    return this.resources.db.asBrand(brandId, (tx) => readAssertion(tx, 'account', [brandId]));
  }

  private async signAccount(
    account: { id: string; username: string; displayName: string; validation: string },
    revision: number,
  ): Promise<Assertion> {
    const { db, keys } = this.resources;
    const now = db.clock.now();
    const headers = {
      'authority-id': keys.operatorAccountId,
      revision: String(revision),
      'account-id': account.id,
      username: account.username,
      'display-name': account.displayName,
      validation: account.validation,
      timestamp: timestamp(now),
    };
    return signAssertion({ type: 'account', headers }, await keys.signer(), now);
  }
}

function checkBrand(order: { username: string; displayName: string; validation: string }): void {
  const problems: { path: string; message: string }[] = [];
  if (!/^[-a-z0-9]{2,28}$/.test(order.username))
    problems.push({ path: 'username', message: 'must be 2 to 28 of a-z, 0-9 and -' });
  // A header value of one line (assertions.md 1.2).
  if (!/^\S(.{0,98}\S)?$/.test(order.displayName))
    problems.push({ path: 'displayName', message: 'must be one line of 1 to 100 characters' });
  if (!VALIDATIONS.includes(order.validation))
    problems.push({ path: 'validation', message: `must be one of ${VALIDATIONS.join(', ')}` });
  if (problems.length > 0)
    throw new OperationError('invalid', 'cannot take this brand', { problems });
}
