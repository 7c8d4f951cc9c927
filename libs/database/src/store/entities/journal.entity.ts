import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { createdAt, optional, safeInteger } from '../../columns.js';

/** Who did what and why; one hash chain per brand, append-only for every service role. */
@Entity({ schema: 'store', name: 'audit_log' })
export class AuditRow {
  @PrimaryColumn({ type: 'text' }) brandId!: string;
  @PrimaryColumn(safeInteger) seq!: number;
  @Column(createdAt) at!: Date;
  @Column({ type: 'text' }) actor!: string;
  @Column({ type: 'text' }) action!: string;
  @Column({ type: 'text' }) subject!: string;
  @Column({ type: 'text', default: '' }) reason!: string;
  @Column({ type: 'jsonb', default: {} }) detail!: unknown;
  @Column({ type: 'text' }) prevHash!: string;
  @Column({ type: 'text' }) hash!: string;
}

/**
 * Where the last check of a brand's chain ended: the end of a chain says nothing of rows that were cut off behind it, so
 * the next check starts from here.
 */
@Entity({ schema: 'store', name: 'audit_checks' })
export class AuditCheck {
  @PrimaryColumn({ type: 'text' }) brandId!: string;
  /** The last row that was good, and its hash. */
  @Column(safeInteger) seq!: number;
  @Column({ type: 'text' }) hash!: string;
  /** The first row that does not fit; null: all do. */
  @Column({ ...safeInteger, ...optional }) brokenSeq!: number | null;
  @Column({ type: 'timestamptz' }) checkedAt!: Date;
}

/** A job to be; written in the transaction that makes it necessary, relayed after commit (house 2.8). */
@Entity({ schema: 'store', name: 'outbox' })
@Index(['id'], { where: '"delivered_at" IS NULL' })
export class OutboxRow {
  @PrimaryColumn({ ...safeInteger, generated: 'increment' }) id!: number;
  @Column({ type: 'text' }) job!: string;
  @Column({ type: 'jsonb' }) payload!: unknown;
  @Column({ type: 'timestamptz', default: () => 'app.now()' }) dueAt!: Date;
  @Column({ type: 'timestamptz', ...optional }) deliveredAt!: Date | null;
  @Column(createdAt) createdAt!: Date;
}

/** The answer once given under an idempotency key is given again (update-control.md 2.11). */
@Entity({ schema: 'store', name: 'idempotency_keys' })
export class IdempotencyKey {
  @PrimaryColumn({ type: 'text' }) brandId!: string;
  @PrimaryColumn({ type: 'text' }) key!: string;
  @Column({ type: 'text' }) requestHash!: string;
  @Column({ type: 'jsonb', ...optional }) answer!: unknown;
  @Column(createdAt) createdAt!: Date;
}

/** The brand's policy as one immutable value; versions rise strictly (update-control.md 2.2). */
@Entity({ schema: 'store', name: 'policy_snapshots' })
export class PolicySnapshotRow {
  @PrimaryColumn({ type: 'text' }) brandId!: string;
  @PrimaryColumn(safeInteger) version!: number;
  @Column({ type: 'text' }) hash!: string;
  /** A process of an older release passes it over (update-control.md 2.6, U69). */
  @Column({ type: 'int', default: 1 }) resolverVersion!: number;
  @Column({ type: 'jsonb' }) snapshot!: unknown;
  @Column(createdAt) createdAt!: Date;
}

/** Raised by every change that a snapshot must show; the compiled snapshot catches up with it. */
@Entity({ schema: 'store', name: 'policy_versions' })
export class PolicyVersion {
  @PrimaryColumn({ type: 'text' }) brandId!: string;
  @Column({ ...safeInteger, default: 1 }) version!: number;
}

/** One row: who this installation is. */
@Entity({ schema: 'store', name: 'installation' })
export class Installation {
  @PrimaryColumn({ type: 'int', default: 1 }) id!: number;
  @Column({ type: 'text' }) operatorAccountId!: string;
  @Column({ type: 'text' }) rootKeyId!: string;
  @Column({ type: 'text' }) storeKeyId!: string;
  /** The operator's own store: what everybody may have (S4, S16), and where stores take snapd and bases from (S5). */
  @Column({ type: 'text', ...optional }) publicStoreId!: string | null;
  @Column(createdAt) createdAt!: Date;
}
