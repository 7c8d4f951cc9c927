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
import { VaultBrand } from './brand.entity.js';

/** A key signs for one purpose only (serial-vault.md 11.3). */
export type VaultKeyPurpose = 'serial' | 'system-user';

/** A key that signs serials or system-users of a brand; the private half is sealed and only the signer process can open it (serial-vault.md 11.3). */
@Entity({ schema: 'vault', name: 'signing_keys' })
@Unique(['brandId', 'name'])
export class VaultSigningKey {
  @PrimaryColumn({ type: 'text' }) keyId!: string;
  @Column({ type: 'text' })
  @ForeignKey(() => VaultBrand)
  brandId!: string;
  @Column({ type: 'text' }) name!: string;
  @Column({ type: 'text' }) sealed!: string;
  /** The account-key-request that the brand takes to its store. */
  @Column({ type: 'text' }) accountKeyRequest!: string;
  @Column({ type: 'text', default: 'serial' }) purpose!: VaultKeyPurpose;
  @Column({ type: 'boolean', default: true }) isEnabled!: boolean;
  /** Who wishes to disable it, as audit rows name them; null: nobody. Somebody else has to confirm. */
  @Column({ type: 'text', ...optional }) disablingBy!: string | null;
  @Column({ type: 'timestamptz', ...optional }) disablingAt!: Date | null;
  @Column(createdAt) createdAt!: Date;
}

/** One of the keys that the gadgets of a model send: a batch marker, no proof of origin (serial-vault.md 7). */
@Entity({ schema: 'vault', name: 'api_keys' })
@Index(['lookup'])
@Index(['brandId', 'model'])
export class VaultApiKey {
  @PrimaryGeneratedColumn('uuid') id!: string;
  @Column({ type: 'text' })
  @ForeignKey(() => VaultBrand)
  brandId!: string;
  @Column({ type: 'text' }) model!: string;
  @Column({ type: 'text' }) name!: string;
  /** First characters of the key. */
  @Column({ type: 'text' }) lookup!: string;
  /** HMAC-SHA-256 under a pepper that is not in the database. */
  @Column({ type: 'text' }) hash!: string;
  @Column({ type: 'timestamptz', default: () => 'app.now()' }) notBefore!: Date;
  @Column({ type: 'timestamptz', ...optional }) notAfter!: Date | null;
  /** Devices that may be registered with it; null: any number. */
  @Column({ type: 'int', ...optional }) quota!: number | null;
  /** Addresses or CIDR ranges it may come from; empty: any. */
  @Column({ type: 'text', array: true, default: '{}' }) addressRanges!: string[];
  @Column({ ...safeInteger, default: 0 }) useCount!: number;
  @Column({ type: 'timestamptz', ...optional }) lastUsedAt!: Date | null;
  @Column({ type: 'timestamptz', ...optional }) endedAt!: Date | null;
  @Column(createdAt) createdAt!: Date;
}

/** What somebody may do in a brand, additive (serial-vault.md 13); `instance-admin` is the installation's. */
export const VAULT_ROLES = [
  'instance-admin',
  'vault-admin',
  'key-custodian',
  'production',
  'approver',
  'auditor',
  'system-user-signer',
  'factory',
] as const;
export type VaultRole = (typeof VAULT_ROLES)[number];

/** A person who administers; their tokens can do no more than their roles of this moment. */
@Entity({ schema: 'vault', name: 'members' })
@Unique(['brandId', 'email'])
@Unique(['brandId', 'identityIssuer', 'identitySubject'])
export class VaultMember {
  @PrimaryGeneratedColumn('uuid') id!: string;
  @Column({ type: 'text' })
  @ForeignKey(() => VaultBrand)
  brandId!: string;
  @Column({ type: 'text' }) email!: string;
  @Column({ type: 'text' }) displayName!: string;
  @Column({ type: 'text', array: true }) roles!: VaultRole[];
  /** Empty: they have not chosen one. */
  @Column({ type: 'text', default: '' }) passwordHash!: string;
  /** Sealed; null: no second factor. */
  @Column({ type: 'text', ...optional }) totpSecret!: string | null;
  @Column({ ...safeInteger, ...optional }) totpLastStep!: number | null;
  /** Hashes of the codes that stand in for a lost authenticator app. */
  @Column({ type: 'text', array: true, default: '{}' }) recoveryCodes!: string[];
  /** Hash of the secret with which they choose a password; null: none is out. */
  @Column({ type: 'text', ...optional }) invitationHash!: string | null;
  @Column({ type: 'timestamptz', ...optional }) invitedUntil!: Date | null;
  /** Whose word opens a login for them, and as whom that provider knows them; null: nobody's. */
  @Column({ type: 'text', ...optional }) identityIssuer!: string | null;
  @Column({ type: 'text', ...optional }) identitySubject!: string | null;
  @Column({ type: 'timestamptz', ...optional }) removedAt!: Date | null;
  @Column(createdAt) createdAt!: Date;
}

/** A person at a login, or a token: these never approve (decisions 26). */
export type VaultBearerKind = 'session' | 'token';

/** A bearer of the administration; without a brand it is the installation's, good for every brand. */
@Entity({ schema: 'vault', name: 'tokens' })
@Unique(['lookup'])
export class VaultToken {
  @PrimaryGeneratedColumn('uuid') id!: string;
  @Column({ type: 'text', ...optional })
  @ForeignKey(() => VaultBrand)
  brandId!: string | null;
  @Column({ type: 'text', default: 'token' }) kind!: VaultBearerKind;
  @Column({ type: 'text' }) name!: string;
  /** Of a session all that the person has. */
  @Column({ type: 'text', array: true }) roles!: VaultRole[];
  /** Whose it is; null: a machine's. */
  @Column({ type: 'uuid', ...optional })
  @ForeignKey(() => VaultMember)
  memberId!: string | null;
  @Column({ type: 'text' }) lookup!: string;
  /** SHA-256 of the token, base64url. */
  @Column({ type: 'text' }) hash!: string;
  @Column({ type: 'timestamptz', ...optional }) expiresAt!: Date | null;
  @Column({ type: 'timestamptz', ...optional }) revokedAt!: Date | null;
  @Column(createdAt) createdAt!: Date;
}

/** A device key that never gets a serial from this vault, whichever brand asks (serial-vault.md 4.2, step 5). */
@Entity({ schema: 'vault', name: 'blocked_device_keys' })
export class VaultBlockedDeviceKey {
  @PrimaryColumn({ type: 'text' }) deviceKeyId!: string;
  @Column({ type: 'text' }) reason!: string;
  @Column(createdAt) createdAt!: Date;
}
