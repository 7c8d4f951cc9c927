import {
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

/** `uid` is given in the session transaction and survives re-issue of the serial (decisions 3). */
@Entity({ schema: 'store', name: 'devices' })
@Unique(['brandId', 'model', 'serial'])
@Index(['brandId'], { where: `"store_id" IS NULL` })
export class Device {
  @PrimaryGeneratedColumn('uuid') uid!: string;
  @Column({ type: 'text' })
  @ForeignKey(() => Account)
  brandId!: string;
  @Column({ type: 'text' }) model!: string;
  @Column({ type: 'text' }) serial!: string;
  @Column({ type: 'text', ...optional }) storeId!: string | null;
  /** Key id of the device key that opened the last session. */
  @Column({ type: 'text' }) deviceKeyId!: string;
  /** Account that signed the serial; only the brand's own counts as proof for protected snaps (S29). */
  @Column({ type: 'text', ...optional }) serialAuthorityId!: string | null;
  /** The serial assertion that opened the last session, for the device itself (S40); null: none since it is kept. */
  @Column({ type: 'bytea', ...optional }) serialAssertion!: Buffer | null;
  @Column({ type: 'text', ...optional }) architecture!: string | null;
  /** Operator facts (update-control.md 2.2): name → value, `site` among them. */
  @Column({ type: 'jsonb', default: {} }) tags!: Record<string, string>;
  /** IANA name. */
  @Column({ type: 'text', ...optional }) timezone!: string | null;
  @Column(createdAt) createdAt!: Date;
  @Column({ type: 'timestamptz', ...optional }) sessionAt!: Date | null;
}

/** What the device reported last; written on change, in batches, never while the device waits (decisions 20). */
@Entity({ schema: 'store', name: 'device_facts' })
export class DeviceFact {
  @PrimaryColumn({ type: 'uuid' })
  @ForeignKey(() => Device, { onDelete: 'CASCADE' })
  deviceUid!: string;
  @Column({ type: 'text' })
  @ForeignKey(() => Account)
  brandId!: string;
  /** { snapdVersion, architecture, snaps: { [snapId]: { revision, channel, epoch } } } */
  @Column({ type: 'jsonb' }) facts!: Record<string, unknown>;
  @Column({ type: 'text' }) factsHash!: string;
  @Column({ type: 'timestamptz' }) seenAt!: Date;
  /** The last gaps of over an hour between two such instants, in minutes, newest first. */
  @Column({ type: 'int', array: true, default: [] }) seenGaps!: number[];
}

/** A nonce for a device session: consumed atomically before the costly checks (decisions 9). */
@Entity({ schema: 'store', name: 'device_nonces' })
@Index(['expiresAt'])
export class DeviceNonce {
  /** SHA-256 of the nonce, hex. */
  @PrimaryColumn({ type: 'text' }) nonceHash!: string;
  @Column({ type: 'timestamptz' }) expiresAt!: Date;
  @Column({ type: 'timestamptz', ...optional }) usedAt!: Date | null;
}

/**
 * `ends`: sessions of the device or key. `lifts`: an end of the whole device. `moves`: its uid went to another serial or
 * model; no session hears of that.
 */
export type RevocationKind = 'ends' | 'lifts' | 'moves';

/** What a vault said of a device: ends sessions of one device or one device key at once; travels as an overlay, by sequence number (decisions 9, 16). */
@Entity({ schema: 'store', name: 'device_revocations' })
@Index(['brandId', 'model', 'serial'])
@Unique(['eventId'])
export class DeviceRevocation {
  @PrimaryColumn({ ...safeInteger, generated: 'increment' }) seq!: number;
  @Column({ type: 'text', default: 'ends' }) kind!: RevocationKind;
  /** The vault's event id: the same event delivered twice is one row. */
  @Column({ type: 'uuid' }) eventId!: string;
  @Column({ type: 'text' })
  @ForeignKey(() => Account)
  brandId!: string;
  @Column({ type: 'text' }) model!: string;
  @Column({ type: 'text' }) serial!: string;
  /** Only sessions of this device key end; null: all of the device, for ever. */
  @Column({ type: 'text', ...optional }) deviceKeyId!: string | null;
  @Column({ type: 'text' }) reason!: string;
  @Column(createdAt) createdAt!: Date;
}
