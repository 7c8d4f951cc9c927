import type { Assertion, Signer } from '#libs/assertions';
import type { Installation } from '../../installation/index.js';
import type { BrandAdmin } from '../../clients/brand-admin.js';
import type { ScriptedDevice } from '../../clients/device.js';
import type { Publisher } from '../../clients/publisher.js';
import type { SerialKey, VaultAdmin } from '../../clients/vault-admin.js';
import type { Narrator } from '../narrator.js';
import type { StoryKeys } from './story-keys.js';

/** How large the story is told; the demo's own is 200 devices in fleets of 120 and 80. */
export interface StoryScale {
  readonly devices: number;
  /** Of these, the first so many stand in Berlin. */
  readonly inBerlin: number;
}

/** Devices in the middle of a conversation. */
export const AT_ONCE = 16;

export const DEMO_SCALE: StoryScale = { devices: 200, inBerlin: 120 };

/** A brand of its own in the same installation, with one device. */
export interface Stranger {
  readonly brandId: string;
  readonly signer: Signer;
  readonly device: ScriptedDevice;
}

/** A refusal as the client read it. */
export interface Refusal {
  readonly who: string;
  readonly status: number;
  readonly said: string;
}

/** What the store and the world know so far; each step adds to it. */
export interface Story {
  readonly installation: Installation;
  readonly narrator: Narrator;
  readonly scale: StoryScale;
  readonly keys: StoryKeys;
  /** Folder with the sample snaps. */
  readonly snapsDir: string;

  /** Known from before, where the installation is older than the story. */
  readonly operatorPassword?: string;
  readonly vaultToken?: string;

  trusted?: readonly Assertion[];
  operator?: BrandAdmin;
  planner?: BrandAdmin;
  approver?: BrandAdmin;
  brandId?: string;
  storeId?: string;
  publisher?: Publisher;
  snapIds: Map<string, string>;
  model?: Assertion;
  vault?: VaultAdmin;
  /** Being made by the vault since chapter 1. */
  serialKey?: Promise<SerialKey>;
  apiKey?: string;
  devices: ScriptedDevice[];
  rolloutId?: string;
  /** Another brand of the installation, with a device of its own. */
  stranger?: Stranger;
  /** Wave by which each device got revision 2. */
  readonly waveOf: Map<ScriptedDevice, number>;
  readonly refusals: Refusal[];
  assertionsChecked: number;
  downloads: number;
}

/** The value, once the step that makes it has run. */
export function known<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`cannot go on: ${what} is not known yet`);
  return value;
}
