import { Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import { createdAt, optional } from '../../columns.js';
import { Account } from './account.entity.js';

/** Every assertion we hold, byte for byte as it was received or signed; the newest revision per format is what gets served (assertions.md 3). */
@Entity({ schema: 'store', name: 'assertions' })
@Index(['snapId'])
export class StoredAssertion {
  @PrimaryColumn({ type: 'text' }) type!: string;
  /** Reduced primary key, parts joined by `/`. */
  @PrimaryColumn({ type: 'text' }) primaryKey!: string;
  @PrimaryColumn({ type: 'int' }) format!: number;
  @PrimaryColumn({ type: 'int' }) revision!: number;
  @Column({ type: 'bytea' }) bytes!: Buffer;
  /** The snap whose visibility it shares (decisions 13); null: public. */
  @Column({ type: 'text', ...optional }) snapId!: string | null;
  @Column(createdAt) createdAt!: Date;
}

/** A model of a brand, as registered; `assertion` lies in `assertions` too. */
@Entity({ schema: 'store', name: 'models' })
export class Model {
  @PrimaryColumn({ type: 'text' })
  @ForeignKey(() => Account)
  brandId!: string;
  @PrimaryColumn({ type: 'text' }) model!: string;
  @PrimaryColumn({ type: 'int' }) revision!: number;
  @Column({ type: 'text', ...optional }) storeId!: string | null;
  @Column({ type: 'text', ...optional }) architecture!: string | null;
  @Column({ type: 'text' }) signKeyId!: string;
  @Column({ type: 'bytea' }) bytes!: Buffer;
  @Column({ type: 'boolean', default: true }) isActive!: boolean;
  /** Why the brand switched the model off; null while it is active. */
  @Column({ type: 'text', ...optional }) inactiveReason!: string | null;
  @Column(createdAt) createdAt!: Date;
}

/** A private key of the store, sealed; only `keyring` can open it (decisions 5). */
@Entity({ schema: 'store', name: 'sealed_keys' })
export class SealedKey {
  @PrimaryColumn({ type: 'text' }) keyId!: string;
  @Column({ type: 'text' }) purpose!: 'store' | 'generic' | 'model';
  @Column({ type: 'text' })
  @ForeignKey(() => Account)
  accountId!: string;
  @Column({ type: 'jsonb' }) sealed!: unknown;
  @Column({ type: 'boolean', default: true }) isCurrent!: boolean;
  @Column(createdAt) createdAt!: Date;
}

/** An account-key whose owner uses it no more: what it signed stays valid, nothing new by it is taken (S9). */
@Entity({ schema: 'store', name: 'retired_keys' })
export class RetiredKey {
  @PrimaryColumn({ type: 'text' }) keyId!: string;
  @Column({ type: 'text' })
  @ForeignKey(() => Account)
  brandId!: string;
  @Column({ type: 'uuid' }) personId!: string;
  @Column({ type: 'text' }) reason!: string;
  @Column(createdAt) retiredAt!: Date;
}
