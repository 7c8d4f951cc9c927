import {
  readDeviceHeaders,
  readDeviceSession,
  type DeviceSession,
  type HeaderBag,
} from '#libs/auth';
import type { Principal } from '../brands/principal.js';
import type { Resources } from '../resources.js';
import { deviceSessionKey } from './session-key.js';
import type { RevocationOverlay } from './revocation-overlay.js';

/** Who calls: a device that proved itself, or nobody in particular with what the headers claim. */
export interface Caller {
  readonly session: DeviceSession | null;
  /** The session is past its soft expiry: serve it, and ask for renewal. */
  readonly wantsRenewal: boolean;
  /** Of the session; without one, what the request names. Empty text and absence are both null. */
  readonly storeId: string | null;
  /** As the request names it; null when it names none or nonsense. */
  readonly architecture: string | null;
  /** What credentials of a person or machine allow in which brand: those of image builders (S21). */
  readonly grants?: Principal['grants'] | undefined;
}

export type SessionProblem = 'invalid' | 'expired' | 'revoked' | 'other-store';

/** A session header that is worth nothing is told apart from none at all: the device must renew it (decisions 13). */
export type CallerReading =
  | { readonly state: 'known'; readonly caller: Caller }
  | { readonly state: 'refused'; readonly problem: SessionProblem };

const ARCHITECTURE = /^[a-z0-9]{2,12}$/;
const STORE_ID = /^[-A-Za-z0-9_]{1,100}$/;

/** Reads the headers of a device call in both dialects, without I/O (decisions 9). */
export class SessionReader {
  constructor(
    private readonly resources: Pick<Resources, 'db' | 'settings'>,
    private readonly overlay: RevocationOverlay,
  ) {}

  read(headers: HeaderBag): CallerReading {
    const given = readDeviceHeaders(headers);
    const architecture = ARCHITECTURE.test(given.architecture ?? '')
      ? given.architecture
      : undefined;
    const named = STORE_ID.test(given.storeId ?? '') ? given.storeId : undefined;
    if (given.authorization === undefined) {
      return known(null, false, named ?? null, architecture ?? null);
    }
    const keys = [deviceSessionKey(this.resources.settings)];
    const now = this.resources.db.clock.now();
    const reading = readDeviceSession(given.authorization, keys, now);
    if (reading.state !== 'valid') return { state: 'refused', problem: reading.state };
    const { session } = reading;
    if (this.overlay.isRevoked(session)) return { state: 'refused', problem: 'revoked' };
    // A session of a model without a store is tied to none, so there is nothing to contradict (device-api.md D75).
    if (
      session.storeId !== '' &&
      given.storeId !== undefined &&
      given.storeId !== session.storeId
    ) {
      return { state: 'refused', problem: 'other-store' };
    }
    return known(session, reading.wantsRenewal, session.storeId || null, architecture ?? null);
  }
}

function known(
  session: DeviceSession | null,
  wantsRenewal: boolean,
  storeId: string | null,
  architecture: string | null,
): CallerReading {
  return { state: 'known', caller: { session, wantsRenewal, storeId, architecture } };
}
