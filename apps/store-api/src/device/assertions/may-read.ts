import { decodeAssertion, header } from '#libs/assertions';
import type { MayRead, StoreView } from '#libs/operations';
import { stopLevel } from '#libs/update-control';

/**
 * A snap's assertions exist for those for whom the snap exists (decisions 13). A stop of level 3 withholds the
 * `snap-revision`, the last thing that a device fetches before it installs (update-control.md 2.8, F12).
 */
export function mayRead(view: StoreView): MayRead {
  return async ({ type, snapId, bytes }) => {
    const seen = snapId === null ? null : await view.find('id', snapId);
    if (!seen) return snapId === null;
    if (type !== 'snap-revision') return true;
    const revision = Number(header(decodeAssertion(bytes), 'snap-revision'));
    return stopLevel(seen.policy.snapshot, seen.snap.snapId, revision, seen.facts) < 3;
  };
}
