import type { SnapContents } from './open-snap.js';
import { ReviewProblem } from './problem.js';

const ICON = /^meta\/gui\/icon\.(png|svg)$/;
const FOLDERS: readonly string[] = ['meta', 'meta/gui', 'meta/hooks'];

/** Stores, image builders and desktops read these by path: a link would lead them out of the snap. */
export function checkIcon({ entries }: SnapContents): void {
  for (const { path, kind } of entries.values()) {
    if (ICON.test(path) && kind !== 'file') {
      throw new ReviewProblem('bad-icon', `${path} is not a regular file`);
    }
    if (FOLDERS.includes(path) && kind !== 'folder') {
      throw new ReviewProblem('bad-icon', `${path} is not a folder`);
    }
  }
}
