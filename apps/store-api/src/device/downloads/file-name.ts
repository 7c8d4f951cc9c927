import type { FileOrder } from '#libs/operations';

/** Where devices find the bytes of snaps, components and deltas (device-api.md 2.3). */
export const DOWNLOADS_PATH = '/api/v1/snaps/download';

const ID = '[a-zA-Z0-9]{32}';
const NO = '[1-9][0-9]{0,8}';
const SNAP = new RegExp(`^(${ID})_(${NO})\\.snap$`);
const COMPONENT = new RegExp(`^(${ID})\\+([a-z0-9-]{2,40})_(${NO})\\.comp$`);
const DELTA = new RegExp(`^(${ID})_(${NO})_(${NO})_xdelta3\\.delta$`);

function toFileName(order: FileOrder): string {
  switch (order.kind) {
    case 'snap':
      return `${order.snapId}_${order.revision}.snap`;
    case 'component':
      return `${order.snapId}+${order.name}_${order.revision}.comp`;
    case 'delta':
      return `${order.snapId}_${order.source}_${order.target}_xdelta3.delta`;
  }
}

/** A stable address: whoever resumes after days asks it again (decisions 14). */
export const downloadUrl = (publicUrl: string, order: FileOrder): string =>
  `${publicUrl}${DOWNLOADS_PATH}/${toFileName(order)}`;

/** Null for what is none of our file names. */
export function readFileName(file: string): FileOrder | null {
  const [, snap, revision] = SNAP.exec(file) ?? [];
  if (snap !== undefined) return { kind: 'snap', snapId: snap, revision: Number(revision) };
  const [, owner, name = '', number] = COMPONENT.exec(file) ?? [];
  if (owner !== undefined)
    return { kind: 'component', snapId: owner, name, revision: Number(number) };
  const [, patched, source, target] = DELTA.exec(file) ?? [];
  if (patched === undefined) return null;
  return { kind: 'delta', snapId: patched, source: Number(source), target: Number(target) };
}
