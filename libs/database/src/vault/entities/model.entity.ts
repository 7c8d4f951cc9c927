import { Column, Entity, ForeignKey, Index, PrimaryColumn, PrimaryGeneratedColumn } from 'typeorm';
import { createdAt, optional } from '../../columns.js';
import { VaultBrand } from './brand.entity.js';

/** What happens when a known serial comes with another device key (serial-vault.md 6.3, situation S2). */
export type DuplicatePolicy = 'refuse' | 'hold' | 'reissue' | 'allow';

/** Rules by which a serial proves itself: Luhn over its digits, or ISO 7064 MOD 97-10 over letters and digits. */
export type CheckDigit = 'luhn' | 'mod97';

/** Which serials a model takes; what is named is combined, nothing named: any well-formed serial (serial-vault.md 6.3). */
export interface EnrolmentPolicy {
  /** Regular expression that the whole serial must match. */
  readonly pattern?: string | undefined;
  readonly checkDigit?: CheckDigit | undefined;
  /** Only serials that were imported beforehand. */
  readonly list?: boolean | undefined;
  /** With `list`: how long a device waits for its order to be imported; left out, it is refused at once. */
  readonly lateDays?: number | undefined;
  /** Most devices of this model. */
  readonly quota?: number | undefined;
  readonly window?:
    { readonly from?: string | undefined; readonly until?: string | undefined } | undefined;
  /** The vault chooses the serial. */
  readonly assigned?: boolean | undefined;
}

/** How devices of a model are registered; a change is a new revision, the latest is in force (serial-vault.md 11.3). */
export interface VaultModelPolicy {
  readonly signingKeyId: string;
  readonly needsApiKey: boolean;
  /** Smallest device key, 2048 to 4096 (serial-vault.md 4.2, step 5). */
  readonly minimumKeyBits: number;
  readonly body: 'copy' | 'none';
  readonly serialForm: 'strict' | 'legacy';
  readonly enrolment: EnrolmentPolicy;
  readonly duplicates: DuplicatePolicy;
  /** For `reissue`: this often per serial within this many days. */
  readonly reissueLimit: number;
  readonly reissueDays: number;
  /** How long a held request waits for a decision. */
  readonly pendingDays: number;
}

@Entity({ schema: 'vault', name: 'models' })
export class VaultModel {
  @PrimaryColumn({ type: 'text' })
  @ForeignKey(() => VaultBrand)
  brandId!: string;
  @PrimaryColumn({ type: 'text' }) model!: string;
  @Column({ type: 'boolean', default: true }) isActive!: boolean;
  /** Why the store's registry has it deactivated; null while it has not. Beside `isActive`, which is this vault's own word. */
  @Column({ type: 'text', ...optional }) registryReason!: string | null;
  /** Of the newest model assertion that was registered; null: it came from a former vault, which keeps none. */
  @Column({ type: 'bytea', ...optional }) bytes!: Buffer | null;
  @Column({ type: 'int' }) revision!: number;
  /** Revisions of the model assertion that no device may show any more. */
  @Column({ type: 'int', array: true, default: '{}' }) revokedRevisions!: number[];
  @Column(createdAt) createdAt!: Date;
}

/** Append-only: every serial in the log names the revision under which it was signed. */
@Entity({ schema: 'vault', name: 'model_policies' })
export class VaultModelPolicyRow {
  @PrimaryColumn({ type: 'text' })
  @ForeignKey(() => VaultBrand)
  brandId!: string;
  @PrimaryColumn({ type: 'text' }) model!: string;
  @PrimaryColumn({ type: 'int' }) revision!: number;
  @Column({ type: 'jsonb' }) policy!: VaultModelPolicy;
  @Column({ type: 'text' }) createdBy!: string;
  @Column({ type: 'text', default: '' }) note!: string;
  @Column(createdAt) createdAt!: Date;
}

/** A serial that production announced, for models that enrol by list; `usedAt`: its device has come. */
@Entity({ schema: 'vault', name: 'listed_serials' })
export class VaultListedSerial {
  @PrimaryColumn({ type: 'text' })
  @ForeignKey(() => VaultBrand)
  brandId!: string;
  @PrimaryColumn({ type: 'text' }) model!: string;
  @PrimaryColumn({ type: 'text' }) serial!: string;
  @Column({ type: 'text', default: '' }) orderName!: string;
  @Column({ type: 'text', default: '' }) batch!: string;
  @Column({ type: 'timestamptz', ...optional }) usedAt!: Date | null;
  @Column(createdAt) createdAt!: Date;
}

/** Lets devices of one model become another within the brand (serial-vault.md 10.4). */
@Entity({ schema: 'vault', name: 'remodel_rules' })
@Index(['brandId', 'fromModel', 'toModel'])
export class VaultRemodelRule {
  @PrimaryGeneratedColumn('uuid') id!: string;
  @Column({ type: 'text' })
  @ForeignKey(() => VaultBrand)
  brandId!: string;
  @Column({ type: 'text' }) fromModel!: string;
  @Column({ type: 'text' }) toModel!: string;
  /** Null: all devices of the model. */
  @Column({ type: 'text', ...optional }) fromSerial!: string | null;
  /** Makes `fromSerial` the first of a range: serials of the same length up to this one, by their characters. */
  @Column({ type: 'text', ...optional }) toSerial!: string | null;
  /** Only serials that were listed with this batch. */
  @Column({ type: 'text', ...optional }) batch!: string | null;
  @Column({ type: 'timestamptz', ...optional }) notBefore!: Date | null;
  @Column({ type: 'timestamptz', ...optional }) notAfter!: Date | null;
  @Column({ type: 'int', ...optional }) maxUses!: number | null;
  @Column({ type: 'int', default: 0 }) uses!: number;
  @Column({ type: 'text', default: '' }) note!: string;
  @Column({ type: 'timestamptz', ...optional }) endedAt!: Date | null;
  @Column(createdAt) createdAt!: Date;
}
