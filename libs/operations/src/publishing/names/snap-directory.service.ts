import { header, type Assertion } from '#libs/assertions';
import { In } from 'typeorm';
import { Account, BrandStore, Collaborator, RetiredKey, Snap, type Tx } from '#libs/database';
import { readAccountKeys } from '../../installation/assertion-shelf.js';
import type { Resources } from '../../resources.js';
import { isPublicSnap } from '../../stores/is-public-snap.js';
import { refusal } from '../wire-code.js';

/** What `GET /dev/api/account` shows (publisher-api.md 3.1). */
export interface AccountView {
  readonly account: Account;
  readonly snaps: readonly Snap[];
  readonly stores: readonly BrandStore[];
  readonly keys: readonly Assertion[];
}

/** Finds snaps for their publishers. */
export class SnapDirectory {
  constructor(private readonly resources: Resources) {}

  /**
   * A snap that the account may publish, its own or one that is shared with it. By name or id. Throws `not-found` for an unknown
   * snap, `forbidden` for somebody else's (publisher-api.md 3.4) that is public: any other is not there for them (S17).
   */
  async getOwn(
    accountId: string,
    key: { readonly name: string } | { readonly id: string },
  ): Promise<Snap> {
    // Postgres refuses other characters with an error of its own; for us they name nothing.
    const isWord = Object.values(key).every((text) => /^[\w-]{1,64}$/.test(text));
    const { db } = this.resources;
    const snap = isWord ? await db.asSystem((tx) => tx.findOneBy(Snap, key)) : null;
    const isOwn = snap?.brandId === accountId || (await this.isShared(snap, accountId));
    if (!snap || !(isOwn || isPublicSnap(snap))) {
      const what = 'name' in key ? `name=${key.name}` : `snap_id=${key.id}`;
      throw refusal('not-found', 'resource-not-found', `Snap not found for ${what}`);
    }
    if (!isOwn) {
      throw refusal('forbidden', 'resource-forbidden', 'The snap belongs to another account.');
    }
    return snap;
  }

  private async isShared(snap: Snap | null, accountId: string): Promise<boolean> {
    if (!snap) return false;
    const key = { snapId: snap.id, accountId };
    return this.resources.db.asSystem((tx) => tx.existsBy(Collaborator, key));
  }

  /** Own snaps and those that others share with the account. */
  async account(accountId: string): Promise<AccountView> {
    const { db } = this.resources;
    const shared = await db.asSystem(async (tx) => {
      const rows = await tx.findBy(Collaborator, { accountId });
      return tx.findBy(Snap, { id: In(rows.map(({ snapId }) => snapId)) });
    });
    return db.asBrand(accountId, async (tx) => ({
      account: await tx.findOneByOrFail(Account, { id: accountId }),
      snaps: [...shared, ...(await tx.findBy(Snap, { brandId: accountId }))].sort((a, b) =>
        a.name < b.name ? -1 : 1,
      ),
      stores: await tx.find(BrandStore, {
        where: { brandId: accountId },
        order: { createdAt: 'ASC' },
      }),
      keys: await usableKeys(tx, accountId),
    }));
  }
}

/** Those that may still sign. */
async function usableKeys(tx: Tx, accountId: string): Promise<Assertion[]> {
  const retired = new Set(
    (await tx.findBy(RetiredKey, { brandId: accountId })).map((row) => row.keyId),
  );
  return (await readAccountKeys(tx, accountId)).filter(
    (key) => !retired.has(header(key, 'public-key-sha3-384')),
  );
}
