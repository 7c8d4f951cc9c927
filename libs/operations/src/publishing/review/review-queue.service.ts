import { addToOutbox, Upload, type Tx } from '#libs/database';
import { performAct } from '../../brands/act.js';
import type { Principal } from '../../brands/principal.js';
import { requireReason } from '../../brands/require-reason.js';
import { OperationError } from '../../operation-error.js';
import type { Resources } from '../../resources.js';
import { getSnap } from '../../rollouts/find.js';

export interface ReviewOrder {
  readonly snap: string;
  readonly revision: number;
  readonly reason: string;
}

/** What people decide about uploads that wait for them (publisher-api.md 3.5, manual review). */
export class ReviewQueueService {
  constructor(private readonly resources: Pick<Resources, 'db'>) {}

  /**
   * Lets the upload pass: its review runs once more, signs, and releases to the channels that its publisher asked for. Throws
   * `not-found`, `invalid` without a reason, `conflict` for an upload that does not wait for a person.
   */
  approve(who: Principal, brandId: string, order: ReviewOrder, key?: string): Promise<Upload> {
    return this.decide(who, brandId, 'approve-upload', order, key, async (tx, upload) => {
      const change = { state: 'received', approvedBy: who.personId } as const;
      await tx.update(Upload, { id: upload.id }, change);
      await addToOutbox(tx, 'review-upload', { uploadId: upload.id, brandId });
      return { ...upload, ...change };
    });
  }

  /** Ends the upload; its publisher reads the reason. Throws as `approve`. */
  reject(who: Principal, brandId: string, order: ReviewOrder, key?: string): Promise<Upload> {
    return this.decide(who, brandId, 'reject-upload', order, key, async (tx, upload) => {
      const message = `a reviewer refused revision ${order.revision}: ${order.reason}`;
      const change = {
        state: 'rejected' as const,
        problems: [{ code: 'refused-by-reviewer', message }],
        finishedAt: this.resources.db.clock.now(),
      };
      await tx.update(Upload, { id: upload.id }, change);
      return { ...upload, ...change };
    });
  }

  private async decide(
    who: Principal,
    brandId: string,
    action: string,
    order: ReviewOrder,
    key: string | undefined,
    work: (tx: Tx, upload: Upload) => Promise<Upload>,
  ): Promise<Upload> {
    requireReason(order.reason);
    const act = { who, brandId, action, idempotencyKey: key, request: order };
    return performAct(this.resources.db, act, async (tx) => {
      const snap = await getSnap(tx, brandId, order.snap);
      const upload = await tx.findOne(Upload, {
        where: { snapId: snap.id, revision: order.revision },
        lock: { mode: 'pessimistic_write' },
      });
      const subject = `snap:${snap.name}/${order.revision}`;
      if (upload === null)
        throw new OperationError('not-found', `cannot find an upload of ${subject}`);
      if (upload.state !== 'manual')
        throw new OperationError(
          'conflict',
          `cannot review revision ${order.revision} of ${snap.name}: it waits for nobody`,
          { current: { state: upload.state } },
        );
      const detail = { uploadId: upload.id, problems: upload.problems };
      return { result: await work(tx, upload), subject, reason: order.reason, detail };
    });
  }
}
