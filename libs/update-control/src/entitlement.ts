import type { DeviceFacts } from './facts.js';
import type { PolicySnapshot, SnapPolicy } from './policy/snapshot.js';
import { own } from './record.js';

/** Of a device session or, with nulls, of an anonymous request to a store. */
export type Visitor = Pick<DeviceFacts, 'brandId' | 'model' | 'storeId' | 'hasBrandSerial'> & {
  readonly isAnonymous: boolean;
};

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
  const store = visitor.storeId === null ? undefined : own(policy.stores, visitor.storeId);
  const isHome = visitor.storeId !== null && snap.storeId === visitor.storeId;
  const isIncluded =
    store !== undefined &&
    (store.includesStores.includes(snap.storeId) || store.includesSnaps.includes(snap.snapId));
  const isPublic =
    !snap.isPrivate &&
    !snap.isProtected &&
    (visitor.storeId === null || store?.allowPublic === true);
  const isLicensed =
    (visitor.storeId !== null && snap.licensedStores.includes(visitor.storeId)) ||
    (visitor.model !== null && snap.licensedModels.includes(visitor.model));
  if (!isHome && !isIncluded && !isPublic && !isLicensed) return false;
  if (!snap.isPrivate && !snap.isProtected) return true;
  if (visitor.isAnonymous || !(isHome || isLicensed)) return false;
  return (
    !snap.isProtected ||
    (visitor.hasBrandSerial && (snap.brandId === visitor.brandId || isLicensed))
  );
}
