import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Signer } from '#libs/assertions';
import { keptKeys } from '../kept-keys.js';
import type { Narrator } from '../narrator.js';

/** Lowered from 4096 so that 200 keys are made in seconds (a setting of the model; serial-vault.md 4.2 nr. 5). */
export const DEVICE_KEY_BITS = 2048;
const BRAND_KEY_BITS = 4096;
/** Keys for a device of another brand and for a forged serial (chapter 7). */
const STRANGERS = 2;

/** What others than the store and the vault sign with, on machines of their own. */
export interface StoryKeys {
  readonly devices: readonly Signer[];
  readonly acme: Signer;
  /** The other brand's. */
  readonly stranger: Signer;
}

/** Made once and kept in `cacheDir` (decisions 23); nobody needs a store for that. */
export async function storyKeys(
  devices: number,
  cacheDir: string,
  narrator: Narrator,
): Promise<StoryKeys> {
  const file = join(cacheDir, 'device-keys.json');
  const whence = existsSync(file) ? 'from the cache' : 'made once, this takes a while';
  narrator.say(`${devices} device keys: ${whence}`);
  const [ofDevices, [acme, stranger]] = await Promise.all([
    keptKeys(devices + STRANGERS, DEVICE_KEY_BITS, file),
    keptKeys(2, BRAND_KEY_BITS, join(cacheDir, 'brand-keys.json')),
  ]);
  if (!acme || !stranger) throw new Error('cannot go on: two brands need two keys');
  return { devices: ofDevices, acme, stranger };
}
