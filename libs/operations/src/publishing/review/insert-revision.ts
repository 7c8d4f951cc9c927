import { createHash } from 'node:crypto';
import type { Assertion } from '#libs/assertions';
import {
  ComponentPair,
  RevisionIcon,
  Snap,
  SnapRevision,
  type Blob,
  type ComponentRevision,
  type Tx,
  type Upload,
} from '#libs/database';
import { keepAssertion, readAssertion } from '../../installation/assertion-shelf.js';
import type { SnapMetadata } from './review-snap.js';

/** Where a revision comes from. */
export interface RevisionSource {
  readonly snap: Snap;
  readonly blob: Blob;
  readonly upload: Pick<Upload, 'id'>;
}

/** Two first revisions of a snap may be accepted at once: one declaration is enough. */
export async function keepOnce(tx: Tx, assertion: Assertion, snapId: string): Promise<void> {
  const known = await readAssertion(tx, assertion.type, assertion.primaryKey);
  if (!known) await keepAssertion(tx, assertion, snapId);
}

/** What the revision is paired with. */
export async function insertPairs(
  tx: Tx,
  components: readonly ComponentRevision[],
  snapRevision: number,
): Promise<void> {
  for (const { snapId, name, revision, brandId } of components)
    await tx.insert(ComponentPair, { snapId, snapRevision, name, revision, brandId });
}

/** The revision's row, with its icon; the first one fills what the snap's row does not say yet. */
export async function insertRevision(
  tx: Tx,
  { snap, blob, upload }: RevisionSource,
  revision: number,
  found: SnapMetadata,
): Promise<void> {
  const { version, type, epoch, confinement, grade, base, snapYaml } = found;
  await tx.insert(SnapRevision, {
    snapId: snap.id,
    revision,
    brandId: snap.brandId,
    uploadId: upload.id,
    blobId: blob.id,
    sha3384: blob.sha3384,
    sizeBytes: blob.sizeBytes,
    version,
    type,
    architectures: [...found.architectures],
    epoch,
    confinement,
    grade,
    base,
    assumes: [...found.assumes],
    snapYaml,
  });
  if (found.icon) {
    const sha256 = createHash('sha256').update(found.icon.bytes).digest('hex');
    const of = { snapId: snap.id, revision, brandId: snap.brandId };
    await tx.insert(RevisionIcon, { ...of, sha256, ...found.icon });
  }
  // The first revision says what kind of snap it is, and fills what nobody has written yet.
  await tx.update(
    Snap,
    { id: snap.id },
    {
      type: snap.type ?? type,
      title: snap.title ?? found.title,
      summary: snap.summary ?? found.summary,
      description: snap.description ?? found.description,
      license: snap.license ?? found.license,
    },
  );
}
