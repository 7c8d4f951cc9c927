import { Account, type Tx } from '#libs/database';
import { OperationError } from '../operation-error.js';

/** Throws `not-found` for what is no account, and for accounts without stores. */
export async function getBrand(tx: Tx, brandId: string): Promise<Account> {
  const brand = await tx.findOneBy(Account, { id: brandId, isBrand: true });
  if (brand === null) throw new OperationError('not-found', `cannot find brand ${brandId}`);
  return brand;
}
