import {
  Check,
  Column,
  Entity,
  ForeignKey,
  Index,
  PrimaryColumn,
  PrimaryGeneratedColumn,
} from 'typeorm';
import { createdAt, optional, safeInteger } from '../../columns.js';
import { Account, Person } from './account.entity.js';
import { Fleet } from './fleet.entity.js';
import { Lane } from './lane.entity.js';
import { Snap } from './snap.entity.js';

/** At most one live rollout per fleet and lane, or fleet and validation set; `rev` is for compare-and-set (update-control.md 2.2, 2.5). */
@Entity({ schema: 'store', name: 'rollouts' })
@Index(['fleetId', 'laneId'], {
  unique: true,
  where: `"state" = ANY (ARRAY['ACTIVE'::text, 'PAUSED'::text, 'COMPLETING'::text])`,
})
@Index(['fleetId', 'setKey'], {
  unique: true,
  where: `"state" = ANY (ARRAY['ACTIVE'::text, 'PAUSED'::text, 'COMPLETING'::text])`,
})
@Check(`("lane_id" IS NULL) = ("snap_id" IS NULL) AND ("lane_id" IS NULL) <> ("set_key" IS NULL)`)
@Index(['parentId'], {
  unique: true,
  where: `"parent_id" IS NOT NULL AND "state" <> ALL (ARRAY['REJECTED'::text, 'EXPIRED'::text, 'ABORTED'::text])`,
})
@Index(['nextDueAt'], { where: '"next_due_at" IS NOT NULL' })
@Check(`octet_length("salt") = 16`)
export class Rollout {
  @PrimaryGeneratedColumn('uuid') id!: string;
  @Column({ type: 'text' })
  @ForeignKey(() => Account)
  brandId!: string;
  /** Snap and lane of a target that is a revision; else null. */
  @Column({ type: 'text', ...optional })
  @ForeignKey(() => Snap)
  snapId!: string | null;
  @Column({ type: 'uuid', ...optional })
  @ForeignKey(() => Lane)
  laneId!: string | null;
  /** `<account id>/<set name>` of a target that is a sequence of a validation set; else null. */
  @Column({ type: 'text', ...optional }) setKey!: string | null;
  @Column({ type: 'uuid' })
  @ForeignKey(() => Fleet)
  fleetId!: string;
  @Column({ type: 'text' }) name!: string;
  @Column({ type: 'text', default: 'DRAFT' }) state!: string;
  @Column({ ...safeInteger, default: 1 }) rev!: number;
  @Column({ type: 'bytea' }) salt!: Buffer;
  /** The plan as `libs/update-control` defines it; frozen at submit. */
  @Column({ type: 'jsonb' }) plan!: unknown;
  /** SHA-256 of the canonical plan, hex; approvals are bound to it. */
  @Column({ type: 'text' }) planHash!: string;
  @Column({ type: 'uuid' })
  @ForeignKey(() => Person)
  authorId!: string;
  @Column({ type: 'uuid' })
  @ForeignKey(() => Person)
  lastEditorId!: string;
  @Column({ type: 'timestamptz', ...optional }) nextDueAt!: Date | null;
  /** Milliseconds spent ACTIVE before `activeSince`. */
  @Column({ ...safeInteger, default: 0 }) activeMs!: number;
  @Column({ type: 'timestamptz', ...optional }) activeSince!: Date | null;
  /** Growth stops here when nobody watches (update-control.md 2.4). */
  @Column({ type: 'timestamptz', ...optional }) leaseUntil!: Date | null;
  /** Why an admin let it start without approval; null: nobody did. Never taken back. */
  @Column({ type: 'text', ...optional }) breakGlassReason!: string | null;
  /** The rollout that this one takes back (update-control.md 2.8); at most one does. */
  @Column({ type: 'uuid', ...optional })
  @ForeignKey(() => Rollout)
  parentId!: string | null;
  @Column(createdAt) createdAt!: Date;
}

export type WaveState = 'WAITING' | 'OPENING' | 'OPEN' | 'PASSED' | 'FAILED' | 'INCONCLUSIVE';

@Entity({ schema: 'store', name: 'waves' })
export class Wave {
  @PrimaryColumn({ type: 'uuid' })
  @ForeignKey(() => Rollout, { onDelete: 'CASCADE' })
  rolloutId!: string;
  /** Counts from 1. */
  @PrimaryColumn({ type: 'int' }) no!: number;
  @Column({ type: 'text' })
  @ForeignKey(() => Account)
  brandId!: string;
  @Column({ type: 'text', default: 'WAITING' }) state!: WaveState;
  /** Frozen once: devices with a smaller bucket are admitted; 2^53 is everybody. */
  @Column({ ...safeInteger, ...optional }) threshold!: number | null;
  @Column({ ...safeInteger, ...optional }) prevThreshold!: number | null;
  @Column({ type: 'int', ...optional }) population!: number | null;
  @Column({ type: 'int', ...optional }) k!: number | null;
  /** How long the wave takes to admit its devices, in active time; 0: at once. */
  @Column({ ...safeInteger, default: 0 }) rampMs!: number;
  /** The rollout's active time when the wave opened. */
  @Column({ ...safeInteger, default: 0 }) activeMsAtOpen!: number;
  /** When a person said that the wave is good, where the plan asks for that. */
  @Column({ type: 'timestamptz', ...optional }) advancedAt!: Date | null;
  @Column({ type: 'timestamptz', ...optional }) openedAt!: Date | null;
  @Column({ type: 'timestamptz', ...optional }) finishedAt!: Date | null;
  /** Each `retry` after a failure is another one (update-control.md 2.5). */
  @Column({ type: 'int', default: 1 }) attempt!: number;
  /** Since when it is judged: when it opened, or when somebody went on. */
  @Column({ type: 'timestamptz', ...optional }) attemptAt!: Date | null;
  @Column({ ...safeInteger, default: 1 }) rev!: number;
}

/** Append-only: the worker and store roles cannot change or delete rows. */
@Entity({ schema: 'store', name: 'rollout_transitions' })
export class RolloutTransition {
  @PrimaryColumn({ type: 'uuid' })
  @ForeignKey(() => Rollout)
  rolloutId!: string;
  @PrimaryColumn({ type: 'int' }) seq!: number;
  @Column({ type: 'text' })
  @ForeignKey(() => Account)
  brandId!: string;
  @Column({ type: 'text', ...optional }) fromState!: string | null;
  @Column({ type: 'text' }) toState!: string;
  @Column({ type: 'text' }) actor!: string;
  @Column({ type: 'text' }) cause!: string;
  @Column({ type: 'jsonb', default: {} }) evidence!: unknown;
  @Column(createdAt) at!: Date;
}

/** Bound to the hash of the plan and to one submission of it; any edit voids it. */
@Entity({ schema: 'store', name: 'approvals' })
export class Approval {
  @PrimaryColumn({ type: 'uuid' })
  @ForeignKey(() => Rollout)
  rolloutId!: string;
  @PrimaryColumn({ type: 'uuid' })
  @ForeignKey(() => Person)
  personId!: string;
  @PrimaryColumn({ type: 'text' }) planHash!: string;
  /** The rollout's `rev` while it waited: submitted again, it is approved again. */
  @PrimaryColumn(safeInteger) rev!: number;
  @Column({ type: 'text' })
  @ForeignKey(() => Account)
  brandId!: string;
  /** Of what the plan was shown to do, which is signed too; null: of a release that made no previews. */
  @Column({ type: 'text', ...optional }) previewHash!: string | null;
  @Column({ type: 'text' }) verdict!: 'approved' | 'rejected';
  @Column({ type: 'text', default: '' }) note!: string;
  @Column(createdAt) createdAt!: Date;
}
