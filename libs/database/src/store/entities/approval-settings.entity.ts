import { Check, Column, Entity, ForeignKey, PrimaryColumn, PrimaryGeneratedColumn } from 'typeorm';
import { createdAt, optional } from '../../columns.js';
import { Account, Person } from './account.entity.js';

/** How many people a brand wants to agree; no row: the default. */
@Entity({ schema: 'store', name: 'approval_settings' })
@Check(`"approvals_required" BETWEEN 0 AND 3`)
export class ApprovalSettingsRow {
  @PrimaryColumn({ type: 'text' })
  @ForeignKey(() => Account)
  brandId!: string;
  /** Approvals that a rollout needs (update-control.md 2.5). */
  @Column({ type: 'int', default: 1 }) approvalsRequired!: number;
}

/** A change that only a second person can make true; it waits here for them. */
@Entity({ schema: 'store', name: 'proposed_changes' })
@Check(`"verdict" IN ('confirmed', 'rejected')`)
export class ProposedChange {
  @PrimaryGeneratedColumn('uuid') id!: string;
  @Column({ type: 'text' })
  @ForeignKey(() => Account)
  brandId!: string;
  @Column({ type: 'text' }) kind!: 'approvals-required';
  /** What it would be, by kind. */
  @Column({ type: 'jsonb' }) change!: unknown;
  @Column({ type: 'text' }) reason!: string;
  @Column({ type: 'uuid' })
  @ForeignKey(() => Person)
  proposedBy!: string;
  /** Null while it waits. */
  @Column({ type: 'text', ...optional }) verdict!: 'confirmed' | 'rejected' | null;
  @Column({ type: 'uuid', ...optional })
  @ForeignKey(() => Person)
  decidedBy!: string | null;
  @Column({ type: 'timestamptz', ...optional }) decidedAt!: Date | null;
  @Column(createdAt) createdAt!: Date;
}
