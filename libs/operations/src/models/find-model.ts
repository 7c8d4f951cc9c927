import { Model, type Tx } from '#libs/database';

/** The newest revision that is registered. */
export function findNewest(tx: Tx, brandId: string, model: string): Promise<Model | null> {
  return tx.findOne(Model, { where: { brandId, model }, order: { revision: 'DESC' } });
}

export function findRevision(
  tx: Tx,
  brandId: string,
  model: string,
  revision: number,
): Promise<Model | null> {
  return tx.findOneBy(Model, { brandId, model, revision });
}

/** The newest revision of each model of a brand, by name. */
export async function findNewestOfAll(tx: Tx, brandId: string): Promise<Model[]> {
  const rows = await tx.find(Model, {
    where: { brandId },
    order: { model: 'ASC', revision: 'DESC' },
  });
  return rows.filter(({ model }, at) => rows[at - 1]?.model !== model);
}
