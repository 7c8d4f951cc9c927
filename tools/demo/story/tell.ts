import { foundTheStore } from './1-found-the-store.js';
import { publish } from './2-publish.js';
import { modelAndVault } from './3-model-and-vault.js';
import { registerDevices } from './4-register-devices.js';
import { firstInstall } from './5-first-install.js';
import { rollOut } from './6-rollout.js';
import { refuse } from './7-refusals.js';
import { revokeOne } from './8-revoke.js';
import type { Story } from './story.js';

export interface Chapter {
  readonly no: number;
  readonly title: string;
  readonly tell: (story: Story) => Promise<unknown>;
}

/** The story, in order; the demo tells it, the tests judge it chapter by chapter. */
export const CHAPTERS: readonly Chapter[] = [
  {
    no: 1,
    title: 'A store of its own: root, store key, brand ACME and its people',
    tell: foundTheStore,
  },
  {
    no: 2,
    title: "ACME's publisher registers a key and names, and uploads five snaps",
    tell: publish,
  },
  {
    no: 3,
    title: 'The model acme-device-1, and a Serial Vault that may sign for it',
    tell: modelAndVault,
  },
  { no: 4, title: 'The factory: every device gets its serial', tell: registerDevices },
  {
    no: 5,
    title: 'The field: sessions, revision 1, every byte and assertion checked',
    tell: firstInstall,
  },
  {
    no: 6,
    title: 'Revision 2 to Berlin: 5 %, 50 %, 100 %, approved by a second person',
    tell: rollOut,
  },
  { no: 7, title: 'Those who should not get in', tell: refuse },
  { no: 8, title: 'A stolen device', tell: revokeOne },
];
