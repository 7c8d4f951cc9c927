import { randomBytes } from 'node:crypto';
import { signAssertion, type Assertion } from '#libs/assertions';
import { formatId } from '#libs/auth';
import { Account, recordAudit, type Validation } from '#libs/database';
import { keepAssertion, readAssertion } from '../installation/assertion-shelf.js';
import { timestamp } from '../installation/timestamp.js';
import { OperationError } from '../operation-error.js';
import type { Resources } from '../resources.js';
import { insertStore, type StoreOrder } from '../stores/store-rows.js';
import { readForeign } from '../trust/foreign-shelf.js';
import { performAct } from './act.js';
import { getBrand } from './get-brand.js';
import { actorOf, type Principal } from './principal.js';

const VALIDATIONS: readonly string[] = ['unproven', 'starred', 'verified'] satisfies Validation[];

export interface BrandOrder {
  /** The account id: 32 letters and digits; none: drawn. */
  readonly id?: string | undefined;
  readonly username: string;
  readonly displayName: string;
  readonly validation: Validation;
  /** S1: brand and first store are one act. */
  readonly firstStore: StoreOrder;
}

const SNAP_TYPES = ['app', 'gadget', 'kernel', 'base', 'snapd', 'os'] as const;

/**
 * Brands and their account assertions (decisions 1; S1). A brand is bound to one root (decisions 6): ours signs its account,
 * unless the id is that of an account that was learnt from a foreign root.
 */
export class BrandService {
  constructor(private readonly resources: Resources) {}

  async create(who: Principal, order: BrandOrder, idempotencyKey?: string): Promise<Account> {
    checkBrand(order);
    const { db, keys } = this.resources;
    const id = order.id ?? formatId(randomBytes(32));
    const foreign = await db.asSystem((tx) => readForeign(tx, 'account', [id]));
    // Signed before the transaction: the signer is another process.
    const assertion = foreign ? null : await this.signAccount({ ...order, id }, 0);
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
      // Of two who want a name at once, one comes second and is told.
      await tx.query(`SELECT pg_advisory_xact_lock(hashtext('brand names'))`);
      if (await tx.existsBy(Account, { username }))
        throw new OperationError('conflict', `cannot make brand ${username}: the name is taken`);
      if (await tx.existsBy(Account, { id }))
        throw new OperationError('conflict', `cannot make brand ${username}: the id is taken`);
      await tx.insert(Account, { id, username, displayName, validation, isBrand: true });
      if (assertion) await keepAssertion(tx, assertion);
      const store = await insertStore(tx, id, order.firstStore);
      await recordAudit(tx, {
        brandId: id,
        actor: actorOf(who),
        action: 'create-brand',
        subject: `account:${id}`,
        detail: {
          ...{ username, displayName, validation, storeId: store.id },
          ...(foreign && { root: foreign.authorityId }),
        },
      });
      const result = await tx.findOneByOrFail(Account, { id });
      return { result, subject: `account:${id}`, detail: { username } };
    });
  }

  /** A changed display name or validation is a new revision of the account assertion (S1); no change is none. */
  async update(
    who: Principal,
    brandId: string,
    change: {
      displayName?: string | undefined;
      validation?: Validation | undefined;
      reason?: string | undefined;
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
    const { displayName, validation } = next;
    if (displayName === account.displayName && validation === account.validation) return account;
    const assertion = await this.signAccount(next, revision + 1);
    const act = { who, brandId, action: 'update-brand', request: change };
    return performAct(db, act, async (tx) => {
      // Somebody faster has taken the revision: keepAssertion refuses.
      await keepAssertion(tx, assertion);
      await tx.update(Account, { id: brandId }, { displayName, validation });
      const result = { ...account, displayName, validation };
      const before = { displayName: account.displayName, validation: account.validation };
      return {
        result,
        subject: `account:${brandId}`,
        ...(change.reason !== undefined && { reason: change.reason }),
        detail: { before, after: { displayName, validation }, revision: revision + 1 },
      };
    });
  }

  /** Which types of snaps the brand may publish besides apps (S15). Throws `invalid` for what is no type. */
  async setSnapTypes(who: Principal, brandId: string, types: readonly string[]): Promise<Account> {
    const unknown = types.filter((type) => !(SNAP_TYPES as readonly string[]).includes(type));
    if (unknown.length > 0)
      throw new OperationError('invalid', `cannot allow ${unknown.join(', ')}: no type of snap`, {
        paths: ['types'],
      });
    const act = { who, brandId, action: 'set-snap-types', request: types };
    return performAct(this.resources.db, act, async (tx) => {
      const account = await getBrand(tx, brandId);
      const snapTypes = [...new Set(['app', ...types])];
      await tx.update(Account, { id: brandId }, { snapTypes });
      return {
        result: { ...account, snapTypes },
        subject: `account:${brandId}`,
        detail: { before: account.snapTypes, after: snapTypes },
      };
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
    return this.resources.db.asBrand(
      brandId,
      async (tx) =>
        (await readAssertion(tx, 'account', [brandId])) ?? readForeign(tx, 'account', [brandId]),
    );
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

/** A header value of one line (assertions.md 1.2). */
const isLine = (text: string): boolean => /^\S(.{0,98}\S)?$/.test(text);
const LINE = 'must be one line of 1 to 100 characters';

function checkBrand(
  order: Omit<BrandOrder, 'firstStore'> & { readonly firstStore?: StoreOrder },
): void {
  const { id, username, displayName, validation, firstStore } = order;
  const rules: readonly (readonly [isKept: boolean, path: string, message: string])[] = [
    [id === undefined || /^[A-Za-z0-9]{32}$/.test(id), 'id', 'must be 32 letters and digits'],
    [/^[-a-z0-9]{2,28}$/.test(username), 'username', 'must be 2 to 28 of a-z, 0-9 and -'],
    [isLine(displayName), 'displayName', LINE],
    [VALIDATIONS.includes(validation), 'validation', `must be one of ${VALIDATIONS.join(', ')}`],
    [firstStore === undefined || isLine(firstStore.name), 'firstStore.name', LINE],
  ];
  const problems = rules.flatMap(([isKept, path, message]) => (isKept ? [] : [{ path, message }]));
  if (problems.length > 0)
    throw new OperationError('invalid', 'cannot take this brand', { problems });
}
