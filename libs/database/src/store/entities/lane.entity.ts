import {
  Column,
  Entity,
  ForeignKey,
  Index,
  PrimaryColumn,
  PrimaryGeneratedColumn,
  Unique,
} from 'typeorm';
import { createdAt, optional } from '../../columns.js';
import { Account } from './account.entity.js';
import { Snap } from './snap.entity.js';

export type Risk = 'stable' | 'candidate' | 'beta' | 'edge';

/** (snap, track/risk[/branch]) with its append-only release log (update-control.md 2.2). */
@Entity({ schema: 'store', name: 'lanes' })
@Unique(['snapId', 'track', 'risk', 'branch'])
export class Lane {
  @PrimaryGeneratedColumn('uuid') id!: string;
  @Column({ type: 'text' })
  @ForeignKey(() => Account)
  brandId!: string;
  @Column({ type: 'text' })
  @ForeignKey(() => Snap)
  snapId!: string;
  @Column({ type: 'text' }) track!: string;
  @Column({ type: 'text' }) risk!: Risk;
  /** Empty text: no branch. */
  @Column({ type: 'text', default: '' }) branch!: string;
  /** A protected lane changes its baseline only through a rollout, never by a bare release. */
  @Column({ type: 'boolean', default: false }) isProtected!: boolean;
  /** Last sequence number of the release log. */
  @Column({ type: 'int', default: 0 }) lastSeq!: number;
  @Column({ type: 'timestamptz', ...optional }) expiresAt!: Date | null;
  @Column(createdAt) createdAt!: Date;
}

/**
 * A publisher's share of a lane (decisions 15): devices whose bucket of `salt` is below `percent` get the revision. `salt`: 32 hex
 * digits, drawn once per revision and lane, so that a greater share contains the smaller one.
 */
export interface ProgressiveShare {
  readonly salt: string;
  readonly percent: number;
  readonly isPaused: boolean;
}

/** `release`: by a publisher; `close`: the lane is empty from here; `rollout`: a rollout's target enters; `promote`: a rollout made it baseline. */
export type LaneEventKind = 'release' | 'close' | 'rollout' | 'promote' | 'rollback';

/** One line of a lane's log; `rank` defines newer and older (update-control.md 2.3, note on lane order). */
@Entity({ schema: 'store', name: 'lane_events' })
@Index(['snapId', 'createdAt'])
export class LaneEvent {
  @PrimaryColumn({ type: 'uuid' })
  @ForeignKey(() => Lane)
  laneId!: string;
  @PrimaryColumn({ type: 'int' }) seq!: number;
  @Column({ type: 'text' })
  @ForeignKey(() => Account)
  brandId!: string;
  @Column({ type: 'text' })
  @ForeignKey(() => Snap)
  snapId!: string;
  @Column({ type: 'text' }) kind!: LaneEventKind;
  /** Null only for `close`. */
  @Column({ type: 'int', ...optional }) revision!: number | null;
  @Column({ type: 'text', array: true }) architectures!: string[];
  @Column({ type: 'numeric', ...optional }) rank!: string | null;
  /** Null: for every device. */
  @Column({ type: 'jsonb', ...optional }) progressive!: ProgressiveShare | null;
  @Column({ type: 'uuid', ...optional }) personId!: string | null;
  @Column({ type: 'uuid', ...optional }) rolloutId!: string | null;
  @Column(createdAt) createdAt!: Date;
}
