import { join } from 'node:path';
import { projectRoot } from '#stack';
import type { Installation } from '../../installation/index.js';
import type { Narrator } from '../narrator.js';
import type { StoryKeys } from './story-keys.js';
import type { Story, StoryScale } from './story.js';

export interface StoryOptions {
  readonly installation: Installation;
  readonly narrator: Narrator;
  readonly scale: StoryScale;
  readonly keys: StoryKeys;
}

/** A story of which nothing has happened yet. */
export function startStory(options: StoryOptions): Story {
  return {
    ...options,
    snapsDir: join(projectRoot, 'test', 'snaps'),
    snapIds: new Map(),
    devices: [],
    waveOf: new Map(),
    refusals: [],
    assertionsChecked: 0,
    downloads: 0,
  };
}
