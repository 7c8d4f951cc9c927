import { Column, Entity, ForeignKey, PrimaryColumn } from 'typeorm';
import { createdAt, optional, safeInteger } from '../../columns.js';
import { Account } from './account.entity.js';

/** Raised at commit by every change of a stop, a rollout's state or a lease (update-control.md 3.3). */
@Entity({ schema: 'store', name: 'overlay_versions' })
export class OverlayVersion {
  @PrimaryColumn({ type: 'text' })
  @ForeignKey(() => Account)
  brandId!: string;
  @Column(safeInteger) version!: number;
  /** Another one for each version: after a fail-over the same number may come again for another content (U62). */
  @Column({ type: 'uuid' }) stamp!: string;
}

/** Append-only: what became of one subject of the overlay, so that a decision of the past can be replayed (update-control.md 2.2). */
@Entity({ schema: 'store', name: 'overlay_events' })
export class OverlayEvent {
  @PrimaryColumn({ type: 'text' })
  @ForeignKey(() => Account)
  brandId!: string;
  @PrimaryColumn(safeInteger) version!: number;
  /** `<table>:<id>`. */
  @Column({ type: 'text' }) subject!: string;
  /** As the overlay has it; null: it is not there any more. */
  @Column({ type: 'jsonb', ...optional }) value!: unknown;
  @Column(createdAt) at!: Date;
}
