import {
  findComponentFile,
  findDeltaFile,
  findSnapFile,
  type Database,
  type StoredFile,
  type Tx,
} from '#libs/database';
import { stopLevel } from '#libs/update-control';
import { OperationError } from '../operation-error.js';
import type { SeenSnap, StoreView } from '../policy/store-view.js';

/** What a device wants the bytes of. */
export type FileOrder = { readonly snapId: string } & (
  | { readonly kind: 'snap'; readonly revision: number }
  | { readonly kind: 'component'; readonly name: string; readonly revision: number }
  | { readonly kind: 'delta'; readonly source: number; readonly target: number }
);

/** Where they lie, and what to call them. */
export interface FoundFile {
  readonly storageKey: string;
  readonly fileName: string;
}

/** Who may have which bytes: asked of Postgres each time, because a withdrawal acts at once. */
export class DownloadService {
  constructor(private readonly db: Database) {}

  /**
   * Throws `not-found` for what does not exist for the caller, a withdrawn revision among it, and `forbidden` while a stop of
   * level 2 keeps back every revision that the file belongs to (update-control.md 2.8, F20).
   */
  async find(view: StoreView, order: FileOrder): Promise<FoundFile> {
    const seen = await view.find('id', order.snapId);
    const file = seen && (await this.db.asSystem((tx) => read(tx, order)));
    const revisions = file?.revisions.filter(({ isYanked }) => !isYanked) ?? [];
    if (!seen || !file || revisions.length === 0)
      throw new OperationError('not-found', 'no such download');
    if (revisions.every(({ revision }) => isStopped(seen, revision)))
      throw new OperationError('forbidden', 'downloads of this revision are stopped');
    return { storageKey: file.storageKey, fileName: toName(seen.snap.name, order) };
  }
}

function read(tx: Tx, order: FileOrder): Promise<StoredFile | null> {
  switch (order.kind) {
    case 'snap':
      return findSnapFile(tx, order.snapId, order.revision);
    case 'component':
      return findComponentFile(tx, order.snapId, order.name, order.revision);
    case 'delta':
      return findDeltaFile(tx, order.snapId, order.source, order.target);
  }
}

const isStopped = ({ policy, snap, facts }: SeenSnap, revision: number): boolean =>
  stopLevel(policy.snapshot, snap.snapId, revision, facts) >= 2;

function toName(snap: string, order: FileOrder): string {
  switch (order.kind) {
    case 'snap':
      return `${snap}_${order.revision}.snap`;
    case 'component':
      return `${snap}+${order.name}_${order.revision}.comp`;
    case 'delta':
      return `${snap}_${order.source}_${order.target}_xdelta3.delta`;
  }
}
