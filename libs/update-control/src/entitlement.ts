import type { DeviceFacts, Instant } from './facts.js';
import type { PolicySnapshot, SnapPolicy, SnapType } from './policy/snapshot.js';
import { own } from './record.js';

/** A device session or, with nulls, an anonymous request to a store, maybe with an image builder's credentials. */
export type Visitor = Pick<
  DeviceFacts,
  'uid' | 'brandId' | 'model' | 'storeId' | 'hasBrandSerial' | 'mayBuild'
>;

/** What of a policy says who sees a snap. */
type Stores = Pick<PolicySnapshot, 'stores'>;

/** What every image needs beside the maker's own snaps (S5). */
const ESSENTIAL: ReadonlySet<SnapType> = new Set(['snapd', 'base', 'os']);

/**
 * Whether a snap exists for a visitor at an instant (decisions 2, 13): the one place that says so, for every surface.
 *
 * - A public snap (neither private, protected nor paid) exists in its own store, where a store includes it or takes public
 *   snaps, and for those who name no store.
 * - Any other exists for sessions and the store's image builders only: in its own store, and where a licence that runs at `t` brings it (S6, S17, S34).
 * - A protected one also wants a serial signed by the brand (S29), or an image builder of that brand (S21).
 */
export function isVisible(visitor: Visitor, snap: SnapPolicy, policy: Stores, t: Instant): boolean {
  const isHome = visitor.storeId !== null && snap.storeId === visitor.storeId;
  if (isPublic(snap)) {
    return isHome || isListed(visitor.storeId, snap, policy) || isLicensed(visitor, snap, t);
  }
  const mayBuild = visitor.mayBuild === true;
  if (visitor.uid === null && !mayBuild) return false;
  const mayProve = !snap.isProtected || visitor.hasBrandSerial || mayBuild;
  const isOwn = isHome && (!snap.isProtected || snap.brandId === visitor.brandId);
  return mayProve && (isOwn || isLicensed(visitor, snap, t));
}

/** Its publisher lets everybody have it. */
export function isPublic(snap: Pick<SnapPolicy, 'isPrivate' | 'isProtected' | 'isPaid'>): boolean {
  return !snap.isPrivate && !snap.isProtected && !snap.isPaid;
}

/** Who builds images builds those of all models of the brand. Half-open, as all times here: at its end a licence is over. Only accepted licences are in a policy. */
function isLicensed({ storeId, model, mayBuild }: Visitor, snap: SnapPolicy, t: Instant): boolean {
  return snap.licences.some((licence) => {
    const runs = licence.from <= t && (licence.until === null || t < licence.until);
    const isTheirs =
      licence.storeId === null
        ? mayBuild === true || (model !== null && licence.model === model)
        : licence.storeId === storeId;
    return runs && isTheirs;
  });
}

/** A public snap outside its own store. Who names no store takes everything public. */
function isListed(storeId: string | null, snap: SnapPolicy, policy: Stores): boolean {
  if (storeId === null) return true;
  const store = own(policy.stores, storeId);
  if (!store) return false;
  return (
    store.allowPublic ||
    store.includesStores.includes(snap.storeId) ||
    store.includesSnaps.includes(snap.snapId) ||
    (store.essentialFrom === snap.storeId && ESSENTIAL.has(snap.type))
  );
}
