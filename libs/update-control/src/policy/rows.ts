import type { Epoch } from '../epochs.js';
import type { Instant, SnapId } from '../facts.js';
import type { Schedule } from '../windows.js';
import type {
  LiveState,
  PolicySettings,
  Progressive,
  Requirement,
  SnapType,
  StopTarget,
} from './snapshot.js';

/** A snap of any brand that devices of this brand may see. */
export interface SnapRow {
  readonly id: SnapId;
  readonly brandId: string;
  readonly storeId: string;
  readonly name: string;
  readonly type: SnapType;
  readonly isPrivate: boolean;
  readonly isProtected: boolean;
  readonly isPaid?: boolean | undefined;
  readonly defaultTrack: string;
  /** `refresh-control` of its declaration: the snaps which it gates. */
  readonly refreshControl?: readonly SnapId[] | undefined;
}

export interface RevisionRow {
  readonly snapId: SnapId;
  readonly revision: number;
  readonly architectures: readonly string[];
  readonly epoch: Epoch;
  readonly assumes: readonly string[];
  readonly confinement: 'strict' | 'classic' | 'devmode';
  readonly isYanked: boolean;
  readonly sha3384: string;
}

export interface LaneRow {
  readonly id: string;
  readonly brandId: string;
  readonly snapId: SnapId;
  readonly track: string;
  readonly risk: string;
  /** Empty text: none. */
  readonly branch: string;
  readonly isProtected: boolean;
  readonly expiresAt: Instant | null;
}

/** `release` by a publisher, `close`, `rollout`: a target enters the order, `promote`: a rollout made it baseline, `rollback`. */
export type LaneEventKind = 'release' | 'close' | 'rollout' | 'promote' | 'rollback';

export interface LaneEventRow {
  readonly laneId: string;
  readonly seq: number;
  readonly kind: LaneEventKind;
  /** Null only for `close`. */
  readonly revision: number | null;
  /** For `close`, empty means every architecture. */
  readonly architectures: readonly string[];
  /** As `planLaneEvent` gave it; null only for `close`. */
  readonly rank: number | null;
  readonly at: Instant;
  readonly progressive?: Progressive | null | undefined;
}

/** Every rule row names its brand; a foreign one is refused (U37). */
export interface FleetRow {
  readonly id: string;
  readonly brandId: string;
  readonly name: string;
  readonly priority: number;
  /** Null: a static list, `members`. */
  readonly predicate: unknown;
  readonly members?: readonly string[] | undefined;
  readonly timezone?: string | null | undefined;
  readonly schedule?: Schedule | null | undefined;
}

export interface FleetBaselineRow {
  readonly brandId: string;
  readonly fleetId: string;
  readonly laneId: string;
  readonly architecture: string;
  readonly revision: number;
  readonly follow: 'sticky' | 'later';
}

export interface WaveRow {
  readonly no: number;
  readonly selector?: unknown;
  readonly threshold: number | null;
  readonly prevThreshold: number | null;
  readonly openedAt: Instant | null;
  readonly rampMs?: number | undefined;
  readonly activeMsAtOpen?: number | undefined;
  readonly percent?: number | null | undefined;
  readonly soakMs?: number | undefined;
}

/** State and clock of a rollout: what the overlay has of it. Other states than the three live ones are left out. */
export interface RolloutClockRow {
  readonly id: string;
  readonly state: string;
  readonly activeMs: number;
  readonly activeSince: Instant | null;
  readonly leaseUntil: Instant | null;
}

/** Rows in other states than the three live ones are left out of the snapshot. */
export interface RolloutRow extends RolloutClockRow {
  readonly brandId: string;
  readonly name: string;
  readonly fleetId: string;
  /** 32 hex digits. */
  readonly salt: string;
  readonly target: RolloutTargetRow;
  readonly isRollback?: boolean | undefined;
  readonly replaces?: Readonly<Record<string, number>> | null | undefined;
  readonly waves: readonly WaveRow[];
  readonly includeInstalls?: boolean | undefined;
  readonly isCritical?: boolean | undefined;
  readonly requires?: readonly Requirement[] | undefined;
  readonly schedule?: Schedule | null | undefined;
}

export type RolloutTargetRow =
  | {
      readonly kind: 'revision';
      readonly laneId: string;
      readonly revisions: Readonly<Record<string, number>>;
    }
  | {
      readonly kind: 'sequence';
      readonly accountId: string;
      readonly setName: string;
      readonly sequence: number;
    };

export interface HoldRow {
  readonly id: string;
  readonly brandId: string;
  readonly scope: 'brand' | 'fleet' | 'device';
  readonly fleetId: string | null;
  readonly deviceUid: string | null;
  /** Null: all snaps. */
  readonly snapId: SnapId | null;
  readonly from: Instant;
  readonly until: Instant | null;
  readonly reason: string;
}

export interface PinRow {
  readonly id: string;
  readonly brandId: string;
  readonly fleetId: string | null;
  readonly deviceUid: string | null;
  readonly snapId: SnapId;
  readonly architecture: string | null;
  readonly revision: number;
  readonly allowDowngrade: boolean;
  readonly reason: string;
}

/** Of the brand itself or of the lane's publisher. */
export interface FloorRow {
  readonly id: string;
  readonly brandId: string;
  readonly laneId: string;
  readonly revision: number;
}

export interface StopRow {
  readonly id: string;
  readonly brandId: string;
  readonly scope: 'brand' | 'fleet' | 'snap' | 'revision' | 'rollout';
  readonly fleetId: string | null;
  readonly snapId: SnapId | null;
  readonly revision: number | null;
  readonly rolloutId: string | null;
  readonly level: 1 | 2 | 3;
  readonly reason: string;
  /** Of the stopped rollout, which the snapshot need not know: not yet, or not any more. */
  readonly target?: StopTarget | null | undefined;
}

export interface StoreRow {
  readonly id: string;
  readonly allowPublic: boolean;
  /** The store whose snapd and bases it takes (S5). */
  readonly essentialFrom?: string | null | undefined;
}

export interface InclusionRow {
  readonly storeId: string;
  readonly includedStoreId: string;
  /** Null: the whole store. */
  readonly snapId: SnapId | null;
}

/** A snap licensed to a store or to a model of this brand, which accepted it (S6). */
export interface LicenceRow {
  readonly snapId: SnapId;
  /** Either this or `model`. */
  readonly storeId: string | null;
  readonly model: string | null;
  readonly from: Instant;
  readonly until: Instant | null;
}

export interface ModelRow {
  readonly brandId: string;
  readonly model: string;
  readonly isClassic: boolean;
  readonly kernel: string | null;
  readonly gadget: string | null;
  readonly bases: readonly string[] | null;
}

/** A `validation` assertion that is not revoked. */
export interface ValidationRow {
  readonly gatingSnapId: SnapId;
  readonly snapId: SnapId;
  readonly revision: number;
}

/** Rows that are lifted, ended or of other brands stay outside; what is left out counts as none. */
export interface PolicyRows {
  readonly brandId: string;
  readonly version: number;
  readonly overlayVersion?: number | undefined;
  readonly settings?: Partial<PolicySettings> | undefined;
  readonly snaps: readonly SnapRow[];
  readonly revisions: readonly RevisionRow[];
  readonly lanes: readonly LaneRow[];
  readonly laneEvents: readonly LaneEventRow[];
  readonly stores?: readonly StoreRow[] | undefined;
  readonly inclusions?: readonly InclusionRow[] | undefined;
  readonly licences?: readonly LicenceRow[] | undefined;
  readonly models?: readonly ModelRow[] | undefined;
  readonly validations?: readonly ValidationRow[] | undefined;
  readonly fleets?: readonly FleetRow[] | undefined;
  readonly fleetBaselines?: readonly FleetBaselineRow[] | undefined;
  readonly rollouts?: readonly RolloutRow[] | undefined;
  readonly holds?: readonly HoldRow[] | undefined;
  readonly pins?: readonly PinRow[] | undefined;
  readonly floors?: readonly FloorRow[] | undefined;
  readonly stops?: readonly StopRow[] | undefined;
}

export const LIVE_STATES: readonly LiveState[] = ['ACTIVE', 'PAUSED', 'COMPLETING'];
