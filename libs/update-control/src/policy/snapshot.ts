import type { Epoch } from '../epochs.js';
import type { Instant, SnapId } from '../facts.js';
import type { Predicate } from '../predicates.js';
import type { RolloutClock } from '../ramp.js';
import type { Dictionary } from '../record.js';
import type { Schedule } from '../windows.js';

/** Raised when resolve() reads a snapshot differently; a node refuses snapshots newer than it understands (update-control.md 2.6). */
export const RESOLVER_VERSION = 2;

export type SnapType = 'app' | 'gadget' | 'kernel' | 'base' | 'snapd' | 'os';

export interface RevisionPolicy {
  readonly architectures: readonly string[];
  readonly epoch: Epoch;
  /** From `assumes`, as numbers: snapd2.63 is [2, 63]. */
  readonly minSnapd: readonly number[] | null;
  readonly confinement: 'strict' | 'classic' | 'devmode';
  readonly isYanked: boolean;
  readonly sha3384: string;
}

/** A release on the lane; `revision` null closes it. */
export interface LaneEntry {
  readonly seq: number;
  readonly at: Instant;
  readonly revision: number | null;
  /** A withdrawal by intent: what came before it is no newer than it. */
  readonly isRollback: boolean;
  readonly progressive: Progressive | null;
}

/** The publisher's own progressive release, data of the baseline with its own salt (decisions 15). */
export interface Progressive {
  readonly salt: string;
  readonly percent: number;
  readonly isPaused: boolean;
}

export interface LanePolicy {
  readonly laneId: string;
  /** Long form; a lane is found by it. */
  readonly channel: string;
  readonly isProtected: boolean;
  readonly expiresAt: Instant | null;
  /** By revision: later in lane order is greater. Also of rollout targets which are no baseline yet. */
  readonly ranks: Readonly<Record<number, number>>;
  /** Whether the lane holds revisions of more than one epoch level. */
  readonly hasEpochs: boolean;
  /** By architecture, newest first. Snaps for "all" only have the key `all`. */
  readonly log: Dictionary<readonly LaneEntry[]>;
  /** Revisions to pass through. */
  readonly floors: readonly FloorPolicy[];
  /** By fleet, then architecture. */
  readonly fleetBaselines: Dictionary<Dictionary<FleetBaselinePolicy>>;
  /** The live rollout of each fleet. */
  readonly rollouts: Dictionary<RolloutPolicy>;
}

export interface FloorPolicy {
  readonly floorId: string;
  readonly revision: number;
}

export interface FleetBaselinePolicy {
  readonly revision: number;
  readonly follow: 'sticky' | 'later';
}

export interface WavePolicy {
  /** Counts from 1. */
  readonly no: number;
  readonly selector: Predicate | null;
  /** Null: not opened yet, or a wave of its selector alone. */
  readonly threshold: number | null;
  readonly prevThreshold: number;
  readonly openedAt: Instant | null;
  readonly rampMs: number;
  readonly activeMsAtOpen: number;
  /** What the plan says, for "would be admitted at wave n". */
  readonly percent: number | null;
  /** How long a device must stay well on the target to be CONFIRMED (update-control.md 2.7); no decision reads it. */
  readonly soakMs?: number | undefined;
}

export interface Requirement {
  readonly snapId: SnapId;
  /** The lane in whose order "at least" is meant, in the long form. */
  readonly channel: string;
  readonly revision: number;
  /** What to do on a device without that snap. */
  readonly ifMissing: 'skip' | 'wait';
}

export interface RolloutPolicy {
  readonly rolloutId: string;
  readonly name: string;
  readonly fleetId: string;
  readonly salt: string;
  /** By architecture; "all" for every one. */
  readonly target: Dictionary<number>;
  /** An authorised rollback: may go back in lane order. */
  readonly isRollback: boolean;
  /** A rollback away from these revisions (by architecture): each device goes to its own last good one, else to `target`. */
  readonly replaces: Dictionary<number> | null;
  readonly waves: readonly WavePolicy[];
  readonly includeInstalls: boolean;
  readonly isCritical: boolean;
  readonly requires: readonly Requirement[];
  readonly schedule: Schedule | null;
}

export interface PinPolicy {
  readonly pinId: string;
  /** Null: every architecture. */
  readonly architecture: string | null;
  readonly revision: number;
  readonly allowDowngrade: boolean;
  readonly reason: string;
}

export interface HoldPolicy {
  readonly holdId: string;
  readonly from: Instant;
  /** Half-open; null only for a device. */
  readonly until: Instant | null;
  readonly reason: string;
}

/** Holds on one snap, or under "*" on all. */
export interface HoldIndex {
  readonly brand: readonly HoldPolicy[];
  readonly fleets: Dictionary<readonly HoldPolicy[]>;
  readonly devices: Dictionary<readonly HoldPolicy[]>;
}

export interface SnapPolicy {
  readonly snapId: SnapId;
  readonly name: string;
  readonly type: SnapType;
  readonly brandId: string;
  readonly storeId: string;
  readonly isPrivate: boolean;
  readonly isProtected: boolean;
  /** It has a price: it exists only for those who have it already, by its own store or a licence (S34). */
  readonly isPaid: boolean;
  readonly defaultTrack: string;
  readonly revisions: Readonly<Record<number, RevisionPolicy>>;
  /** By channel in the long form. */
  readonly lanes: Dictionary<LanePolicy>;
  readonly pins: {
    readonly devices: Dictionary<readonly PinPolicy[]>;
    readonly fleets: Dictionary<readonly PinPolicy[]>;
  };
  /** Snaps whose declaration has this one in `refresh-control`. */
  readonly gatedBy: readonly SnapId[];
  /** By revision: the gating snaps which validated it. */
  readonly validatedBy: Readonly<Record<number, readonly SnapId[]>>;
  /** What brings this snap to stores and models that would not have it otherwise (S6). */
  readonly licences: readonly LicencePolicy[];
}

/** For one store or one model of this policy's brand, in force from `from` up to and without `until`. */
export interface LicencePolicy {
  readonly storeId: string | null;
  readonly model: string | null;
  readonly from: Instant;
  /** Null: until it is ended. */
  readonly until: Instant | null;
}

export interface StorePolicy {
  readonly allowPublic: boolean;
  /** Stores included whole. */
  readonly includesStores: readonly string[];
  /** Single snaps included from other stores. */
  readonly includesSnaps: readonly SnapId[];
  /** The store whose snapd and bases are taken besides; null: none (S5). */
  readonly essentialFrom: string | null;
}

/** What a registered model allows; names as in the model assertion. A model that is not registered forbids nothing. */
export interface ModelPolicy {
  readonly isClassic: boolean;
  readonly kernel: string | null;
  readonly gadget: string | null;
  /** Null: any base. */
  readonly bases: readonly string[] | null;
}

export interface FleetPolicy {
  readonly fleetId: string;
  readonly name: string;
  /** Greater wins; unique within the brand. */
  readonly priority: number;
  readonly timezone: string | null;
  readonly schedule: Schedule | null;
  readonly predicate: Predicate | null;
}

/** How a device finds its fleets without asking them all. */
export interface FleetIndex {
  readonly byId: Dictionary<FleetPolicy>;
  /** Static lists. */
  readonly ofDevice: Dictionary<readonly string[]>;
  /** By fact, then value (as text): fleets that only such devices can belong to. */
  readonly byFact: Dictionary<Dictionary<readonly string[]>>;
  /** Predicates that no single fact decides. */
  readonly always: readonly string[];
}

export interface StopPolicy {
  readonly stopId: string;
  /** 1 no offers, 2 also no downloads, 3 also no snap-revision assertion (update-control.md 2.8). */
  readonly level: 1 | 2 | 3;
  readonly reason: string;
}

/** What a rollout leads to, and whom. */
export interface StopTarget {
  readonly fleetId: string;
  readonly snapId: SnapId;
  readonly revisions: readonly number[];
}

export interface RolloutStopPolicy extends StopPolicy {
  readonly target: StopTarget | null;
}

export interface StopIndex {
  readonly brand: readonly StopPolicy[];
  readonly fleets: Dictionary<readonly StopPolicy[]>;
  readonly snaps: Dictionary<readonly StopPolicy[]>;
  /** Key: `<snap id>/<revision>`. */
  readonly revisions: Dictionary<readonly StopPolicy[]>;
  readonly rollouts: Dictionary<readonly RolloutStopPolicy[]>;
}

export type LiveState = 'ACTIVE' | 'PAUSED' | 'COMPLETING';

export interface LiveRollout extends RolloutClock {
  readonly state: LiveState;
}

/** The part that must reach every node in seconds: stops, states and leases (update-control.md 3.3). */
export interface PolicyOverlay {
  readonly version: number;
  readonly stops: StopIndex;
  /** By rollout id; one that is missing offers nothing. */
  readonly rollouts: Dictionary<LiveRollout>;
}

export interface PolicySettings {
  readonly timezone: string;
  readonly schedule: Schedule | null;
  /** What a person at the device may pierce (update-control.md 2.3, notes). */
  readonly localOperatorBypass: 'none' | 'windows' | 'waves';
  /** Failed attempts of one revision after which it is no longer offered. */
  readonly giveUpAfter: number;
}

/** Everything a brand's devices may be told, as one immutable plain JSON value, filed so that a poll finds its rules directly. */
export interface PolicySnapshot {
  readonly resolverVersion: number;
  readonly brandId: string;
  /** Strictly increasing per brand; not part of the hash. */
  readonly version: number;
  /** Content address, without version and overlay. */
  readonly hash: string;
  readonly settings: PolicySettings;
  readonly snaps: Dictionary<SnapPolicy>;
  readonly stores: Dictionary<StorePolicy>;
  readonly models: Dictionary<ModelPolicy>;
  readonly fleets: FleetIndex;
  /** By snap id, or "*". */
  readonly holds: Dictionary<HoldIndex>;
  readonly sequences: Dictionary<Dictionary<SequenceRolloutPolicy>>;
  readonly overlay: PolicyOverlay;
}

/** A rollout of a validation-set sequence to one fleet; filed by `<account id>/<set name>` (update-control.md 2.9). */
export interface SequenceRolloutPolicy {
  readonly rolloutId: string;
  readonly name: string;
  readonly fleetId: string;
  readonly salt: string;
  readonly sequence: number;
  readonly waves: readonly WavePolicy[];
}
