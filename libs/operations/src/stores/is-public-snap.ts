import type { Snap } from '#libs/database';
import { isPublic } from '#libs/update-control';

/** Whether everybody may have the snap, by its row. */
export const isPublicSnap = (snap: Snap): boolean =>
  isPublic({ ...snap, isPaid: Object.keys(snap.prices).length > 0 });
