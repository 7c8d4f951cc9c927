import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '#stack';
import type { Installation } from '../../installation/index.js';
import { makeDeviceKeys } from '../device-keys.js';
import type { Narrator } from '../narrator.js';
import type { Story, StoryScale } from './story.js';

export interface StoryOptions {
  readonly installation: Installation;
  readonly narrator: Narrator;
  readonly scale: StoryScale;
  /** Device keys are made once and kept here (decisions 23). */
  readonly keyCache: string;
}

const KEY_BITS = 2048;
/** Keys for a device of another brand and for a forged serial (chapter 7). */
const STRANGERS = 2;

/** A story of which nothing has happened yet. */
export async function startStory({
  installation,
  narrator,
  scale,
  keyCache,
}: StoryOptions): Promise<Story> {
  narrator.say(
    `${scale.devices} device keys: ${existsSync(keyCache) ? 'from the cache' : 'made once, this takes a while'}`,
  );
  return {
    installation,
    narrator,
    scale,
    deviceKeys: await makeDeviceKeys(scale.devices + STRANGERS, KEY_BITS, keyCache),
    snapsDir: join(projectRoot, 'test', 'snaps'),
    snapIds: new Map(),
    devices: [],
    waveOf: new Map(),
    refusals: [],
    assertionsChecked: 0,
    downloads: 0,
  };
}
