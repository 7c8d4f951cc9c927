import { IsNull } from 'typeorm';
import { ApprovalSettingsRow, ProposedChange, recordEvent, type Tx } from '#libs/database';
import { performAct } from '../brands/act.js';
import { requireHuman, type Principal } from '../brands/principal.js';
import { OperationError } from '../operation-error.js';
import type { Resources } from '../resources.js';
import { approvalsRequired } from './approval-count.js';
import { requireUuid } from './find.js';

/** How many approvals a brand asks for, and what an admin has proposed and nobody decided. */
export interface ApprovalSettings {
  readonly approvalsRequired: number;
  readonly proposed: readonly ProposedChange[];
}

const MOST = 3;

/** How many people must say yes before a rollout starts; fewer than now takes two admins (update-control.md 2.5). */
export class ApprovalSettingsService {
  constructor(private readonly resources: Resources) {}

  read(brandId: string): Promise<ApprovalSettings> {
    return this.resources.db.asBrand(brandId, (tx) => readSettings(tx, brandId));
  }

  /** More approvals count at once; fewer wait for a second admin. Throws `invalid` with paths. */
  set(who: Principal, brandId: string, count: number, reason: string): Promise<ApprovalSettings> {
    requireHuman(who, 'change the number of approvals');
    if (!Number.isInteger(count) || count < 0 || count > MOST)
      throw new OperationError('invalid', `cannot ask for ${count} approvals: 0 to ${MOST}`, {
        paths: ['count'],
      });
    if (reason.trim() === '')
      throw new OperationError('invalid', 'cannot do this without a reason', { paths: ['reason'] });
    const request = { count, reason };
    const act = { who, brandId, action: 'set-approvals-required', request };
    return performAct(this.resources.db, act, async (tx) => {
      const before = await approvalsRequired(tx, brandId);
      if (count >= before) await write(tx, brandId, count);
      else await propose(tx, who, brandId, { before, count }, reason);
      const result = await readSettings(tx, brandId);
      const after = result.approvalsRequired;
      return { result, subject: `brand:${brandId}`, reason, detail: { before, after, count } };
    });
  }

  /** The second admin's yes or no. Throws `forbidden` for the first one, `conflict` for what is decided. */
  decide(
    who: Principal,
    brandId: string,
    id: string,
    verdict: 'confirmed' | 'rejected',
  ): Promise<ApprovalSettings> {
    requireHuman(who, 'decide on a proposed change');
    const act = { who, brandId, action: `change-${verdict}`, request: { id, verdict } };
    return performAct(this.resources.db, act, async (tx) => {
      const change = await tx.findOne(ProposedChange, {
        where: { id: requireUuid(id, 'change'), brandId },
        lock: { mode: 'pessimistic_write' },
      });
      if (change === null) throw new OperationError('not-found', `cannot find change ${id}`);
      if (change.verdict !== null)
        throw new OperationError('conflict', `cannot decide again: it is ${change.verdict}`);
      if (verdict === 'confirmed' && change.proposedBy === who.personId)
        throw new OperationError('forbidden', 'cannot confirm your own change: another admin must');
      const decidedAt = this.resources.db.clock.now();
      await tx.update(ProposedChange, { id }, { verdict, decidedBy: who.personId, decidedAt });
      // Written by `propose`.
      const { count } = change.change as { count: number };
      if (verdict === 'confirmed') await write(tx, brandId, count);
      await recordEvent(tx, {
        brandId,
        kind: 'change-decided',
        subject: `change:${id}`,
        detail: { kind: change.kind, verdict, count },
      });
      const detail = { count, proposedBy: change.proposedBy };
      return { result: await readSettings(tx, brandId), subject: `change:${id}`, detail };
    });
  }
}

async function readSettings(tx: Tx, brandId: string): Promise<ApprovalSettings> {
  return {
    approvalsRequired: await approvalsRequired(tx, brandId),
    proposed: await tx.find(ProposedChange, {
      where: { brandId, verdict: IsNull() },
      order: { createdAt: 'ASC' },
    }),
  };
}

async function write(tx: Tx, brandId: string, count: number): Promise<void> {
  await tx.upsert(ApprovalSettingsRow, { brandId, approvalsRequired: count }, ['brandId']);
}

async function propose(
  tx: Tx,
  who: Principal,
  brandId: string,
  change: { readonly before: number; readonly count: number },
  reason: string,
): Promise<void> {
  const { id } = await tx.save(
    tx.create(ProposedChange, {
      brandId,
      kind: 'approvals-required',
      change,
      reason,
      proposedBy: who.personId,
    }),
  );
  await recordEvent(tx, {
    brandId,
    kind: 'change-proposed',
    subject: `change:${id}`,
    detail: { kind: 'approvals-required', ...change, reason, proposedBy: who.personId },
  });
}
