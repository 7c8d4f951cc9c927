import {
  AuditCheck,
  AuditRow,
  Person,
  readAuditChain,
  recordEvent,
  type AuditAnchor,
  type ChainReading,
  type Tx,
} from '#libs/database';
import type { SelectQueryBuilder } from 'typeorm';
import type { Resources } from '../resources.js';
import type { Page } from './reader.js';

/** What is left out does not narrow. */
export interface AuditFilter {
  /** `person:<id>`, `token:<id>`, …, or a person's mail address. */
  readonly actor?: string | undefined;
  readonly action?: string | undefined;
  /** Whole, such as `rollout:<id>`, or its kind alone: `rollout`. */
  readonly subject?: string | undefined;
  readonly from?: Date | undefined;
  /** Not included. */
  readonly until?: Date | undefined;
}

/** What a walk along the chain found. */
export interface AuditVerdict {
  readonly isIntact: boolean;
  /** How many rows fit, from the first. */
  readonly rows: number;
  /** The first that does not fit or is missing. */
  readonly brokenSeq: number | null;
  /** When the daily check last looked; null: not yet. */
  readonly checkedAt: Date | null;
}

/** Rows of an export that are read at once. */
const PAGE = 1000;

/** Reads the audit log of a brand, and proves that nobody has changed it. */
export class AuditService {
  constructor(private readonly resources: Resources) {}

  /** Newest first; `before` is a sequence number. */
  page(
    brandId: string,
    filter: AuditFilter,
    limit: number,
    before: number | null,
  ): Promise<Page<AuditRow>> {
    return this.resources.db.asBrand(brandId, async (tx) => {
      const query = (await filtered(tx, brandId, filter))
        .orderBy('row.seq', 'DESC')
        .take(limit + 1);
      if (before !== null) query.andWhere('row.seq < :before', { before });
      const rows = await query.getMany();
      return { rows: rows.slice(0, limit), hasMore: rows.length > limit };
    });
  }

  /** All rows, oldest first, as they are asked for: however long the log is, little of it is in memory. */
  async *export(brandId: string, filter: AuditFilter): AsyncGenerator<AuditRow> {
    for (let after = 0; ;) {
      const rows = await this.resources.db.asBrand(brandId, async (tx) =>
        (await filtered(tx, brandId, filter))
          .andWhere('row.seq > :after', { after })
          .orderBy('row.seq')
          .take(PAGE)
          .getMany(),
      );
      yield* rows;
      if (rows.length < PAGE) return;
      after = rows.at(-1)?.seq ?? after;
    }
  }

  /** Whether every row is as it was written, up to now and since the last daily check. */
  verify(brandId: string): Promise<AuditVerdict> {
    return this.resources.db.asBrand(brandId, async (tx) => {
      const { check, reading } = await read(tx, brandId);
      return verdict(reading, check?.checkedAt ?? null);
    });
  }

  /**
   * The daily check (update-control.md 2.6): remembers how far the chain is good, and raises an alarm when it is broken.
   * Looking twice changes nothing.
   */
  check(brandId: string): Promise<AuditVerdict> {
    return this.resources.db.asBrand(brandId, async (tx) => {
      const { check, reading } = await read(tx, brandId);
      const { last, brokenSeq } = reading;
      const checkedAt = this.resources.db.clock.now();
      // What was good stays the measure until the chain is whole again.
      const good = brokenSeq === null ? last : anchorOf(check);
      const row = { brandId, seq: good?.seq ?? 0, hash: good?.hash ?? '', brokenSeq, checkedAt };
      await tx.upsert(AuditCheck, row, ['brandId']);
      if (brokenSeq !== null && check?.brokenSeq !== brokenSeq)
        await recordEvent(tx, {
          brandId,
          kind: 'audit-broken',
          subject: `audit:${brokenSeq}`,
          detail: { brokenSeq },
        });
      return verdict(reading, checkedAt);
    });
  }
}

const anchorOf = (check: AuditCheck | null): AuditAnchor | null =>
  check === null || check.seq === 0 ? null : check;

async function read(
  tx: Tx,
  brandId: string,
): Promise<{ check: AuditCheck | null; reading: ChainReading }> {
  const check = await tx.findOneBy(AuditCheck, { brandId });
  return { check, reading: await readAuditChain(tx, brandId, anchorOf(check)) };
}

const verdict = ({ last, brokenSeq }: ChainReading, checkedAt: Date | null): AuditVerdict => ({
  isIntact: brokenSeq === null,
  rows: last?.seq ?? 0,
  brokenSeq,
  checkedAt,
});

async function filtered(
  tx: Tx,
  brandId: string,
  { actor, action, subject, from, until }: AuditFilter,
): Promise<SelectQueryBuilder<AuditRow>> {
  const query = tx
    .createQueryBuilder(AuditRow, 'row')
    .where('row.brand_id = :brandId', { brandId });
  if (actor !== undefined)
    query.andWhere('row.actor = :actor', { actor: await actorNamed(tx, actor) });
  if (action !== undefined) query.andWhere('row.action = :action', { action });
  if (subject !== undefined)
    query.andWhere(`(row.subject = :subject OR split_part(row.subject, ':', 1) = :subject)`, {
      subject,
    });
  if (from !== undefined) query.andWhere('row.at >= :from', { from });
  if (until !== undefined) query.andWhere('row.at < :until', { until });
  return query;
}

async function actorNamed(tx: Tx, actor: string): Promise<string> {
  const person = actor.includes('@')
    ? await tx.findOneBy(Person, { email: actor.trim().toLowerCase() })
    : null;
  return person === null ? actor : `person:${person.id}`;
}
