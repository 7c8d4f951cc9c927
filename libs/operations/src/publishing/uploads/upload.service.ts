import { addToOutbox, Blob, claimBlob, Snap, Upload, type Tx } from '#libs/database';
import type { Resources } from '../../resources.js';
import { parseChannels } from '../channels/release-channels.js';
import { isSnapName } from '../review/check-name.js';
import { refusal } from '../wire-code.js';

export interface PushOrder {
  readonly brandId: string;
  readonly personId: string;
  readonly snapId: string;
  readonly uploadId: string;
  /** As the client counted them; must be what arrived. */
  readonly sizeBytes: number;
  /** Released as soon as the revision is accepted. */
  readonly channels: readonly string[];
  /** Component name → upload id. */
  readonly components?: Readonly<Record<string, string>>;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Turns blobs into uploads of a snap, and tells how far they are. */
export class UploadService {
  constructor(private readonly resources: Resources) {}

  /** Binds the blob to the snap and asks for its review, in one transaction. Throws `not-found`, `invalid`, `conflict`. */
  push(order: PushOrder): Promise<Upload> {
    return this.resources.db.asBrand(order.brandId, async (tx) => {
      const snap = await tx.findOneBy(Snap, { id: order.snapId, brandId: order.brandId });
      if (!snap) throw refusal('not-found', 'resource-not-found', 'cannot find this snap');
      // What we signed would contradict the root that vouches for it (decisions 6).
      if (snap.rootId !== null)
        throw refusal(
          'forbidden',
          'resource-forbidden',
          `cannot upload to ${snap.name}: it is relayed from the root of account ${snap.rootId}; import its revisions`,
        );
      if (order.channels.length > 0) parseChannels(order.channels, snap);
      const { components = {} } = order;
      await claim(tx, order);
      for (const [name, uploadId] of Object.entries(components)) {
        if (!isSnapName(name))
          throw refusal('invalid', 'invalid-field', `'${name}' is not a component name.`);
        await claim(tx, { brandId: order.brandId, uploadId });
      }
      const upload = await tx.save(
        tx.create(Upload, {
          brandId: order.brandId,
          snapId: snap.id,
          blobId: order.uploadId,
          personId: order.personId,
          channels: [...order.channels],
          components,
        }),
      );
      await addToOutbox(tx, 'review-upload', { uploadId: upload.id, brandId: order.brandId });
      return upload;
    });
  }

  /** Only reads (publisher-api.md 5, 13). Throws `not-found` for an upload of another brand or snap. */
  status(brandId: string, snapId: string, uploadId: string): Promise<Upload> {
    return this.resources.db.asBrand(brandId, async (tx) => {
      const upload = UUID.test(uploadId)
        ? await tx.findOneBy(Upload, { id: uploadId, snapId, brandId })
        : null;
      if (!upload) throw refusal('not-found', 'resource-not-found', 'cannot find this upload');
      return upload;
    });
  }
}

/** Nobody announces the size of a component. */
async function claim(
  tx: Tx,
  {
    brandId,
    uploadId,
    sizeBytes,
  }: Pick<PushOrder, 'brandId' | 'uploadId'> & Partial<Pick<PushOrder, 'sizeBytes'>>,
): Promise<void> {
  const blob = UUID.test(uploadId) ? await tx.findOneBy(Blob, { id: uploadId }) : null;
  // What another brand has claimed answers as what was never sent.
  if (!blob || !(blob.claimedAt === null || (await hasClaimed(tx, brandId, uploadId))))
    throw refusal(
      'invalid',
      'invalid-field',
      `Unknown upload id '${uploadId}': send the file first.`,
    );
  if (sizeBytes !== undefined && blob.sizeBytes !== sizeBytes) {
    throw refusal(
      'invalid',
      'invalid-field',
      `${sizeBytes} bytes were announced, ${blob.sizeBytes} arrived: send the file again.`,
    );
  }
  if (!(await claimBlob(tx, uploadId))) {
    throw refusal(
      'conflict',
      'conflict',
      `Upload id '${uploadId}' was used already: send the file again.`,
    );
  }
}

/** Whether the brand has the bytes in an upload, as the snap or as one of its components. */
async function hasClaimed(tx: Tx, brandId: string, blobId: string): Promise<boolean> {
  const rows = await tx.query<unknown[]>(
    `SELECT 1 FROM store.uploads u WHERE brand_id = $1 AND (blob_id::text = $2
       OR EXISTS (SELECT 1 FROM jsonb_each_text(u.components) AS c WHERE c.value = $2)) LIMIT 1`,
    [brandId, blobId],
  );
  return rows.length > 0;
}
