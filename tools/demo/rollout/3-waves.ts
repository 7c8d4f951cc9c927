import type { BrandAdmin, RolloutAccount } from '../../clients/brand-admin.js';
import { nextSlot, passSlots } from '../../simulate/stock-timers.js';
import { asColleague, untilDecidedBy, untilRollout } from './colleagues.js';
import { NIGHT, SNAP, type RolloutStory } from './rollout-story.js';

const SLOT_MS = 6 * 3_600_000;

/** A day in which nothing happens: the windows are closed, and the store says so. */
export async function closedWindow(story: RolloutStory): Promise<void> {
  const { narrator, brandId, devices, seed, time } = story;
  const evening = new Date(nextSlot(time.now, NIGHT).getTime() - SLOT_MS);
  await passSlots(time, devices, seed, evening, 1);
  const planner = await asColleague(story, story.planner);
  const [inLab] = devices;
  const reasons = await planner.explain(brandId, inLab?.identity.deviceUid ?? '', SNAP);
  narrator.say(
    `it is ${time.now.toISOString()}; why does a device of the lab stay? ${reasons.map(({ code }) => code).join(', ')}`,
  );
  await tellProgress(story, planner);
}

/** The night in which a wave is open: from midnight to six, first in Lagos, then in Bogotá. */
export async function nightOfWave(story: RolloutStory, no: number): Promise<void> {
  const { devices, seed, time } = story;
  await passSlots(time, devices, seed, nextSlot(time.now, NIGHT), 2);
  const planner = await asColleague(story, story.planner);
  await wholeWave(story, planner, no);
  await tellProgress(story, planner);
}

/** Paula has seen the numbers and says that the wave is good. */
export async function advance(story: RolloutStory, no: number): Promise<void> {
  const planner = await asColleague(story, story.planner);
  await planner.advanceRollout(story.brandId, story.rolloutId);
  const { waves, state } = await untilRollout(story, planner, (now) =>
    no < now.waves.length ? now.waves[no]?.state === 'OPEN' : now.state === 'COMPLETED',
  );
  const next = waves[no];
  if (!next) return story.narrator.say(`wave ${no} was the last: the rollout is ${state}`);
  await untilDecidedBy(story, planner, no + 1);
  story.narrator.say(
    `wave ${no} is ${waves[no - 1]?.state}; wave ${no + 1} is open: ${next.k} of ${next.population} devices, threshold ${next.threshold}`,
  );
}

/** Everybody whom the wave admits has it; facts are written a moment after the answer. */
export const wholeWave = (
  story: RolloutStory,
  admin: BrandAdmin,
  no: number,
): Promise<RolloutAccount> =>
  untilRollout(story, admin, ({ progress }) =>
    progress.slice(0, no).every(({ members, updated }) => updated === members),
  );

export async function tellProgress(story: RolloutStory, admin: BrandAdmin): Promise<void> {
  const { progress, fleet } = await admin.rolloutAccount(story.brandId, story.rolloutId);
  const sum = progress.reduce((all, { updated }) => all + updated, 0);
  const opened = progress.filter(({ members }) => members > 0);
  story.narrator.say(
    `${story.time.now.toISOString()}: ${sum} of ${fleet.population} devices have revision 2 ` +
      `(${opened.map(({ no, updated, members }) => `wave ${no}: ${updated}/${members}`).join(', ')})`,
  );
}
