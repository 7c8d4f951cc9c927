import { Check, Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import { createdAt, optional, safeInteger } from '../../columns.js';
import { Account } from './account.entity.js';
import { Blob } from './blob.entity.js';
import { Snap } from './snap.entity.js';

/** A released revision to which deltas may lead; `make-deltas` looks at it soon, and again daily for the devices that come later. */
@Entity({ schema: 'store', name: 'delta_targets' })
@Index(['lookedAt'])
export class DeltaTarget {
  @PrimaryColumn({ type: 'text' })
  @ForeignKey(() => Snap)
  snapId!: string;
  @PrimaryColumn({ type: 'int' }) revision!: number;
  @Column({ type: 'text' })
  @ForeignKey(() => Account)
  brandId!: string;
  @Column({ type: 'timestamptz', default: () => 'app.now()' }) releasedAt!: Date;
  /** When its deltas were last complete; null: never since the release. */
  @Column({ type: 'timestamptz', ...optional }) lookedAt!: Date | null;
}

/** Why there is no delta between two revisions, so that nobody tries again. */
export type DeltaVerdict = 'made' | 'too-large' | 'failed';

/** What came of a delta from one revision of a snap to another; only one that was made has a blob (device-api.md 2.3). */
@Entity({ schema: 'store', name: 'deltas' })
@Check(`("verdict" = 'made') = ("blob_id" IS NOT NULL)`)
export class Delta {
  @PrimaryColumn({ type: 'text' })
  @ForeignKey(() => Snap)
  snapId!: string;
  @PrimaryColumn({ type: 'int' }) target!: number;
  @PrimaryColumn({ type: 'int' }) source!: number;
  @Column({ type: 'text' })
  @ForeignKey(() => Account)
  brandId!: string;
  @Column({ type: 'text' }) verdict!: DeltaVerdict;
  @Column({ type: 'uuid', ...optional })
  @ForeignKey(() => Blob)
  blobId!: string | null;
  @Column({ type: 'text', ...optional }) sha3384!: string | null;
  @Column({ ...safeInteger, ...optional }) sizeBytes!: number | null;
  @Column(createdAt) createdAt!: Date;
}
