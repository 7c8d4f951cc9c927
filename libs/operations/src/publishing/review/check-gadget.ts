import type { SnapType } from '#libs/database';
import type { SnapContents } from './open-snap.js';
import { readYamlFile } from './read-metadata.js';

/** A gadget without a meta/gadget.yaml that parses makes no image. */
export function checkGadget(type: SnapType, contents: SnapContents): void {
  if (type === 'gadget') readYamlFile(contents, 'meta/gadget.yaml', 'bad-gadget-yaml');
}
