import { decodeAssertion } from '#libs/assertions';
import { Model, Pin, type Fleet, type Snap, type SnapRevision, type Tx } from '#libs/database';
import { modelForbids, type ModelPolicy } from '#libs/update-control';
import type { Principal } from '../brands/principal.js';
import { OperationError } from '../operation-error.js';
import { toModelRow } from '../policy/to-model-row.js';
import type { Resources } from '../resources.js';
import { layBrake, liftBrake, listBrakes, requireReason } from './brake-frame.js';
import { getDevice, getFleet, getSnap, getUsableRevision } from './find.js';
import { membersOf } from './fleet-members.js';

export interface PinOrder {
  readonly fleetId?: string | undefined;
  readonly deviceUid?: string | undefined;
  readonly snap: string;
  readonly architecture?: string | undefined;
  readonly revision: number;
  readonly allowDowngrade?: boolean | undefined;
  readonly reason: string;
}

/** What is pinned, and what a device must be to have it. */
interface Pinned {
  readonly snap: Snap;
  readonly revision: SnapRevision;
  readonly models: ReadonlyMap<string, ModelPolicy>;
}

/** "This revision", for a fleet or one device (update-control.md 2.2, S32). */
export class PinService {
  constructor(private readonly resources: Pick<Resources, 'db'>) {}

  /** "This revision on this one device now" is a pin; `unpin` takes it back. Throws `invalid` for one that cannot be served (U19). */
  async pin(who: Principal, brandId: string, order: PinOrder, key?: string): Promise<Pin> {
    requireReason(order.reason);
    if ((order.fleetId === undefined) === (order.deviceUid === undefined))
      throw new OperationError('invalid', 'cannot pin without exactly one of fleet and device', {
        paths: ['fleet', 'device'],
      });
    const act = { who, brandId, action: 'pin', order, idempotencyKey: key };
    return layBrake(this.resources.db, act, async (tx) => {
      const snap = await getSnap(tx, brandId, order.snap);
      const revision = await getUsableRevision(tx, snap, order.revision);
      const pinned = { snap, revision, models: await readModels(tx, brandId) };
      if (order.architecture !== undefined) refuse(pinned, misfit(pinned, order.architecture));
      if (order.deviceUid !== undefined) {
        const { architecture, model } = await getDevice(tx, brandId, order.deviceUid);
        refuse(pinned, misfit(pinned, order.architecture ?? architecture, model));
      }
      if (order.fleetId !== undefined)
        refuse(pinned, await fleetMisfit(tx, pinned, await getFleet(tx, brandId, order.fleetId)));
      return tx.save(
        tx.create(Pin, {
          brandId,
          fleetId: order.fleetId ?? null,
          deviceUid: order.deviceUid ?? null,
          snapId: snap.id,
          architecture: order.architecture ?? null,
          revision: order.revision,
          allowDowngrade: order.allowDowngrade ?? false,
          reason: order.reason,
          personId: who.personId,
        }),
      );
    });
  }

  unpin(who: Principal, brandId: string, id: string, reason: string): Promise<Pin> {
    return liftBrake(this.resources.db, { who, brandId, noun: 'pin', id, reason }, Pin);
  }

  /** So many after the one of this id; all, if not said. */
  listPins(brandId: string, limit?: number, after?: string | null): Promise<Pin[]> {
    return listBrakes(this.resources.db, brandId, Pin, { limit, after });
  }
}

/** Why a device of this kind can never have the revision; null when it can, as far as is known. */
function misfit(
  { snap, revision, models }: Pinned,
  architecture: string | null,
  model?: string,
): string | null {
  const { architectures } = revision;
  if (
    architecture !== null &&
    !architectures.includes('all') &&
    !architectures.includes(architecture)
  )
    return `it is for ${architectures.join(', ')}, not ${architecture}`;
  const policy = model === undefined ? undefined : models.get(model);
  const { name } = snap;
  const what = policy && modelForbids(policy, { ...revision, name });
  return what ? `model ${model} does not allow ${what}` : null;
}

/**
 * Of a fleet only its members now are known. They may differ, so the pin is refused when it fits none of them; those that it
 * does not fit ignore it, and say so when asked why.
 */
async function fleetMisfit(tx: Tx, pinned: Pinned, fleet: Fleet): Promise<string | null> {
  let first: string | null = null;
  for await (const { architecture, fact } of membersOf(tx, fleet)) {
    const model = fact('model');
    const why = misfit(pinned, architecture, typeof model === 'string' ? model : undefined);
    if (why === null) return null;
    first ??= why;
  }
  return first === null ? null : `no device of the fleet can have it, ${first}`;
}

function refuse({ revision }: Pinned, why: string | null): void {
  if (why !== null)
    throw new OperationError('invalid', `cannot pin revision ${revision.revision}: ${why}`, {
      paths: ['revision'],
    });
}

/** The newest revision of each registered model: an unregistered one forbids nothing. */
async function readModels(tx: Tx, brandId: string): Promise<ReadonlyMap<string, ModelPolicy>> {
  const rows = await tx.find(Model, {
    where: { brandId },
    order: { model: 'ASC', revision: 'ASC' },
  });
  return new Map(rows.map(({ model, bytes }) => [model, toModelRow(decodeAssertion(bytes))]));
}
