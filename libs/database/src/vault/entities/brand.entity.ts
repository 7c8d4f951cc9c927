import { Column, Entity, PrimaryColumn } from 'typeorm';
import { createdAt, optional } from '../../columns.js';

/** An account for which this vault registers devices; `id` is its account id, `brand-id` of models and serials (serial-vault.md 1). */
@Entity({ schema: 'vault', name: 'brands' })
export class VaultBrand {
  @PrimaryColumn({ type: 'text' }) id!: string;
  @Column({ type: 'text' }) username!: string;
  @Column({ type: 'text' }) displayName!: string;
  @Column(createdAt) createdAt!: Date;
}

/**
 * Accounts, account-keys and models that the vault believes, byte for byte as received. They are public, so no brand
 * hides them from another; what is not trusted by initialisation was verified against what is.
 */
@Entity({ schema: 'vault', name: 'assertions' })
export class VaultAssertion {
  @PrimaryColumn({ type: 'text' }) type!: string;
  /** Parts joined by `/`. */
  @PrimaryColumn({ type: 'text' }) primaryKey!: string;
  /** The account that it speaks of; null: of none. */
  @Column({ type: 'text', ...optional }) accountId!: string | null;
  @Column({ type: 'int' }) revision!: number;
  @Column({ type: 'boolean', default: false }) isTrusted!: boolean;
  @Column({ type: 'bytea' }) bytes!: Buffer;
  @Column(createdAt) createdAt!: Date;
}
