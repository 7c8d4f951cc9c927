import { Account, Collaborator, type Tx } from '#libs/database';
import { performAct } from '../../brands/act.js';
import type { Principal } from '../../brands/principal.js';
import { OperationError } from '../../operation-error.js';
import type { Resources } from '../../resources.js';
import { getSnap } from '../../rollouts/find.js';

export interface CollaboratorView {
  readonly snapId: string;
  readonly accountId: string;
  readonly username: string;
  readonly createdAt: Date;
}

export interface CollaboratorOrder {
  readonly snap: string;
  /** User name of the other account. */
  readonly username: string;
}

/**
 * Other accounts that publish a snap of a brand: their people upload, release and edit it by the roles that they have at home;
 * names, keys and people of the brand stay out of their reach.
 */
export class CollaboratorService {
  constructor(private readonly resources: Pick<Resources, 'db'>) {}

  list(brandId: string, snap: string): Promise<CollaboratorView[]> {
    return this.resources.db.asSystem(async (tx) => {
      const { id } = await getSnap(tx, brandId, snap);
      const rows = await tx.find(Collaborator, {
        where: { snapId: id },
        order: { createdAt: 'ASC', accountId: 'ASC' },
      });
      return Promise.all(rows.map((row) => view(tx, row)));
    });
  }

  /** Throws `not-found`, `invalid` for the brand itself, `conflict` where it is one already. */
  add(
    who: Principal,
    brandId: string,
    order: CollaboratorOrder,
    key?: string,
  ): Promise<CollaboratorView> {
    return this.act(who, brandId, 'add-collaborator', order, key, async (tx, row) => {
      if (row.accountId === brandId)
        throw new OperationError('invalid', 'cannot share a snap with its own brand', {
          paths: ['username'],
        });
      if (await tx.existsBy(Collaborator, row))
        throw new OperationError('conflict', `cannot add ${order.username}: it is there already`);
      return tx.save(tx.create(Collaborator, { ...row, brandId }));
    });
  }

  /** Throws `not-found`. */
  remove(
    who: Principal,
    brandId: string,
    order: CollaboratorOrder,
    key?: string,
  ): Promise<CollaboratorView> {
    return this.act(who, brandId, 'remove-collaborator', order, key, async (tx, row) => {
      const found = await tx.findOneBy(Collaborator, row);
      if (found === null)
        throw new OperationError('not-found', `cannot find collaborator ${order.username}`);
      await tx.delete(Collaborator, row);
      return found;
    });
  }

  private act(
    who: Principal,
    brandId: string,
    action: string,
    order: CollaboratorOrder,
    key: string | undefined,
    work: (tx: Tx, row: { snapId: string; accountId: string }) => Promise<Collaborator>,
  ): Promise<CollaboratorView> {
    const act = { who, brandId, acrossBrands: true, action, idempotencyKey: key, request: order };
    return performAct(this.resources.db, act, async (tx) => {
      const snap = await getSnap(tx, brandId, order.snap);
      const account = await tx.findOneBy(Account, { username: order.username });
      if (account === null)
        throw new OperationError('not-found', `cannot find account ${order.username}`);
      const row = await work(tx, { snapId: snap.id, accountId: account.id });
      const detail = { account: account.id };
      return { result: await view(tx, row), subject: `snap:${snap.name}`, detail };
    });
  }
}

async function view(
  tx: Tx,
  { snapId, accountId, createdAt }: Collaborator,
): Promise<CollaboratorView> {
  const { username } = await tx.findOneByOrFail(Account, { id: accountId });
  return { snapId, accountId, username, createdAt };
}
