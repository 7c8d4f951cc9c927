import { Check, Column, Entity, ForeignKey, PrimaryColumn, Unique } from 'typeorm';
import { createdAt, optional, safeInteger } from '../../columns.js';
import { Account } from './account.entity.js';
import { Blob } from './blob.entity.js';
import { Snap } from './snap.entity.js';

export type ComponentType = 'standard' | 'kernel-modules';

/**
 * One revision of a component: these bytes under this name, whichever snap revisions have it. Numbers count per component and
 * are given like those of snaps, when the automatic checks are passed (decisions 22).
 */
@Entity({ schema: 'store', name: 'component_revisions' })
@Unique(['snapId', 'name', 'sha3384'])
@Check(`"revision" > 0`)
export class ComponentRevision {
  @PrimaryColumn({ type: 'text' })
  @ForeignKey(() => Snap)
  snapId!: string;
  /** Without the snap's name in front. */
  @PrimaryColumn({ type: 'text' }) name!: string;
  @PrimaryColumn({ type: 'int' }) revision!: number;
  @Column({ type: 'text' })
  @ForeignKey(() => Account)
  brandId!: string;
  @Column({ type: 'uuid' })
  @ForeignKey(() => Blob)
  blobId!: string;
  /** Lower-case hex. */
  @Column({ type: 'text' }) sha3384!: string;
  @Column(safeInteger) sizeBytes!: number;
  @Column({ type: 'text' }) type!: ComponentType;
  @Column({ type: 'text', ...optional }) version!: string | null;
  @Column({ type: 'text', ...optional }) description!: string | null;
  @Column(createdAt) createdAt!: Date;
}

/** Which revision of a component belongs to a revision of its snap; the assertion of it is a `snap-resource-pair`. */
@Entity({ schema: 'store', name: 'component_pairs' })
export class ComponentPair {
  @PrimaryColumn({ type: 'text' })
  @ForeignKey(() => Snap)
  snapId!: string;
  @PrimaryColumn({ type: 'int' }) snapRevision!: number;
  @PrimaryColumn({ type: 'text' }) name!: string;
  @Column({ type: 'int' }) revision!: number;
  @Column({ type: 'text' })
  @ForeignKey(() => Account)
  brandId!: string;
  @Column(createdAt) createdAt!: Date;
}
