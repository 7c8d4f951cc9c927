import { randomUUID } from 'node:crypto';
import { header } from '#libs/assertions';
import {
  claimBlob,
  Snap,
  SnapRevision,
  Upload,
  type Blob,
  type ForeignPublisher,
  type Tx,
} from '#libs/database';
import { findChannel } from '#libs/update-control';
import type { Principal } from '../brands/principal.js';
import { OperationError } from '../operation-error.js';
import type { readForeignSnap } from '../publishing/review/review-snap.js';
import { insertRevision } from '../publishing/review/insert-revision.js';
import { getStore } from '../stores/store-rows.js';
import { readForeign } from './foreign-shelf.js';
import type { ImportPapers } from './import-papers.js';

/** A snap's file, and what its assertions and it itself say. */
export interface FoundSnap {
  readonly papers: ImportPapers;
  readonly blob: Blob;
  readonly metadata: Awaited<ReturnType<typeof readForeignSnap>>;
}

/** The snap's row; throws `conflict` for a name or id that is somebody else's. */
export async function ensureSnap(
  tx: Tx,
  brandId: string,
  {
    store,
    channels,
  }: { readonly store?: string | undefined; readonly channels: readonly string[] },
  { papers, publisher }: FoundSnap & { readonly publisher: ForeignPublisher },
  rootId: string,
): Promise<Snap> {
  await tx.query(`SELECT pg_advisory_xact_lock(hashtext('import ' || $1))`, [papers.name]);
  const known =
    (await tx.findOneBy(Snap, { id: papers.snapId })) ??
    (await tx.findOneBy(Snap, { name: papers.name }));
  const tracks = channels.flatMap((text) => findChannel(text, 'latest')?.track ?? []);
  if (known === null) {
    return tx.save(
      tx.create(Snap, {
        ...{ id: papers.snapId, name: papers.name, brandId, rootId },
        foreignPublisher: publisher,
        storeId: (await homeOf(tx, brandId, store)).id,
        tracks: [...new Set(['latest', ...tracks])],
      }),
    );
  }
  checkSame(known, papers, brandId, rootId);
  const all = [...new Set([...known.tracks, ...tracks])];
  if (all.length > known.tracks.length) await tx.update(Snap, { id: known.id }, { tracks: all });
  return { ...known, tracks: all };
}

function checkSame(known: Snap, { snapId, name }: ImportPapers, brandId: string, rootId: string) {
  const why =
    known.id !== snapId
      ? `the name is that of another snap here, ${known.id}`
      : known.rootId !== rootId
        ? 'the snap stands under another root'
        : known.brandId !== brandId
          ? 'another brand relays it; include it from their store'
          : null;
  if (why !== null) throw new OperationError('conflict', `cannot import ${name}: ${why}`);
}

async function homeOf(
  tx: Tx,
  brandId: string,
  store: string | undefined,
): ReturnType<typeof getStore> {
  if (store !== undefined) return getStore(tx, brandId, store);
  const [first] = await tx.query<{ id: string }[]>(
    'SELECT id FROM store.brand_stores WHERE brand_id = $1 ORDER BY created_at, id LIMIT 1',
    [brandId],
  );
  return getStore(tx, brandId, first?.id ?? '');
}

/** As the root's account assertion calls it. */
export async function publisherOf(
  tx: Tx,
  { declaration }: ImportPapers,
): Promise<ForeignPublisher> {
  const id = header(declaration, 'publisher-id');
  const account = await readForeign(tx, 'account', [id]);
  const text = (name: string): string => (account ? header(account, name) : '');
  return {
    id,
    username: text('username') || id,
    displayName: text('display-name') || id,
    validation: text('validation') || 'unproven',
  };
}

/** @returns false when it was here already */
export async function ensureRevision(
  tx: Tx,
  who: Principal,
  snap: Snap,
  { papers, blob, metadata }: FoundSnap,
): Promise<boolean> {
  const { number: revision, sha3384 } = papers;
  const rows = await tx.find(SnapRevision, {
    where: [
      { snapId: snap.id, revision },
      { snapId: snap.id, sha3384 },
    ],
  });
  const [known] = rows;
  if (known?.revision === revision && known.sha3384 === sha3384) return false;
  if (known)
    throw new OperationError(
      'conflict',
      `cannot import revision ${revision} of ${snap.name}: revision ${known.revision} is here with ${known.revision === revision ? 'other' : 'these'} bytes`,
    );
  if (!(await claimBlob(tx, blob.id)))
    throw new OperationError('conflict', 'cannot use an upload twice: send the file again');
  const uploadId = randomUUID();
  const { brandId } = snap;
  const of = { brandId, snapId: snap.id, blobId: blob.id, revision };
  await tx.insert(Upload, {
    ...{ ...of, id: uploadId, personId: who.personId, state: 'accepted' },
    finishedAt: () => 'app.now()',
  });
  await insertRevision(tx, { snap, blob, upload: { id: uploadId } }, revision, metadata);
  return true;
}
