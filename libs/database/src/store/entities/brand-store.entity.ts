import { Column, Entity, ForeignKey, Index, PrimaryColumn, PrimaryGeneratedColumn } from 'typeorm';
import { createdAt, optional } from '../../columns.js';
import { Account } from './account.entity.js';

/** One of a brand's stores; the `store` header of a model names its id (decisions 2). */
@Entity({ schema: 'store', name: 'brand_stores' })
export class BrandStore {
  @PrimaryColumn({ type: 'text' }) id!: string;
  @Column({ type: 'text' })
  @ForeignKey(() => Account)
  brandId!: string;
  @Column({ type: 'text' }) name!: string;
  /** Whether the store's devices also see public snaps of the whole installation. */
  @Column({ type: 'boolean', default: false }) allowPublic!: boolean;
  @Column({ type: 'text', default: 'automatic' }) reviewPolicy!: 'automatic' | 'manual';
  /** Whether the store's devices also see snapd and the bases of the operator's public store (S5). */
  @Column({ type: 'boolean', default: false }) essentialSnaps!: boolean;
  @Column(createdAt) createdAt!: Date;
}

/** A store includes another store whole (`snapId` null) or one snap of it (S4). */
@Entity({ schema: 'store', name: 'store_inclusions' })
@Index(['storeId', 'includedStoreId', 'snapId'], { unique: true })
export class StoreInclusion {
  @PrimaryGeneratedColumn('uuid') id!: string;
  @Column({ type: 'text' })
  @ForeignKey(() => Account)
  brandId!: string;
  @Column({ type: 'text' })
  @ForeignKey(() => BrandStore, { onDelete: 'CASCADE' })
  storeId!: string;
  @Column({ type: 'text' })
  @ForeignKey(() => BrandStore, { onDelete: 'CASCADE' })
  includedStoreId!: string;
  @Column({ type: 'text', ...optional }) snapId!: string | null;
}
