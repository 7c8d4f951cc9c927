import { randomBytes } from 'node:crypto';
import { formatId } from '#libs/auth';
import { BrandStore, type Tx } from '#libs/database';
import { OperationError } from '../operation-error.js';

export interface StoreOrder {
  readonly name: string;
  /** Its devices also see the public snaps of the whole installation. */
  readonly allowPublic?: boolean | undefined;
  readonly reviewPolicy?: 'automatic' | 'manual' | undefined;
  /** Its devices also see snapd and the bases of the operator's public store (S5). */
  readonly essentialSnaps?: boolean | undefined;
}

/** Throws `invalid`. */
export function checkStoreName(name: string): void {
  if (!/^\S(.{0,98}\S)?$/.test(name))
    throw new OperationError('invalid', 'cannot take an empty or overlong store name', {
      paths: ['name'],
    });
}

export function insertStore(tx: Tx, brandId: string, order: StoreOrder): Promise<BrandStore> {
  return tx.save(
    tx.create(BrandStore, {
      id: formatId(randomBytes(32)),
      brandId,
      name: order.name,
      allowPublic: order.allowPublic ?? false,
      reviewPolicy: order.reviewPolicy ?? 'automatic',
      essentialSnaps: order.essentialSnaps ?? false,
    }),
  );
}

/** One of the brand's own stores; throws `not-found` for any other. */
export async function getStore(tx: Tx, brandId: string, id: string): Promise<BrandStore> {
  const store = await tx.findOneBy(BrandStore, { id, brandId });
  if (store === null) throw new OperationError('not-found', `cannot find store ${id}`);
  return store;
}
