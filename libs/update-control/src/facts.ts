import type { Epoch } from './epochs.js';
import type { Dictionary } from './record.js';

export type SnapId = string;
export type DeviceUid = string;
/** Milliseconds since 1970-01-01T00:00Z. */
export type Instant = number;

/** What the store remembers of one installed snap of one device (update-control.md 2.7). */
export interface SnapMemory {
  /** Failed attempts per revision. */
  readonly failedAttempts?: Readonly<Record<number, number>> | undefined;
  /** Revisions this device went back from by itself. */
  readonly reverted?: readonly number[] | undefined;
  /** Where the store itself led it back to: to be there is no revert. */
  readonly ledBackTo?: number | undefined;
  /** Revisions that were CONFIRMED here, the last one first: where a rollback leads. */
  readonly good?: readonly number[] | undefined;
  /** The tracking channel seen at the poll before this one. */
  readonly observedChannel?: string | undefined;
}

/** What is known of the device before it says anything. */
export interface DeviceFacts {
  /** Null: no device session (an image build); then only baselines are answered. */
  readonly uid: DeviceUid | null;
  readonly brandId: string;
  readonly model: string | null;
  readonly serial: string | null;
  readonly storeId: string | null;
  /** The session rests on a serial signed by the brand itself, not on a generic one (S29). */
  readonly hasBrandSerial: boolean;
  /** An image builder with credentials of the store's brand: sees what the brand's devices would (S21). */
  readonly mayBuild?: boolean | undefined;
  readonly architecture: string;
  /** IANA name. */
  readonly timezone: string | null;
  readonly tags: Dictionary<string>;
  /** As in the User-Agent, e.g. "2.63"; null: not known. */
  readonly snapdVersion: string | null;
  /** By instance key, or by snap id where there is only one instance. */
  readonly memory: Dictionary<SnapMemory>;
}

export interface InstalledSnap {
  readonly revision: number;
  readonly epoch: Epoch;
}

/** One entry of the request's context, by snap id. */
export interface ContextSnap {
  readonly revision: number;
  readonly channel?: string | undefined;
}

/** An opened cohort key: a view of the snap's lanes as they were at `issuedAt` (update-control.md 2.9). */
export interface CohortView {
  readonly issuedAt: Instant;
  /** Half-open: at this instant the key is over. */
  readonly expiresAt: Instant;
}

/** One action of a poll, with what belongs to it. */
export interface RequestFacts {
  readonly action: 'refresh' | 'install' | 'download';
  readonly snapId: SnapId;
  readonly instanceKey?: string | undefined;
  /** `channel` of the action, as sent. */
  readonly channel?: string | null | undefined;
  /** `tracking-channel` of the context entry. */
  readonly trackingChannel?: string | null | undefined;
  /** An explicit revision of the action. */
  readonly revision?: number | undefined;
  /** Undefined: a new install, or an image build. */
  readonly installed?: InstalledSnap | undefined;
  /** `unreadable`: the device brought a key that the store did not make for this snap. */
  readonly cohort?: CohortView | 'unreadable' | undefined;
  /** The revision which the validation sets that the device already enforces demand. */
  readonly requiredRevision?: number | undefined;
  readonly ignoreValidation?: boolean | undefined;
  /** The header `Snap-Refresh-Reason: scheduled`. Its absence does not mean a person (F11). */
  readonly isScheduled: boolean;
  /** Exactly one refresh action in this request. */
  readonly isOnlyAction?: boolean | undefined;
  /** The device has the offered file, complete and not installed: snapd repeats by itself (F11). */
  readonly isAutomaticRepeat?: boolean | undefined;
  /** This node is overloaded and sheds this device (rule 16). */
  readonly isShed?: boolean | undefined;
  /** This node could not ask for 30 s whether the policy is still the latest (update-control.md 2.6, "Postgres down"). */
  readonly isStale?: boolean | undefined;
  /** The other snaps of the device. */
  readonly context: Dictionary<ContextSnap>;
}
