import type { Installation } from '../../installation/index.js';
import type { Narrator } from '../narrator.js';
import { storeAndDevices } from './1-store-and-devices.js';
import { planAndApproval } from './2-plan-and-approval.js';
import { advance, closedWindow, nightOfWave } from './3-waves.js';
import { stopAndGoOn } from './4-stop.js';
import { approvedRollback, badRevision, threeReasons } from './5-bad-revision.js';
import type { RolloutStory } from './rollout-story.js';

export interface RolloutChapter {
  readonly no: number;
  readonly title: string;
  readonly tell: (story: RolloutStory) => Promise<void>;
}

const wave = (no: number) => async (story: RolloutStory) => {
  await nightOfWave(story, no);
  await advance(story, no);
};

/** In order; the demo tells them, the tests judge them and break things meanwhile. */
export const ROLLOUT_CHAPTERS: readonly RolloutChapter[] = [
  {
    no: 1,
    title: 'A brand, two revisions, and devices that have the first',
    tell: storeAndDevices,
  },
  { no: 2, title: 'A plan from a file, approved by a second person', tell: planAndApproval },
  { no: 3, title: 'Evening: the window is closed', tell: closedWindow },
  { no: 4, title: 'The first night: the lab', tell: wave(1) },
  { no: 5, title: 'The second night: canaries', tell: wave(2) },
  { no: 6, title: 'The third night: a tenth', tell: wave(3) },
  {
    no: 7,
    title: 'Two more nights: half of them, with a stop in between',
    tell: async (story) => {
      await stopAndGoOn(story);
      await advance(story, 4);
    },
  },
  { no: 8, title: 'The last night: everybody', tell: wave(5) },
];

/** What follows when the next revision is bad: told apart, on a fleet of its own. */
export const BAD_REVISION_CHAPTERS: readonly RolloutChapter[] = [
  { no: 9, title: 'Revision 3 fails on arm64: the rollout pauses itself', tell: badRevision },
  { no: 10, title: 'Three devices, and why each is where it is', tell: threeReasons },
  { no: 11, title: 'Back again, approved by a second person', tell: approvedRollback },
];

export interface RolloutStoryOptions {
  readonly installation: Installation;
  readonly narrator: Narrator;
  readonly devices: number;
  readonly seed: string;
}

/** A story of which nothing has happened yet; the first chapter fills what the others read. */
export function startRolloutStory({ devices, ...rest }: RolloutStoryOptions): RolloutStory {
  return { ...rest, devicesWanted: devices } as RolloutStory;
}
