export const HOUR_MS = 3_600_000;

/** What a device is and where it stands; nothing of it changes in a run. */
export interface Traits {
  readonly uid: string;
  readonly serial: string;
  readonly architecture: string;
  readonly region: string;
  /** Its distance from UTC. */
  readonly zoneHours: number;
  /** Which share of its calls do not reach the store, or their answers not it. */
  readonly lossRate: number;
  readonly isOffAtNight: boolean;
  /** The mean, of those that are never switched off. */
  readonly rebootsEveryMs: number;
  /** Share of installations that break off for reasons of the device's own. */
  readonly failRate: number;
  /** Its operator holds it (F18). */
  readonly isHeld: boolean;
  /** On a network that costs money it asks in this share of its slots only. */
  readonly asksIn: number;
  /** When it breaks for reasons of its own; may be never. */
  readonly diesAt: number;
  /** In [0, 1): which devices a fault hits that does not hit all. */
  readonly luck: number;
}

/** No call of a region gets through. Instants in ms since the begin of the run. */
export interface Outage {
  readonly region: string;
  readonly fromMs: number;
  readonly toMs: number;
}
