import { Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import { createdAt, optional } from '../../columns.js';
import { Account } from './account.entity.js';
import { Device } from './device.entity.js';
import { Rollout } from './rollout.entity.js';
import { Snap } from './snap.entity.js';

/** How far a device has come with the target of a rollout, from the first offer on; written on change (update-control.md 2.7). */
@Entity({ schema: 'store', name: 'device_rollout_states' })
@Index(['deviceUid'])
export class DeviceRolloutState {
  @PrimaryColumn({ type: 'uuid' })
  @ForeignKey(() => Rollout, { onDelete: 'CASCADE' })
  rolloutId!: string;
  @PrimaryColumn({ type: 'uuid' })
  @ForeignKey(() => Device, { onDelete: 'CASCADE' })
  deviceUid!: string;
  /** The snap id, but for parallel instances. */
  @PrimaryColumn({ type: 'text' }) instanceKey!: string;
  @Column({ type: 'text' })
  @ForeignKey(() => Account)
  brandId!: string;
  @Column({ type: 'text' })
  @ForeignKey(() => Snap)
  snapId!: string;
  /** The target for this device. */
  @Column({ type: 'int' }) revision!: number;
  /** That of `state`, for counting. */
  @Column({ type: 'text' }) step!: string;
  /** `LadderState` of libs/update-control. */
  @Column({ type: 'jsonb' }) state!: unknown;
  /** When somebody went on in spite of its failure; one that came later is not covered (U52). */
  @Column({ type: 'timestamptz', ...optional }) acknowledgedAt!: Date | null;
  @Column(createdAt) updatedAt!: Date;
}

/** What rule 13 and rollbacks go by: failures, reverts and good revisions of one installed snap (update-control.md 2.3). */
@Entity({ schema: 'store', name: 'device_snap_memories' })
@Index(['snapId', 'revertedAt'], { where: `"reverted_at" IS NOT NULL` })
export class DeviceSnapMemory {
  @PrimaryColumn({ type: 'uuid' })
  @ForeignKey(() => Device, { onDelete: 'CASCADE' })
  deviceUid!: string;
  @PrimaryColumn({ type: 'text' }) instanceKey!: string;
  @Column({ type: 'text' })
  @ForeignKey(() => Account)
  brandId!: string;
  /** Perhaps of another root's store. */
  @Column({ type: 'text' }) snapId!: string;
  /** `SnapMemory` of libs/update-control, without what the facts say. */
  @Column({ type: 'jsonb' }) memory!: unknown;
  /** When it last went back by itself. */
  @Column({ type: 'timestamptz', ...optional }) revertedAt!: Date | null;
}

/** The devices of one live rollout, counted anew each time, never added up (update-control.md 2.6, stats-rollup). */
@Entity({ schema: 'store', name: 'rollout_counts' })
export class RolloutCounts {
  @PrimaryColumn({ type: 'uuid' })
  @ForeignKey(() => Rollout, { onDelete: 'CASCADE' })
  rolloutId!: string;
  @Column({ type: 'text' })
  @ForeignKey(() => Account)
  brandId!: string;
  /** The last whole count; null: none yet. */
  @Column({ type: 'jsonb', ...optional }) counts!: unknown;
  /** When that was begun: what happened later is not in it. */
  @Column({ type: 'timestamptz', ...optional }) countedAt!: Date | null;
  /** Since when something is new; null: nothing. */
  @Column({ type: 'timestamptz', ...optional }) dirtyAt!: Date | null;
  /** Of a count under way: since when, the last device counted, and what it came to so far. */
  @Column({ type: 'timestamptz', ...optional }) begunAt!: Date | null;
  @Column({ type: 'uuid', ...optional }) cursor!: string | null;
  @Column({ type: 'jsonb', ...optional }) partial!: unknown;
  /** What the gates of the open wave said last, with the numbers. */
  @Column({ type: 'jsonb', ...optional }) judged!: unknown;
  /** How long the last count took; a large fleet is counted less often. */
  @Column({ type: 'int', default: 0 }) tookMs!: number;
}

/** What a brand's own telemetry says of a wave, once and signed (update-control.md 2.7, external gate). */
@Entity({ schema: 'store', name: 'gate_reports' })
@Index(['rolloutId', 'waveNo'])
export class GateReport {
  /** The sender's: the same message twice is one report. */
  @PrimaryColumn({ type: 'uuid' }) id!: string;
  @Column({ type: 'text' })
  @ForeignKey(() => Account)
  brandId!: string;
  @Column({ type: 'uuid' })
  @ForeignKey(() => Rollout, { onDelete: 'CASCADE' })
  rolloutId!: string;
  @Column({ type: 'int' }) waveNo!: number;
  @Column({ type: 'int' }) attempt!: number;
  @Column({ type: 'text' }) gate!: string;
  @Column({ type: 'text' }) verdict!: 'PASS' | 'FAIL';
  /** The numbers it rests on, as the sender gives them. */
  @Column({ type: 'jsonb', default: {} }) detail!: unknown;
  /** `token:<id>`. */
  @Column({ type: 'text' }) reporter!: string;
  @Column(createdAt) receivedAt!: Date;
}
