import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { createdAt, optional, safeInteger } from '../../columns.js';

/** Bytes in object storage. The file comes first, this row after; unclaimed rows are swept (house: file first, row after). */
@Entity({ schema: 'store', name: 'blobs' })
@Index(['createdAt'], { where: '"claimed_at" IS NULL' })
export class Blob {
  /** Also the unguessable `upload_id` of the publisher API. */
  @PrimaryColumn({ type: 'uuid' }) id!: string;
  @Column({ type: 'text' }) storageKey!: string;
  @Column({ type: 'text' }) sha3384!: string;
  @Column({ type: 'text' }) sha256!: string;
  @Column(safeInteger) sizeBytes!: number;
  @Column({ type: 'timestamptz', ...optional }) claimedAt!: Date | null;
  /** The bytes of a refused upload go after a while; what they were stays known. */
  @Column({ type: 'timestamptz', ...optional }) deletedAt!: Date | null;
  @Column(createdAt) createdAt!: Date;
}
