import { Check, Column, Entity, ForeignKey, Index, PrimaryGeneratedColumn } from 'typeorm';
import { createdAt, optional } from '../../columns.js';
import { Account } from './account.entity.js';

/** "Nothing moves": brand, fleet or device × all snaps or one (update-control.md 2.2). Expiry is mandatory for brand and fleet. */
@Entity({ schema: 'store', name: 'holds' })
@Index(['brandId'])
@Check(`"scope" IN ('brand', 'fleet', 'device')`)
@Check(`"scope" = 'device' OR "until" IS NOT NULL`)
export class Hold {
  @PrimaryGeneratedColumn('uuid') id!: string;
  @Column({ type: 'text' })
  @ForeignKey(() => Account)
  brandId!: string;
  @Column({ type: 'text' }) scope!: 'brand' | 'fleet' | 'device';
  @Column({ type: 'uuid', ...optional }) fleetId!: string | null;
  @Column({ type: 'uuid', ...optional }) deviceUid!: string | null;
  @Column({ type: 'text', ...optional }) snapId!: string | null;
  @Column({ type: 'timestamptz' }) from!: Date;
  @Column({ type: 'timestamptz', ...optional }) until!: Date | null;
  @Column({ type: 'text' }) reason!: string;
  @Column({ type: 'uuid' }) personId!: string;
  @Column({ type: 'timestamptz', ...optional }) liftedAt!: Date | null;
  @Column(createdAt) createdAt!: Date;
}

/** "This revision" for a device or a fleet (update-control.md 2.2). */
@Entity({ schema: 'store', name: 'pins' })
@Index(['brandId'])
@Check(`("fleet_id" IS NULL) <> ("device_uid" IS NULL)`)
export class Pin {
  @PrimaryGeneratedColumn('uuid') id!: string;
  @Column({ type: 'text' })
  @ForeignKey(() => Account)
  brandId!: string;
  @Column({ type: 'uuid', ...optional }) fleetId!: string | null;
  @Column({ type: 'uuid', ...optional }) deviceUid!: string | null;
  @Column({ type: 'text' }) snapId!: string;
  @Column({ type: 'text', ...optional }) architecture!: string | null;
  @Column({ type: 'int' }) revision!: number;
  @Column({ type: 'boolean', default: false }) allowDowngrade!: boolean;
  @Column({ type: 'text' }) reason!: string;
  @Column({ type: 'uuid' }) personId!: string;
  @Column({ type: 'timestamptz', ...optional }) liftedAt!: Date | null;
  @Column(createdAt) createdAt!: Date;
}

/** "Must pass through this revision before anything later" (update-control.md 2.2). */
@Entity({ schema: 'store', name: 'floors' })
@Index(['brandId'])
export class Floor {
  @PrimaryGeneratedColumn('uuid') id!: string;
  @Column({ type: 'text' })
  @ForeignKey(() => Account)
  brandId!: string;
  @Column({ type: 'uuid' }) laneId!: string;
  @Column({ type: 'int' }) revision!: number;
  @Column({ type: 'text' }) reason!: string;
  @Column({ type: 'uuid' }) personId!: string;
  @Column({ type: 'timestamptz', ...optional }) liftedAt!: Date | null;
  @Column(createdAt) createdAt!: Date;
}

/** The brake (update-control.md 2.8): level 1 no offers, 2 also no downloads, 3 also no snap-revision assertion. */
@Entity({ schema: 'store', name: 'emergency_stops' })
@Index(['brandId'])
@Check(`"scope" IN ('brand', 'fleet', 'snap', 'revision', 'rollout')`)
@Check(`"level" BETWEEN 1 AND 3`)
export class EmergencyStop {
  @PrimaryGeneratedColumn('uuid') id!: string;
  @Column({ type: 'text' })
  @ForeignKey(() => Account)
  brandId!: string;
  @Column({ type: 'text' }) scope!: 'brand' | 'fleet' | 'snap' | 'revision' | 'rollout';
  @Column({ type: 'uuid', ...optional }) fleetId!: string | null;
  @Column({ type: 'text', ...optional }) snapId!: string | null;
  @Column({ type: 'int', ...optional }) revision!: number | null;
  @Column({ type: 'uuid', ...optional }) rolloutId!: string | null;
  @Column({ type: 'int' }) level!: 1 | 2 | 3;
  @Column({ type: 'text' }) reason!: string;
  @Column({ type: 'uuid' }) personId!: string;
  @Column({ type: 'timestamptz', ...optional }) liftedAt!: Date | null;
  @Column(createdAt) createdAt!: Date;
}
