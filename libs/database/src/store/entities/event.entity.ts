import { Column, Entity, ForeignKey, Index, PrimaryGeneratedColumn, Unique } from 'typeorm';
import { createdAt, optional, safeInteger } from '../../columns.js';
import { Account } from './account.entity.js';
import { Rollout } from './rollout.entity.js';

/** What a brand's people are told of (update-control.md 2.11), numbered per brand without gaps; append-only. */
@Entity({ schema: 'store', name: 'brand_events' })
@Unique(['brandId', 'seq'])
@Index(['rolloutId', 'seq'])
export class BrandEvent {
  @PrimaryGeneratedColumn('uuid') id!: string;
  @Column({ type: 'text' })
  @ForeignKey(() => Account)
  brandId!: string;
  @Column(safeInteger) seq!: number;
  /** One of EVENT_KINDS. */
  @Column({ type: 'text' }) kind!: string;
  @Column({ type: 'text' }) subject!: string;
  @Column({ type: 'uuid', ...optional })
  @ForeignKey(() => Rollout)
  rolloutId!: string | null;
  @Column({ type: 'jsonb', default: {} }) detail!: unknown;
  @Column(createdAt) at!: Date;
}
