import { Check, Column, Entity, ForeignKey, PrimaryColumn } from 'typeorm';
import { createdAt, optional } from '../../columns.js';
import { Account } from './account.entity.js';

/** What holds for all devices of a brand where neither device nor fleet says otherwise; no row: the defaults. */
@Entity({ schema: 'store', name: 'update_settings' })
@Check(`"local_operator_bypass" IN ('none', 'windows', 'waves')`)
export class UpdateSettings {
  @PrimaryColumn({ type: 'text' })
  @ForeignKey(() => Account)
  brandId!: string;
  /** IANA name. */
  @Column({ type: 'text', default: 'UTC' }) timezone!: string;
  @Column({ type: 'jsonb', ...optional }) schedule!: unknown;
  /** What a person at the device may pierce (update-control.md 2.3, notes). */
  @Column({ type: 'text', default: 'none' }) localOperatorBypass!: 'none' | 'windows' | 'waves';
  @Column(createdAt) createdAt!: Date;
}
