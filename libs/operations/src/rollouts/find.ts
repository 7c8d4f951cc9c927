import { Device, Fleet, Lane, Snap, SnapRevision, type Risk, type Tx } from '#libs/database';
import { OperationError } from '../operation-error.js';

// All of these look inside the transaction's brand: another brand's row is not there (row level security).

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export const isUuid = (id: string): boolean => UUID.test(id);

/** Postgres refuses other texts with an error of its own; for us they name nothing. */
export function requireUuid(id: string, what: string): string {
  if (!isUuid(id)) throw new OperationError('not-found', `cannot find ${what} ${id}`);
  return id;
}

/** Looks for something that a member of an order names: what is not there is `invalid` at that place. */
export async function atPath<T>(path: string, find: () => Promise<T>): Promise<T> {
  try {
    return await find();
  } catch (error) {
    if (!(error instanceof OperationError) || error.code !== 'not-found') throw error;
    throw new OperationError('invalid', error.message, { paths: [path] });
  }
}

export async function getFleet(tx: Tx, brandId: string, id: string): Promise<Fleet> {
  const fleet = await tx.findOneBy(Fleet, { id: requireUuid(id, 'fleet'), brandId });
  if (fleet === null) throw new OperationError('not-found', `cannot find fleet ${id}`);
  return fleet;
}

export async function getDevice(tx: Tx, brandId: string, uid: string): Promise<Device> {
  const device = await tx.findOneBy(Device, { uid: requireUuid(uid, 'device'), brandId });
  if (device === null) throw new OperationError('not-found', `cannot find device ${uid}`);
  return device;
}

/** By name, or by id: names are global in an installation (decisions 2). */
export async function getSnap(tx: Tx, brandId: string, nameOrId: string): Promise<Snap> {
  const snap =
    (await tx.findOneBy(Snap, { name: nameOrId, brandId })) ??
    (await tx.findOneBy(Snap, { id: nameOrId, brandId }));
  if (snap === null) throw new OperationError('not-found', `cannot find snap ${nameOrId}`);
  return snap;
}

/** A revision that can still be handed out. */
export async function getUsableRevision(
  tx: Tx,
  snap: Snap,
  revision: number,
): Promise<SnapRevision> {
  const row = await tx.findOneBy(SnapRevision, { snapId: snap.id, revision });
  if (row === null)
    throw new OperationError('not-found', `cannot find revision ${revision} of ${snap.name}`);
  if (row.yankedAt !== null)
    throw new OperationError(
      'invalid',
      `cannot use revision ${revision} of ${snap.name}: it is withdrawn`,
      {
        paths: ['revision'],
      },
    );
  return row;
}

export interface LaneName {
  readonly track: string;
  readonly risk: Risk;
  readonly branch: string;
}

/** The lane's row, made when it is missing. */
export async function ensureLane(tx: Tx, snap: Snap, name: LaneName): Promise<Lane> {
  await tx
    .createQueryBuilder()
    .insert()
    .into(Lane)
    .values({ brandId: snap.brandId, snapId: snap.id, ...name })
    .orIgnore()
    .execute();
  return tx.findOneByOrFail(Lane, { snapId: snap.id, ...name });
}
