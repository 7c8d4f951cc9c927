import {
  Column,
  Entity,
  ForeignKey,
  Index,
  PrimaryColumn,
  PrimaryGeneratedColumn,
  Unique,
} from 'typeorm';
import { createdAt, optional } from '../../columns.js';
import { VaultBrand } from './brand.entity.js';
import { VaultApiKey } from './key.entity.js';

/** A request-id that was given out; it belongs to no brand before a request names one (serial-vault.md 8). */
@Entity({ schema: 'vault', name: 'nonces' })
@Index(['expiresAt'])
@Index(['apiKeyId', 'expiresAt'])
export class VaultNonce {
  /** SHA-256 of the request-id, base64url. */
  @PrimaryColumn({ type: 'text' }) nonceHash!: string;
  @Column({ type: 'uuid', ...optional })
  @ForeignKey(() => VaultApiKey)
  apiKeyId!: string | null;
  @Column({ type: 'text' }) address!: string;
  @Column({ type: 'timestamptz' }) expiresAt!: Date;
  @Column({ type: 'timestamptz', ...optional }) usedAt!: Date | null;
  /** SHA3-384 of the request that used it up: the identical request may come again until `repeatableUntil`. */
  @Column({ type: 'text', ...optional }) requestDigest!: string | null;
  @Column({ type: 'timestamptz', ...optional }) repeatableUntil!: Date | null;
  @Column(createdAt) createdAt!: Date;
}

/**
 * A serial that is being signed: it holds (brand, model, serial) and (brand, model, device key) between the checks and the
 * signing log (decisions 21). The same device takes its own over; others may after `expiresAt`, should a process have died.
 */
@Entity({ schema: 'vault', name: 'reservations' })
@Unique(['brandId', 'model', 'deviceKeyId'])
export class VaultReservation {
  @PrimaryColumn({ type: 'text' })
  @ForeignKey(() => VaultBrand)
  brandId!: string;
  @PrimaryColumn({ type: 'text' }) model!: string;
  @PrimaryColumn({ type: 'text' }) serial!: string;
  @Index()
  @Column({ type: 'text' })
  deviceKeyId!: string;
  @Column({ type: 'uuid', ...optional }) apiKeyId!: string | null;
  @Column({ type: 'timestamptz' }) expiresAt!: Date;
}

/** The device that holds a serial now; what it was before is in the signing log. */
@Entity({ schema: 'vault', name: 'devices' })
@Unique(['brandId', 'model', 'deviceKeyId'])
export class VaultDevice {
  @PrimaryColumn({ type: 'text' })
  @ForeignKey(() => VaultBrand)
  brandId!: string;
  @PrimaryColumn({ type: 'text' }) model!: string;
  @PrimaryColumn({ type: 'text' }) serial!: string;
  @Index()
  @Column({ type: 'text' })
  deviceKeyId!: string;
  @Column({ type: 'int' }) revision!: number;
  @Column({ type: 'text' }) signKeyId!: string;
  /** The serial assertion; null: a former vault signed it and kept no copy. */
  @Column({ type: 'bytea', ...optional }) bytes!: Buffer | null;
  @Column({ type: 'uuid', ...optional }) apiKeyId!: string | null;
  @Column({ type: 'timestamptz' }) signedAt!: Date;
  @Column({ type: 'timestamptz', ...optional }) revokedAt!: Date | null;
  /** The model that it became by remodelling. */
  @Column({ type: 'text', ...optional }) remodelledTo!: string | null;
  @Column(createdAt) createdAt!: Date;
}

/** A device key that lost its serial to another one, and never gets one of this model again (serial-vault.md 6.3). */
@Entity({ schema: 'vault', name: 'superseded_keys' })
export class VaultSupersededKey {
  @PrimaryColumn({ type: 'text' })
  @ForeignKey(() => VaultBrand)
  brandId!: string;
  @PrimaryColumn({ type: 'text' }) model!: string;
  @PrimaryColumn({ type: 'text' }) deviceKeyId!: string;
  @Column({ type: 'text' }) serial!: string;
  @Column(createdAt) createdAt!: Date;
}

export type PendingState = 'waiting' | 'approved' | 'refused';

/** A held request. It is found by serial and device key, since a device that begins again brings a new request-id (serial-vault.md 3). */
@Entity({ schema: 'vault', name: 'pending' })
@Unique(['brandId', 'model', 'serial', 'deviceKeyId'])
export class VaultPending {
  @PrimaryGeneratedColumn('uuid') id!: string;
  @Column({ type: 'text' })
  @ForeignKey(() => VaultBrand)
  brandId!: string;
  @Column({ type: 'text' }) model!: string;
  @Column({ type: 'text' }) serial!: string;
  @Column({ type: 'text' }) deviceKeyId!: string;
  /** The key that holds the serial. */
  @Column({ type: 'text' }) formerDeviceKeyId!: string;
  @Column({ type: 'text', default: 'waiting' }) state!: PendingState;
  @Column({ type: 'text', ...optional }) decidedBy!: string | null;
  @Column({ type: 'timestamptz', ...optional }) decidedAt!: Date | null;
  @Column({ type: 'text', default: '' }) reason!: string;
  @Column({ type: 'timestamptz' }) expiresAt!: Date;
  @Column(createdAt) createdAt!: Date;
}

export type DeviceEventKind = 'revoked' | 'superseded' | 'restored' | 'swapped' | 'remodelled';

/** What the store is told of a device; `id` is the id of the event (ARCHITECTURE.md, between store and vault). */
@Entity({ schema: 'vault', name: 'device_events' })
@Index(['brandId', 'model', 'serial'])
export class VaultDeviceEvent {
  @PrimaryColumn({ type: 'uuid' }) id!: string;
  @Column({ type: 'text' })
  @ForeignKey(() => VaultBrand)
  brandId!: string;
  @Column({ type: 'text' }) kind!: DeviceEventKind;
  @Column({ type: 'text' }) model!: string;
  @Column({ type: 'text' }) serial!: string;
  @Column({ type: 'text', ...optional }) deviceKeyId!: string | null;
  /** As what the device goes on, for `swapped` and `remodelled`. */
  @Column({ type: 'text', ...optional }) toModel!: string | null;
  @Column({ type: 'text', ...optional }) toSerial!: string | null;
  @Column({ type: 'text' }) reason!: string;
  @Column(createdAt) createdAt!: Date;
}

/** The database that this vault ran on last; one row. */
@Entity({ schema: 'vault', name: 'home' })
export class VaultHome {
  @PrimaryColumn({ type: 'int', default: 1 }) id!: number;
  /** Cluster, timeline and database, as Postgres tells them. */
  @Column({ type: 'text' }) identity!: string;
  @Column({ ...createdAt, name: 'since' }) since!: Date;
}
