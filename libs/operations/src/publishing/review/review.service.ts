import {
  Account,
  Blob,
  BrandStore,
  findRevisionOfContent,
  lockSnap,
  recordAudit,
  Snap,
  takeRevisionNumber,
  Upload,
  type ComponentRevision,
  type Tx,
} from '#libs/database';
import type { Assertion, AssertionTypeName } from '#libs/assertions';
import { keepAssertion, readAssertion } from '../../installation/assertion-shelf.js';
import { OperationError } from '../../operation-error.js';
import type { Resources } from '../../resources.js';
import { ReleaseService } from '../channels/release.service.js';
import { withLocalCopy } from '../uploads/local-copy.js';
import { insertPairs, insertRevision, keepOnce } from './insert-revision.js';
import type { Problem } from './problem.js';
import { numberComponents, reviewComponents, type ReviewedComponent } from './review-components.js';
import { reviewSnap, type SnapMetadata } from './review-snap.js';
import {
  signComponentPair,
  signComponentRevision,
  signDeclaration,
  signRevision,
} from './sign-revision.js';

const WORKER = 'job:review-upload';

/** What a review works on. */
interface Case {
  readonly upload: Upload;
  readonly snap: Snap;
  readonly blob: Blob;
  /** By component name. */
  readonly sent: ReadonlyMap<string, Blob>;
  readonly needsPerson: boolean;
  readonly publisher: Account;
}

/** What an upload has become: numbers that never change, whatever happens to it after. */
interface Numbered {
  readonly revision: number;
  readonly components: readonly ComponentRevision[];
}

/**
 * Reviews uploads: reads the file, judges it, gives it a revision number, signs, releases. Each step looks at what is done
 * already, so a job that was killed anywhere goes on when it runs again, and does nothing twice.
 */
export class ReviewService {
  constructor(
    private readonly resources: Resources,
    private readonly releases = new ReleaseService(resources),
  ) {}

  /** The job: returns when the upload is accepted, rejected or waits for a person. Throws what running again may cure. */
  async review(brandId: string, uploadId: string): Promise<void> {
    const open = await this.resources.db.asBrand(brandId, (tx) => begin(tx, uploadId));
    if (!open) return;
    const { snap, blob, upload } = open;
    const found = await withLocalCopy(this.resources.blobs, blob, (path) =>
      reviewSnap(path, snap.name),
    );
    if (found.verdict === 'reject') return this.reject(brandId, upload, found.problems);
    const barred = barredType(open, found.metadata);
    if (barred) return this.reject(brandId, upload, [barred]);
    const { components: declared } = found.metadata;
    const parts = await reviewComponents(this.resources.blobs, snap.name, declared, open.sent);
    if (parts.problems.length > 0) return this.reject(brandId, upload, parts.problems);
    const isDoubtful = open.needsPerson || found.verdict === 'review';
    const needsPerson = isDoubtful && upload.approvedBy === null;
    const numbered = await this.number(brandId, open, parts.components);
    if (numbered === null) return;
    const problems =
      found.problems.length > 0
        ? found.problems
        : [{ code: 'human-review', message: 'needs a reviewer: the store reviews every upload' }];
    if (needsPerson) return this.postpone(brandId, upload, problems);
    await this.accept(open, numbered, found.metadata);
  }

  /** When no further attempt is made: a publisher must not poll for ever (publisher-api.md 3.5). */
  async giveUp(brandId: string, uploadId: string): Promise<void> {
    const upload = await this.resources.db.asBrand(brandId, (tx) => begin(tx, uploadId));
    if (!upload) return;
    await this.reject(brandId, upload.upload, [
      {
        code: 'review-failed',
        message: 'the store could not review the file; upload it again or ask the operator',
      },
    ]);
  }

  private async reject(
    brandId: string,
    upload: Upload,
    problems: readonly Problem[],
  ): Promise<void> {
    await this.resources.db.asBrand(brandId, (tx) =>
      finish(tx, this.now, upload, 'rejected', problems),
    );
  }

  private async postpone(
    brandId: string,
    upload: Upload,
    problems: readonly Problem[],
  ): Promise<void> {
    await this.resources.db.asBrand(brandId, (tx) =>
      finish(tx, this.now, upload, 'manual', problems),
    );
  }

  private get now(): Date {
    return this.resources.db.clock.now();
  }

  /** The number is given when the automatic checks are passed; of two identical uploads the later gets none (decisions 22). */
  private number(
    brandId: string,
    { upload, snap, blob }: Case,
    reviewed: readonly ReviewedComponent[],
  ): Promise<Numbered | null> {
    return this.resources.db.asBrand(brandId, async (tx) => {
      await lockSnap(tx, snap.id);
      const { revision: given } = await tx.findOneByOrFail(Upload, { id: upload.id });
      if (given !== null)
        return { revision: given, components: await numberComponents(tx, snap, reviewed) };
      const existing = await findRevisionOfContent(tx, snap.id, blob.sha3384, upload.id);
      if (existing !== null) {
        const message = `this exact snap content already exists as revision ${existing}`;
        await finish(tx, this.now, upload, 'rejected', [{ code: 'already-exists', message }]);
        return null;
      }
      const revision = await takeRevisionNumber(tx, snap.id);
      await tx.update(Upload, { id: upload.id }, { revision });
      return { revision, components: await numberComponents(tx, snap, reviewed) };
    });
  }

  private async accept(
    open: Case,
    { revision, components }: Numbered,
    metadata: SnapMetadata,
  ): Promise<void> {
    const { db } = this.resources;
    const { snap, blob, upload } = open;
    // Signed before the transaction: the signer is another process.
    const shared = await this.signShared(snap, components);
    const signed = [
      await signRevision(this.resources, { snap, blob, revision }),
      ...(await Promise.all(
        components.map((one) => signComponentPair(this.resources, one, revision)),
      )),
    ];
    await db.asBrand(snap.brandId, async (tx) => {
      await lockSnap(tx, snap.id);
      const { state } = await tx.findOneByOrFail(Upload, { id: upload.id });
      if (state !== 'reviewing') return;
      for (const one of shared) await keepOnce(tx, one, snap.id);
      for (const one of signed) await keepAssertion(tx, one, snap.id);
      await insertRevision(tx, open, revision, metadata);
      await insertPairs(tx, components, revision);
      const problems = await this.releaseWished(tx, open, revision);
      await finish(tx, this.now, upload, 'accepted', problems);
      await recordAudit(tx, {
        brandId: snap.brandId,
        actor: WORKER,
        action: 'accept-revision',
        subject: `snap:${snap.name}`,
        detail: { revision, uploadId: upload.id, sha3384: blob.sha3384 },
      });
    });
  }

  /** What several revisions stand on: the declaration of their snap, and components that they have in common. */
  private async signShared(
    snap: Snap,
    components: readonly ComponentRevision[],
  ): Promise<Assertion[]> {
    const { db } = this.resources;
    const isKept = (type: AssertionTypeName, key: readonly string[]): Promise<boolean> =>
      db.asBrand(snap.brandId, async (tx) => (await readAssertion(tx, type, key)) !== null);
    const signed: Assertion[] = [];
    if (!(await isKept('snap-declaration', ['16', snap.id])))
      signed.push(await signDeclaration(this.resources, snap));
    for (const component of components) {
      const digest = Buffer.from(component.sha3384, 'hex').toString('base64url');
      const key = [snap.id, component.name, digest, 'global-upload'];
      if (!(await isKept('snap-resource-revision', key)))
        signed.push(await signComponentRevision(this.resources, component));
    }
    return signed;
  }

  /** A refused release leaves the revision accepted; its reason becomes the publisher's (publisher-api.md 3.5). */
  private async releaseWished(
    tx: Tx,
    { upload, snap }: Case,
    revision: number,
  ): Promise<readonly Problem[]> {
    if (upload.channels.length === 0) return [];
    const who = { personId: upload.personId, label: `person:${upload.personId}` };
    const order = { brandId: snap.brandId, snapId: snap.id, revision, channels: upload.channels };
    try {
      await this.releases.releaseIn(tx, who, order);
      return [];
    } catch (error) {
      // Refusals come before anything is written, so the transaction is still good.
      if (!(error instanceof OperationError)) throw error;
      return [
        {
          code: 'not-released',
          message: `revision ${revision} was accepted, but not released: ${error.message}`,
        },
      ];
    }
  }
}

/** Null: somebody has finished it already. */
async function begin(tx: Tx, uploadId: string): Promise<Case | null> {
  const upload = await tx.findOne(Upload, {
    where: { id: uploadId },
    lock: { mode: 'pessimistic_write' },
  });
  if (!upload || !['received', 'reviewing'].includes(upload.state)) return null;
  if (upload.state === 'received')
    await tx.update(Upload, { id: uploadId }, { state: 'reviewing' });
  const snap = await tx.findOneByOrFail(Snap, { id: upload.snapId });
  const blob = await tx.findOneByOrFail(Blob, { id: upload.blobId });
  const sent = new Map<string, Blob>();
  for (const [name, id] of Object.entries(upload.components))
    sent.set(name, await tx.findOneByOrFail(Blob, { id }));
  const store = await tx.findOneByOrFail(BrandStore, { id: snap.storeId });
  const publisher = await tx.findOneByOrFail(Account, { id: snap.brandId });
  return { upload, snap, blob, sent, publisher, needsPerson: store.reviewPolicy === 'manual' };
}

/** Types other than app need the brand's right to them (S15). */
function barredType({ publisher }: Case, { type }: SnapMetadata): Problem | null {
  if (type === 'app' || publisher.snapTypes.includes(type)) return null;
  return {
    code: 'type-not-allowed',
    message: `${publisher.username} may not publish snaps of type ${type}: ask the operator of the store for the right`,
  };
}

/** Only an upload that is under review can end; a second run changes nothing. */
async function finish(
  tx: Tx,
  now: Date,
  upload: Upload,
  state: 'accepted' | 'rejected' | 'manual',
  problems: readonly Problem[],
): Promise<void> {
  const finishedAt = state === 'manual' ? null : now;
  await tx.update(
    Upload,
    { id: upload.id, state: 'reviewing' },
    { state, problems: [...problems], finishedAt },
  );
}
