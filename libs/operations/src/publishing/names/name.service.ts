import { randomBytes } from 'node:crypto';
import { isSnapName } from '#libs/assertions';
import { formatId } from '#libs/auth';
import { BrandStore, recordAudit, Snap, type Tx } from '#libs/database';
import { In } from 'typeorm';
import type { Resources } from '../../resources.js';
import type { Actor } from '../actor.js';
import { refusal } from '../wire-code.js';

export interface NameOrder {
  readonly brandId: string;
  readonly name: string;
  readonly isPrivate: boolean;
  /** Null: the first store of the brand that they may register in. */
  readonly storeId: string | null;
  /** Stores that the person may register in; null: all. */
  readonly stores: readonly string[] | null;
  /** Checks only. */
  readonly isDryRun?: boolean;
}

/** Registers snap names, which are global in an installation (decisions 2). */
export class NameService {
  constructor(private readonly resources: Resources) {}

  /** Returns the snap id, null for a dry run. Throws `invalid` or `conflict` with the words of publisher-api.md 3.2. */
  async register(who: Actor, order: NameOrder): Promise<string | null> {
    checkName(order.name);
    const { db } = this.resources;
    await db.asSystem((tx) => checkFree(tx, order));
    return db.asBrand(order.brandId, async (tx) => {
      const store = await findStore(tx, order);
      if (order.isDryRun) return null;
      const id = formatId(randomBytes(32));
      const { name, isPrivate, brandId } = order;
      const taken = await tx
        .createQueryBuilder()
        .insert()
        .into(Snap)
        .values({ id, brandId, storeId: store.id, name, isPrivate })
        .orIgnore()
        .returning('id')
        .execute();
      // Somebody was faster since the check.
      if ((taken.raw as unknown[]).length === 0) throw isTaken(name);
      await recordAudit(tx, {
        brandId,
        actor: who.label,
        action: 'register-name',
        subject: `snap:${name}`,
        detail: { snapId: id, storeId: store.id, isPrivate },
      });
      return id;
    });
  }
}

function checkName(name: string): void {
  if (isSnapName(name)) return;
  throw refusal(
    'invalid',
    'invalid',
    `'${name}' cannot be the name of a snap: use 2 to 40 lower-case letters, digits and hyphens, a letter among them, ` +
      'without a hyphen at an end or two in a row',
  );
}

async function checkFree(tx: Tx, { name, brandId }: NameOrder): Promise<void> {
  const known = await tx.findOneBy(Snap, { name });
  if (!known) return;
  if (known.brandId === brandId)
    throw refusal('conflict', 'already_owned', `You already own the name '${name}'.`);
  throw isTaken(name);
}

function isTaken(name: string): Error {
  return refusal(
    'conflict',
    'already_registered',
    `The name '${name}' is registered by somebody else; ask the operator of this store.`,
    {
      // Legacy clients format from the top level, and crash without (publisher-api.md 3.2).
      register_name_url: '',
    },
  );
}

async function findStore(tx: Tx, { brandId, storeId, stores }: NameOrder): Promise<BrandStore> {
  const named = storeId === null ? stores : [storeId];
  const ids = named?.filter((id) => stores?.includes(id) ?? true) ?? null;
  const [store] = await tx.find(BrandStore, {
    where: { brandId, ...(ids !== null && { id: In([...ids]) }) },
    order: { createdAt: 'ASC', id: 'ASC' },
    take: 1,
  });
  if (store) return store;
  throw refusal(
    'invalid',
    'invalid-field',
    storeId === null
      ? 'cannot register a name: the brand has no store yet'
      : `cannot find store '${storeId}' of this brand`,
  );
}
