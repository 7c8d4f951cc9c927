import type { DeviceFacts } from './facts.js';
import type { PolicySnapshot, SnapPolicy } from './policy/snapshot.js';
import { own } from './record.js';

/** A device session or, with nulls, an anonymous request to a store. */
export type Visitor = Pick<DeviceFacts, 'uid' | 'brandId' | 'model' | 'storeId' | 'hasBrandSerial'>;

/**
 * Whether a snap exists for a visitor (decisions 2, 13): it is in the visitor's store or included there, or it is public and the store
 * allows public snaps. A private snap needs its own store or a licence besides; a protected one also a serial signed by the brand
 * (S29). The one place that says so.
 */
export function isVisible(
  visitor: Visitor,
  snap: SnapPolicy,
  policy: Pick<PolicySnapshot, 'stores'>,
): boolean {
  const { storeId, model } = visitor;
  const isHome = storeId !== null && snap.storeId === storeId;
  const isOpenToAll = !snap.isPrivate && !snap.isProtected;
  if (isHome && isOpenToAll) return true;
  const isLicensed =
    (storeId !== null && snap.licensedStores.includes(storeId)) ||
    (model !== null && snap.licensedModels.includes(model));
  if (isOpenToAll) return isLicensed || isListed(storeId, snap, policy);
  if (visitor.uid === null || !(isHome || isLicensed)) return false;
  return (
    !snap.isProtected ||
    (visitor.hasBrandSerial && (snap.brandId === visitor.brandId || isLicensed))
  );
}

/** A public snap in a store that is not its own: the store includes it, or takes all public ones. Without a store everything is taken. */
function isListed(
  storeId: string | null,
  snap: SnapPolicy,
  policy: Pick<PolicySnapshot, 'stores'>,
): boolean {
  if (storeId === null) return true;
  const store = own(policy.stores, storeId);
  if (!store) return false;
  return (
    store.allowPublic ||
    store.includesStores.includes(snap.storeId) ||
    store.includesSnaps.includes(snap.snapId)
  );
}
