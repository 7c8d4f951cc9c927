import { listDevices, type Database } from '#libs/database';
import { fleetsOf, type DeviceFacts, type PolicySnapshot } from '#libs/update-control';
import { toKnownDevice, type KnownDevice } from '../../devices/device-directory.js';
import { toContext, toInstalled } from '../../policy/poll.js';
import { factsOfDevice } from '../../policy/store-view.js';
import type { PreviewGround } from './preview-ground.js';

/** Read at once: few enough that nothing else in the process waits for long. */
const PAGE = 500;

export interface PreviewMember {
  readonly device: KnownDevice;
  readonly facts: DeviceFacts;
  /** All of its fleets. */
  readonly fleetIds: readonly string[];
}

/**
 * The members of the plan's fleet in the order of their uid, from after `after` on; each page is a transaction of its own. Throws
 * between pages once nobody waits for them any more.
 */
export async function* previewMembers(
  db: Database,
  { fleet }: PreviewGround,
  policy: PolicySnapshot,
  { after = null, signal }: { readonly after?: string | null; readonly signal: AbortSignal },
): AsyncGenerator<PreviewMember> {
  const isStatic = fleet.predicate === null || fleet.predicate === undefined;
  const fleetId = isStatic ? fleet.id : null;
  for (let last = after; ;) {
    const page = { after: last, limit: PAGE, fleetId };
    const rows = await db.asBrand(fleet.brandId, (tx) => listDevices(tx, fleet.brandId, page));
    signal.throwIfAborted();
    for (const row of rows) {
      const device = toKnownDevice(row);
      const facts = factsOfDevice(device);
      const context = toContext(toInstalled(device.reported?.snaps ?? {}));
      const fleetIds = fleetsOf(facts, context, policy.fleets).map((one) => one.fleetId);
      if (fleetIds.includes(fleet.id)) yield { device, facts, fleetIds };
    }
    last = rows.at(-1)?.uid ?? null;
    if (rows.length < PAGE) return;
  }
}
