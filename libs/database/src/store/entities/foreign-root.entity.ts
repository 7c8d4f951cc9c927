import { Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import { createdAt, optional } from '../../columns.js';

/** Somebody else's trust root, whose snaps are relayed (decisions 6, 7); its account's id. What it signs counts for nothing of ours. */
@Entity({ schema: 'store', name: 'foreign_roots' })
export class ForeignRoot {
  @PrimaryColumn({ type: 'text' }) id!: string;
  /** The root account and its account-keys, as a stream: what is trusted as configured. */
  @Column({ type: 'bytea' }) trusted!: Buffer;
  @Column(createdAt) createdAt!: Date;
}

/** The assertion database of a foreign root, byte for byte as it came; apart from ours, so that nothing crosses over (decisions 6). */
@Entity({ schema: 'store', name: 'foreign_assertions' })
@Index(['snapId'])
export class ForeignAssertion {
  @PrimaryColumn({ type: 'text' }) type!: string;
  /** Reduced primary key, parts joined by `/`. */
  @PrimaryColumn({ type: 'text' }) primaryKey!: string;
  @PrimaryColumn({ type: 'int' }) format!: number;
  @PrimaryColumn({ type: 'int' }) revision!: number;
  @Column({ type: 'text' })
  @ForeignKey(() => ForeignRoot)
  rootId!: string;
  @Column({ type: 'bytea' }) bytes!: Buffer;
  /** The snap whose visibility it shares (decisions 13); null: public. */
  @Column({ type: 'text', ...optional }) snapId!: string | null;
  @Column(createdAt) createdAt!: Date;
}
