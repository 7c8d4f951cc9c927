import {
  climb,
  firstOffer,
  rememberRevert,
  rememberStep,
  rememberWay,
  type Evidence,
  type SnapMemory,
} from '#libs/update-control';
import type { LadderPlace } from '../devices/device-directory.js';

/** One thing that the store saw a device do (update-control.md 2.7, sources a to d). */
export interface Observation {
  readonly brandId: string;
  readonly deviceUid: string;
  readonly instanceKey: string;
  readonly snapId: string;
  /** Instant in ms. */
  readonly at: number;
  readonly about: AboutRollout | AboutRevert | AboutWay;
}

/** What it means for its place in a rollout. */
export interface AboutRollout {
  readonly rolloutId: string;
  /** The target for this device. */
  readonly revision: number;
  readonly evidence: Evidence;
  readonly soakMs: number;
}

/** It went back from a revision that no rollout has brought, to `revision`. */
export interface AboutRevert {
  readonly revertedFrom: number;
  readonly revision: number;
}

/** It was answered an older revision than it has (an operator at the device asked for it, say); null: a newer one again. */
export interface AboutWay {
  readonly ledBackTo: number | null;
}

/** What is known of one instance: its place in the rollout that the observation is about, and what is remembered. */
export interface Known {
  readonly place: LadderPlace | undefined;
  readonly memory: SnapMemory;
}

/** Takes an observation in; the very same values where it says nothing new. */
export function takeIn(known: Known, { about, at, instanceKey, snapId }: Observation): Known {
  const { place, memory } = known;
  if ('revertedFrom' in about)
    return remembered(known, rememberRevert(memory, about.revertedFrom, about.revision));
  if ('ledBackTo' in about) return remembered(known, rememberWay(memory, about.ledBackTo));
  const { rolloutId, revision, evidence, soakMs } = about;
  const before = place?.revision === revision ? place.state : undefined;
  if (before === undefined && evidence.kind !== 'offered') return known;
  // Heard before it left or was reset, written after that: it is another life's.
  if (before?.step === 'LEFT' && at < before.stepAt) return known;
  const after = climb(before ?? firstOffer(at), evidence, { at, soakMs });
  if (after === before) return known;
  return {
    place: { rolloutId, instanceKey, snapId, revision, state: after },
    memory: rememberStep(memory, revision, before ?? null, after),
  };
}

const remembered = (known: Known, memory: SnapMemory): Known =>
  memory === known.memory ? known : { ...known, memory };
