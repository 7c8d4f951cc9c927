import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { createdAt, optional, safeInteger } from '../../columns.js';
import { AuditRow, OutboxRow } from '../../store/entities/journal.entity.js';

/** `imported`: a former vault signed it, and says when. */
export type SigningOutcome =
  'signed' | 'repeated' | 'pending' | 'approved' | 'refused' | 'imported';

/**
 * What became of each registration: one hash chain per brand, inserted once and finished (decisions 21). Requests that no
 * brand can be made out for are kept under brand `-`.
 */
@Entity({ schema: 'vault', name: 'signing_log' })
@Index(['brandId', 'model', 'serial'])
@Index(['deviceKeyId'])
export class VaultSigningLogRow {
  @PrimaryColumn({ type: 'text' }) brandId!: string;
  @PrimaryColumn(safeInteger) seq!: number;
  @Column(createdAt) at!: Date;
  @Column({ type: 'text' }) outcome!: SigningOutcome;
  /** Why not, for `refused`; see serial-vault.md 19. */
  @Column({ type: 'text', default: '' }) code!: string;
  @Column({ type: 'text', default: '' }) model!: string;
  @Column({ type: 'text', default: '' }) serial!: string;
  @Column({ type: 'int', ...optional }) revision!: number | null;
  @Column({ type: 'text', default: '' }) deviceKeyId!: string;
  @Column({ type: 'text', default: '' }) signKeyId!: string;
  @Column({ type: 'int', ...optional }) policyRevision!: number | null;
  @Column({ type: 'uuid', ...optional }) apiKeyId!: string | null;
  @Column({ type: 'text', default: '' }) userAgent!: string;
  @Column({ type: 'text', default: '' }) requestIdHash!: string;
  @Column({ type: 'text', default: '' }) requestDigest!: string;
  @Column({ type: 'text', default: '' }) serialRequest!: string;
  @Column({ type: 'text', default: '' }) serialText!: string;
  @Column({ type: 'text', default: '' }) originalModel!: string;
  @Column({ type: 'text', default: '' }) originalSerial!: string;
  /** Who decided, for `approved` and what follows from it. */
  @Column({ type: 'text', default: '' }) operator!: string;
  /** Like refusals that were counted instead of written since the last row of the kind (serial-vault.md 12.2). */
  @Column({ type: 'int', default: 0 }) thinned!: number;
  @Column({ type: 'text' }) prevHash!: string;
  @Column({ type: 'text' }) hash!: string;
  /** Personal data, therefore outside the hash. */
  @Column({ type: 'text', default: '' }) address!: string;
}

/** The vault's own audit chain, in the form of the store's. */
@Entity({ schema: 'vault', name: 'audit_log' })
export class VaultAuditRow extends AuditRow {}

/** Events that the store has not confirmed yet. */
@Entity({ schema: 'vault', name: 'outbox' })
export class VaultOutboxRow extends OutboxRow {
  @Column({ type: 'int', default: 0 }) attempts!: number;
  @Column({ type: 'text', default: '' }) lastError!: string;
}
