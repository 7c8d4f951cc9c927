import { Column, Entity, ForeignKey, PrimaryColumn } from 'typeorm';
import { createdAt, safeInteger } from '../../columns.js';
import { Account } from './account.entity.js';
import { Rollout } from './rollout.entity.js';

/** What a plan was shown to do when it was submitted: part of what approvers sign (update-control.md 2.10); append-only. */
@Entity({ schema: 'store', name: 'rollout_previews' })
export class RolloutPreview {
  @PrimaryColumn({ type: 'uuid' })
  @ForeignKey(() => Rollout)
  rolloutId!: string;
  /** The rollout's `rev` from which on it waits for approval. */
  @PrimaryColumn(safeInteger) rev!: number;
  @Column({ type: 'text' })
  @ForeignKey(() => Account)
  brandId!: string;
  /** SHA-256 of the canonical preview, hex. */
  @Column({ type: 'text' }) hash!: string;
  @Column({ type: 'jsonb' }) preview!: unknown;
  @Column(createdAt) createdAt!: Date;
}
