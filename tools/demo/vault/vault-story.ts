import type { Assertion, Signer } from '#libs/assertions';
import { ScriptedDevice } from '../../clients/device.js';
import type { VaultAdmin } from '../../clients/vault-admin.js';
import type { Installation } from '../../installation/index.js';
import type { Narrator } from '../narrator.js';
import { known } from '../story/index.js';

export const MODEL = 'acme-meter-1';
export const ORDER = 'PO-2026-50';
/** So many devices are ordered. */
export const ORDERED = 50;
export const serialNo = (no: number): string => `METER-${String(no).padStart(3, '0')}`;

/** What the chapters hand on to each other: one order, from the paper to the last board. */
export interface VaultStory {
  readonly installation: Installation;
  readonly narrator: Narrator;
  /** Two more than are ordered: a board that is exchanged and one that had lost its key. */
  readonly deviceKeys: readonly Signer[];
  /** The installation's first token, where it is older than the story. */
  readonly vaultToken?: string;
  trusted: readonly Assertion[];
  brandId: string;
  model?: Assertion;
  apiKey: string;
  /** Who imports orders and asks the line's questions; who decides. Two people with a token of their own role. */
  admin?: VaultAdmin;
  production?: VaultAdmin;
  approver?: VaultAdmin;
  /** Serial → the device that bears it. */
  readonly devices: Map<string, ScriptedDevice>;
  /** What devices were told that got no serial: status and message. */
  readonly refusals: { readonly who: string; readonly status: number; readonly said: string }[];
}

export function deviceOf(story: VaultStory, serial: string, key: Signer): ScriptedDevice {
  const { installation, apiKey, trusted } = story;
  return new ScriptedDevice({
    storeUrl: installation.storeUrl,
    vaultUrl: `${installation.vaultUrl}/v1`,
    apiKey,
    model: known(story.model, 'the model'),
    key,
    proposedSerial: serial,
    trusted,
  });
}

export function keyNo(story: VaultStory, index: number): Signer {
  return known(story.deviceKeys[index], `device key ${index}`);
}
