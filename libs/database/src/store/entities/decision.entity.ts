import { Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import { createdAt, safeInteger } from '../../columns.js';
import { Account } from './account.entity.js';
import { Device } from './device.entity.js';

/**
 * What a device was answered about one snap, whenever that changed (update-control.md 2.2, Decision), with all that it takes
 * to decide it again; append-only.
 */
@Entity({ schema: 'store', name: 'decisions' })
@Index(['deviceUid', 'snapId', 'at'])
@Index(['brandId', 'policyVersion'])
@Index(['at'])
export class DecisionRow {
  @PrimaryColumn({ type: 'uuid' })
  @ForeignKey(() => Device, { onDelete: 'CASCADE' })
  deviceUid!: string;
  @PrimaryColumn({ type: 'text' }) instanceKey!: string;
  /** The instant that was decided for, to the millisecond. */
  @PrimaryColumn({ type: 'timestamptz' }) at!: Date;
  @Column({ type: 'text' })
  @ForeignKey(() => Account)
  brandId!: string;
  @Column({ type: 'text' }) snapId!: string;
  /** What the answer comes to, without what moves by itself: the next row has another one. */
  @Column({ type: 'text' }) answer!: string;
  /** The decision as it was written, byte for byte. */
  @Column({ type: 'text' }) decision!: string;
  /** What the device asked, without its context. */
  @Column({ type: 'jsonb' }) request!: unknown;
  /** Device and context are in `decision_facts`. */
  @Column({ type: 'text' }) factsHash!: string;
  @Column(safeInteger) policyVersion!: number;
  @Column({ type: 'text' }) policyHash!: string;
  @Column(safeInteger) overlayVersion!: number;
  @Column({ type: 'int' }) resolverVersion!: number;
  /** Release of the time zone data. */
  @Column({ type: 'text' }) tzdb!: string;
}

/** The facts that decisions of a device rested on: once, however many decisions. */
@Entity({ schema: 'store', name: 'decision_facts' })
export class DecisionFacts {
  @PrimaryColumn({ type: 'uuid' })
  @ForeignKey(() => Device, { onDelete: 'CASCADE' })
  deviceUid!: string;
  @PrimaryColumn({ type: 'text' }) hash!: string;
  @Column({ type: 'text' })
  @ForeignKey(() => Account)
  brandId!: string;
  @Column({ type: 'jsonb' }) facts!: unknown;
  @Column(createdAt) createdAt!: Date;
}
