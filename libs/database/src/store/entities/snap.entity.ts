import {
  Check,
  Column,
  Entity,
  ForeignKey,
  Index,
  PrimaryColumn,
  PrimaryGeneratedColumn,
  Unique,
} from 'typeorm';
import { createdAt, optional, safeInteger } from '../../columns.js';
import { Account } from './account.entity.js';
import { Blob } from './blob.entity.js';
import { BrandStore } from './brand-store.entity.js';
import { ForeignRoot } from './foreign-root.entity.js';

export type SnapType = 'app' | 'gadget' | 'kernel' | 'base' | 'snapd' | 'os';

/** Whom devices are told of as the publisher of a relayed snap: as its root's account assertion says. */
export interface ForeignPublisher {
  readonly id: string;
  readonly username: string;
  readonly displayName: string;
  readonly validation: string;
}

/** A registered snap name. Names are global in an installation; `id` is 32 random alphanumerics (decisions 1, 2). */
@Entity({ schema: 'store', name: 'snaps' })
@Unique(['name'])
@Index(['brandId'])
@Index(['storeId'])
export class Snap {
  @PrimaryColumn({ type: 'text' }) id!: string;
  @Column({ type: 'text' })
  @ForeignKey(() => Account)
  brandId!: string;
  @Column({ type: 'text' })
  @ForeignKey(() => BrandStore)
  storeId!: string;
  @Column({ type: 'text' }) name!: string;
  /** Known with the first accepted revision. */
  @Column({ type: 'text', ...optional }) type!: SnapType | null;
  /** Exists only for its publisher's accounts and those entitled to it (S17). */
  @Column({ type: 'boolean', default: false }) isPrivate!: boolean;
  /** Only for devices of the brand that can prove their model and serial (S29). */
  @Column({ type: 'boolean', default: false }) isProtected!: boolean;
  /** Currency → decimal text, such as `{"EUR": "4.99"}`; empty: free. A paid snap needs a licence (S34). */
  @Column({ type: 'jsonb', default: {} }) prices!: Readonly<Record<string, string>>;
  @Column({ type: 'text', ...optional }) title!: string | null;
  @Column({ type: 'text', ...optional }) summary!: string | null;
  @Column({ type: 'text', ...optional }) description!: string | null;
  @Column({ type: 'text', ...optional }) license!: string | null;
  @Column({ type: 'text', ...optional }) website!: string | null;
  @Column({ type: 'text', ...optional }) contact!: string | null;
  /** Where the store's people put it: what `snap find --section` knows. */
  @Column({ type: 'text', array: true, default: [] }) categories!: string[];
  @Column({ type: 'text', default: 'latest' }) defaultTrack!: string;
  @Column({ type: 'text', array: true, default: ['latest'] }) tracks!: string[];
  /** Track → regular expression that versions released to it must match as a whole (publisher-api.md 4.6). */
  @Column({ type: 'jsonb', default: {} }) versionPatterns!: Readonly<Record<string, string>>;
  /** Texts that were last edited in the store: what a publisher sends does not overwrite them unasked (publisher-api.md 3.11). */
  @Column({ type: 'text', array: true, default: [] }) editedTexts!: string[];
  /** Last revision number given; numbers never repeat (decisions 22). */
  @Column({ type: 'int', default: 0 }) lastRevision!: number;
  /** The root that vouches for a relayed snap; null: ours. */
  @Column({ type: 'text', ...optional })
  @ForeignKey(() => ForeignRoot)
  rootId!: string | null;
  /** Of a relayed snap; null: the brand. */
  @Column({ type: 'jsonb', ...optional }) foreignPublisher!: ForeignPublisher | null;
  @Column(createdAt) createdAt!: Date;
}

/** An account whose people publish a snap of another brand beside its own (publisher-api.md 3.1). */
@Entity({ schema: 'store', name: 'collaborators' })
@Index(['accountId'])
export class Collaborator {
  @PrimaryColumn({ type: 'text' })
  @ForeignKey(() => Snap)
  snapId!: string;
  @PrimaryColumn({ type: 'text' })
  @ForeignKey(() => Account)
  accountId!: string;
  /** Whose the snap is. */
  @Column({ type: 'text' })
  @ForeignKey(() => Account)
  brandId!: string;
  @Column(createdAt) createdAt!: Date;
}

/** `received` → `reviewing` → `accepted` | `rejected` | `manual` (waits for a reviewer). */
export type UploadState = 'received' | 'reviewing' | 'accepted' | 'rejected' | 'manual';

export interface UploadProblem {
  readonly code: string;
  readonly message: string;
}

@Entity({ schema: 'store', name: 'uploads' })
@Index(['snapId', 'createdAt'])
@Unique(['blobId'])
export class Upload {
  @PrimaryGeneratedColumn('uuid') id!: string;
  @Column({ type: 'text' })
  @ForeignKey(() => Account)
  brandId!: string;
  @Column({ type: 'text' })
  @ForeignKey(() => Snap)
  snapId!: string;
  @Column({ type: 'uuid' })
  @ForeignKey(() => Blob)
  blobId!: string;
  @Column({ type: 'uuid' }) personId!: string;
  @Column({ type: 'text', default: 'received' }) state!: UploadState;
  @Column({ type: 'jsonb', default: [] }) problems!: UploadProblem[];
  /** Channels the publisher wants released as soon as the revision is accepted. */
  @Column({ type: 'text', array: true, default: [] }) channels!: string[];
  /** Component name → blob that was sent for it. */
  @Column({ type: 'jsonb', default: {} }) components!: Readonly<Record<string, string>>;
  @Column({ type: 'int', ...optional }) revision!: number | null;
  /** The person who let it pass; null: nobody had to, or nobody has. */
  @Column({ type: 'uuid', ...optional }) approvedBy!: string | null;
  @Column({ type: 'timestamptz', ...optional }) finishedAt!: Date | null;
  @Column(createdAt) createdAt!: Date;
}

export interface Epoch {
  readonly read: readonly number[];
  readonly write: readonly number[];
}

/** An accepted revision; never changed but for `yankedAt`. */
@Entity({ schema: 'store', name: 'snap_revisions' })
@Unique(['snapId', 'sha3384'])
@Index(['sha3384'])
@Check(`"revision" > 0`)
export class SnapRevision {
  @PrimaryColumn({ type: 'text' })
  @ForeignKey(() => Snap)
  snapId!: string;
  @PrimaryColumn({ type: 'int' }) revision!: number;
  @Column({ type: 'text' })
  @ForeignKey(() => Account)
  brandId!: string;
  @Column({ type: 'uuid' })
  @ForeignKey(() => Upload)
  uploadId!: string;
  @Column({ type: 'uuid' })
  @ForeignKey(() => Blob)
  blobId!: string;
  /** Lower-case hex as in JSON; assertions carry the same digest as base64url (device-api.md 0.4). */
  @Column({ type: 'text' }) sha3384!: string;
  @Column(safeInteger) sizeBytes!: number;
  @Column({ type: 'text' }) version!: string;
  @Column({ type: 'text' }) type!: SnapType;
  @Column({ type: 'text', array: true }) architectures!: string[];
  @Column({ type: 'jsonb' }) epoch!: Epoch;
  @Column({ type: 'text' }) confinement!: 'strict' | 'classic' | 'devmode';
  @Column({ type: 'text' }) grade!: 'stable' | 'devel';
  @Column({ type: 'text', ...optional }) base!: string | null;
  @Column({ type: 'text', array: true, default: [] }) assumes!: string[];
  /** meta/snap.yaml as it stands in the snap. */
  @Column({ type: 'text' }) snapYaml!: string;
  @Column({ type: 'timestamptz', ...optional }) yankedAt!: Date | null;
  @Column({ type: 'text', ...optional }) yankReason!: string | null;
  @Column(createdAt) createdAt!: Date;
}

/** The icon that a publisher gave to the snap; it goes before those of revisions (publisher-api.md 3.11). */
@Entity({ schema: 'store', name: 'snap_icons' })
@Index(['sha256'])
export class GivenIcon {
  @PrimaryColumn({ type: 'text' })
  @ForeignKey(() => Snap)
  snapId!: string;
  @Column({ type: 'text' })
  @ForeignKey(() => Account)
  brandId!: string;
  /** Hex. */
  @Column({ type: 'text' }) sha256!: string;
  @Column({ type: 'text' }) format!: 'png' | 'svg';
  @Column({ type: 'text' }) filename!: string;
  @Column({ type: 'bytea' }) bytes!: Buffer;
}

/** The icon that came with a revision, as it stands in `meta/gui`; small, so that it needs no object (device-api.md 2.15). */
@Entity({ schema: 'store', name: 'revision_icons' })
@Index(['sha256'])
export class RevisionIcon {
  @PrimaryColumn({ type: 'text' })
  @ForeignKey(() => Snap)
  snapId!: string;
  @PrimaryColumn({ type: 'int' }) revision!: number;
  @Column({ type: 'text' })
  @ForeignKey(() => Account)
  brandId!: string;
  /** Hex. */
  @Column({ type: 'text' }) sha256!: string;
  @Column({ type: 'text' }) format!: 'png' | 'svg';
  @Column({ type: 'bytea' }) bytes!: Buffer;
}
