import {
  type Blob,
  takeComponentRevision,
  type ComponentRevision,
  type Snap,
  type Tx,
} from '#libs/database';
import type { BlobStore } from '#libs/storage';
import { withLocalCopy } from '../uploads/local-copy.js';
import type { DeclaredComponents } from './check-components.js';
import type { Problem } from './problem.js';
import { reviewComponent, type ComponentMetadata } from './review-component.js';

/** A component that passed its checks, with the bytes that were sent for it. */
export interface ReviewedComponent extends ComponentMetadata {
  readonly blob: Blob;
}

export interface ReviewedComponents {
  readonly problems: readonly Problem[];
  readonly components: readonly ReviewedComponent[];
}

/** Judges each file that came with a snap: it must be the component that it was sent as, and what the snap declares. */
export async function reviewComponents(
  blobs: BlobStore,
  snapName: string,
  declared: DeclaredComponents,
  sent: ReadonlyMap<string, Blob>,
): Promise<ReviewedComponents> {
  const problems: Problem[] = [];
  const components: ReviewedComponent[] = [];
  for (const [name, blob] of sent) {
    const found = await withLocalCopy(blobs, blob, (path) => reviewComponent(path, snapName));
    if (found.verdict === 'reject') {
      problems.push(
        ...found.problems.map(({ code, message }) => ({
          code,
          message: `component '${name}': ${message}`,
        })),
      );
      continue;
    }
    const mismatch = mismatchOf(name, declared.get(name), found.metadata);
    if (mismatch) problems.push({ code: 'wrong-component', message: mismatch });
    else components.push({ ...found.metadata, blob });
  }
  return { problems, components };
}

function mismatchOf(
  sentAs: string,
  declaredType: string | undefined,
  { name, type }: ComponentMetadata,
): string | null {
  if (name !== sentAs) return `component '${sentAs}': the file calls itself '${name}'`;
  if (declaredType === undefined) return `component '${name}': snap.yaml does not declare it`;
  if (declaredType !== type)
    return `component '${name}': its type is ${type}, and snap.yaml says ${declaredType}`;
  return null;
}

/** Gives each its revision number: the same bytes have the same one. The snap must be locked (decisions 22). */
export async function numberComponents(
  tx: Tx,
  { id: snapId, brandId }: Snap,
  components: readonly ReviewedComponent[],
): Promise<ComponentRevision[]> {
  const numbered: ComponentRevision[] = [];
  for (const { name, type, version, description, blob } of components) {
    const { id: blobId, sha3384, sizeBytes } = blob;
    const row = { snapId, brandId, name, type, version, description, blobId, sha3384, sizeBytes };
    numbered.push(await takeComponentRevision(tx, row));
  }
  return numbered;
}
