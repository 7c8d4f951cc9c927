import {
  Check,
  Column,
  Entity,
  ForeignKey,
  PrimaryColumn,
  PrimaryGeneratedColumn,
  Unique,
} from 'typeorm';
import { createdAt, optional } from '../../columns.js';
import { Account } from './account.entity.js';
import { Device } from './device.entity.js';
import { Lane } from './lane.entity.js';

/** Static list or predicate over facts; unique priority per brand (update-control.md 2.2). */
@Entity({ schema: 'store', name: 'fleets' })
@Unique(['brandId', 'name'])
@Unique(['brandId', 'priority'])
export class Fleet {
  @PrimaryGeneratedColumn('uuid') id!: string;
  @Column({ type: 'text' })
  @ForeignKey(() => Account)
  brandId!: string;
  @Column({ type: 'text' }) name!: string;
  /** Greater wins. */
  @Column({ type: 'int' }) priority!: number;
  /** Null: a static list in `fleet_members`. */
  @Column({ type: 'jsonb', ...optional }) predicate!: unknown;
  /** IANA name, for devices of which no zone is known. */
  @Column({ type: 'text', ...optional }) timezone!: string | null;
  /** Windows and freezes as `libs/update-control` reads them (update-control.md 2.3 step 14). */
  @Column({ type: 'jsonb', ...optional }) schedule!: unknown;
  @Column(createdAt) createdAt!: Date;
}

@Entity({ schema: 'store', name: 'fleet_members' })
export class FleetMember {
  @PrimaryColumn({ type: 'uuid' })
  @ForeignKey(() => Fleet, { onDelete: 'CASCADE' })
  fleetId!: string;
  @PrimaryColumn({ type: 'uuid' })
  @ForeignKey(() => Device, { onDelete: 'CASCADE' })
  deviceUid!: string;
  @Column({ type: 'text' })
  @ForeignKey(() => Account)
  brandId!: string;
}

/** Overrides the lane baseline for one fleet; written when that fleet's rollout completes. */
@Entity({ schema: 'store', name: 'fleet_baselines' })
@Check(`"follow" IN ('sticky', 'later')`)
export class FleetBaseline {
  @PrimaryColumn({ type: 'uuid' })
  @ForeignKey(() => Fleet, { onDelete: 'CASCADE' })
  fleetId!: string;
  @PrimaryColumn({ type: 'uuid' })
  @ForeignKey(() => Lane)
  laneId!: string;
  @PrimaryColumn({ type: 'text' }) architecture!: string;
  @Column({ type: 'text' })
  @ForeignKey(() => Account)
  brandId!: string;
  @Column({ type: 'int' }) revision!: number;
  @Column({ type: 'text', default: 'sticky' }) follow!: 'sticky' | 'later';
  @Column(createdAt) createdAt!: Date;
}
