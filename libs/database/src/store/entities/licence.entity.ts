import { Check, Column, Entity, ForeignKey, Index, PrimaryGeneratedColumn } from 'typeorm';
import { createdAt, optional } from '../../columns.js';
import { Account } from './account.entity.js';
import { BrandStore } from './brand-store.entity.js';
import { Snap } from './snap.entity.js';

/**
 * The right of a store or a model to have a snap that is not public (S6, S34). `ownerId` grants it, `brandId` accepts it;
 * both see it and either may end it. In force from `startsAt` up to and without `endsAt`.
 */
@Entity({ schema: 'store', name: 'licences' })
@Index(['brandId'])
@Index(['ownerId'])
@Index(['snapId'])
@Check(`("store_id" IS NULL) <> ("model" IS NULL)`)
export class Licence {
  @PrimaryGeneratedColumn('uuid') id!: string;
  /** Whose store or model it is for. */
  @Column({ type: 'text' })
  @ForeignKey(() => Account)
  brandId!: string;
  /** Whose snap it is. */
  @Column({ type: 'text' })
  @ForeignKey(() => Account)
  ownerId!: string;
  @Column({ type: 'text' })
  @ForeignKey(() => Snap)
  snapId!: string;
  @Column({ type: 'text', ...optional })
  @ForeignKey(() => BrandStore)
  storeId!: string | null;
  @Column({ type: 'text', ...optional }) model!: string | null;
  @Column({ type: 'timestamptz' }) startsAt!: Date;
  /** Null: until somebody ends it. */
  @Column({ type: 'timestamptz', ...optional }) endsAt!: Date | null;
  @Column({ type: 'text' }) reason!: string;
  /** Null: the brand has not said yes yet; then it gives nothing. */
  @Column({ type: 'timestamptz', ...optional }) acceptedAt!: Date | null;
  @Column(createdAt) createdAt!: Date;
}
