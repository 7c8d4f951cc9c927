import { Blob, lockSnap, takeUnclaimedBlob } from '#libs/database';
import { performAct } from '../brands/act.js';
import { actorOf, type Principal } from '../brands/principal.js';
import { OperationError } from '../operation-error.js';
import { ReleaseService } from '../publishing/channels/release.service.js';
import { ReviewProblem } from '../publishing/review/problem.js';
import { readForeignSnap } from '../publishing/review/review-snap.js';
import { withLocalCopy } from '../publishing/uploads/local-copy.js';
import type { Resources } from '../resources.js';
import { isUuid } from '../rollouts/find.js';
import { checkUnder, getRoot, keepChecked } from './foreign-root.service.js';
import { ensureRevision, ensureSnap, publisherOf, type FoundSnap } from './import-rows.js';
import { readPapers, type ImportPapers } from './import-papers.js';

export interface ImportOrder {
  /** Of the snap's bytes, as the intake of uploads gave it. */
  readonly uploadId: string;
  /** The stream beside the snap: revision, declaration, accounts, keys. */
  readonly assertions: string;
  /** A store of the brand, for the first revision; none: its first one. */
  readonly store?: string | undefined;
  /** Where the revision is released; none: nowhere yet. */
  readonly channels: readonly string[];
}

export interface ImportedSnap {
  readonly snapId: string;
  readonly name: string;
  readonly revision: number;
  readonly version: string;
  readonly type: string;
  /** The root that vouches for it. */
  readonly rootId: string;
  readonly publisher: string;
  readonly channels: readonly string[];
  /** False: this revision was here already. */
  readonly isNew: boolean;
}

/** Takes snaps that stand under a foreign root, with its own assertions: the relay (decisions 6, 7). */
export class ImportService {
  constructor(
    private readonly resources: Resources,
    private readonly releases = new ReleaseService(resources),
  ) {}

  /**
   * Checks the chain under the configured root and the bytes against it, keeps both as they came, and releases like any
   * other revision. All of it or nothing: after a refusal the bytes are gone. The same again changes nothing. Throws `invalid`,
   * `conflict`, `not-found`.
   */
  async import(
    who: Principal,
    brandId: string,
    order: ImportOrder,
    key?: string,
  ): Promise<ImportedSnap> {
    try {
      const papers = readPapers(order.assertions);
      await this.checkChain(papers);
      const blob = await this.read(order.uploadId, papers);
      const metadata = await this.readSnap(blob, papers);
      return await this.perform(who, brandId, order, key, { papers, blob, metadata });
    } finally {
      await this.discard(order.uploadId);
    }
  }

  /** Before the file is copied and read, which costs more; what counts is the check in the transaction. */
  private async checkChain({ declaration, all }: ImportPapers): Promise<void> {
    const { db } = this.resources;
    await db.asSystem(async (tx) => {
      const root = await getRoot(tx, declaration.authorityId ?? '');
      await checkUnder(tx, root, all, db.clock.now());
    });
  }

  private async read(uploadId: string, { sha3384, sizeBytes, name }: ImportPapers): Promise<Blob> {
    const { db } = this.resources;
    const blob = isUuid(uploadId)
      ? await db.asSystem((tx) => tx.findOneBy(Blob, { id: uploadId }))
      : null;
    if (!blob)
      throw new OperationError('invalid', `cannot find upload ${uploadId}: send the file first`, {
        paths: ['uploadId'],
      });
    if (blob.sha3384 === sha3384 && blob.sizeBytes === sizeBytes) return blob;
    throw new OperationError(
      'invalid',
      `cannot import this file as ${name}: its ${blob.sizeBytes} bytes are not the ${sizeBytes} that the snap-revision speaks of`,
      { paths: ['uploadId'] },
    );
  }

  private async readSnap(
    blob: Blob,
    { name, provenance }: ImportPapers,
  ): Promise<FoundSnap['metadata']> {
    try {
      const found = await withLocalCopy(this.resources.blobs, blob, (path) =>
        readForeignSnap(path, name),
      );
      // As snapd compares them (device-api.md 2.2, cross checks).
      if ((found.provenance ?? 'global-upload') === provenance) return found;
      throw new ReviewProblem(
        'bad-provenance',
        `its provenance is ${found.provenance ?? 'global-upload'}, the snap-revision says ${provenance}`,
      );
    } catch (error) {
      if (!(error instanceof ReviewProblem)) throw error;
      throw new OperationError('invalid', `cannot import ${name}: ${error.message}`, {
        paths: ['uploadId'],
      });
    }
  }

  private perform(
    who: Principal,
    brandId: string,
    order: ImportOrder,
    idempotencyKey: string | undefined,
    found: FoundSnap,
  ): Promise<ImportedSnap> {
    const { papers, blob, metadata } = found;
    const { uploadId: _each, ...request } = order;
    const frame = { who, brandId, acrossBrands: true, action: 'import-snap', idempotencyKey };
    const { db } = this.resources;
    return performAct(db, { ...frame, request }, async (tx) => {
      const root = await getRoot(tx, papers.declaration.authorityId ?? '');
      await keepChecked(tx, root, papers.all, papers.snapId, db.clock.now());
      const publisher = await publisherOf(tx, papers);
      const snap = await ensureSnap(tx, brandId, order, { ...found, publisher }, root.id);
      await lockSnap(tx, snap.id);
      const isNew = await ensureRevision(tx, who, snap, found);
      const who_ = { personId: who.personId, label: actorOf(who) };
      const wish = { brandId, snapId: snap.id, revision: papers.number, channels: order.channels };
      const channels =
        order.channels.length > 0 ? await this.releases.releaseIn(tx, who_, wish) : [];
      const result = {
        ...{ snapId: snap.id, name: snap.name, revision: papers.number, isNew, channels },
        ...{ version: metadata.version, type: metadata.type, rootId: root.id },
        publisher: publisher.username,
      };
      const detail = { revision: papers.number, root: root.id, sha3384: blob.sha3384, channels };
      return { result, subject: `snap:${snap.name}`, detail };
    });
  }

  /** What no upload has claimed by now was not taken. */
  private async discard(uploadId: string): Promise<void> {
    if (!isUuid(uploadId)) return;
    const { db, blobs } = this.resources;
    const storageKey = await db.asSystem((tx) => takeUnclaimedBlob(tx, uploadId));
    if (storageKey !== null) await blobs.delete(storageKey);
  }
}
