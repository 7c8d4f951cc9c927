import { setTimeout as sleep } from 'node:timers/promises';
import type { BrandAdmin } from '../../clients/brand-admin.js';
import { persistently } from '../../clients/http.js';
import { nextSlot, passSlots, type Polled } from '../../simulate/stock-timers.js';
import { asColleague, untilDecidedBy, untilRollout } from './colleagues.js';
import { NIGHT, SNAP, type RolloutStory } from './rollout-story.js';

const SLOT_MS = 6 * 3_600_000;

/** A day in which nothing happens: the windows are closed, and the store says so. */
export async function closedWindow(story: RolloutStory): Promise<void> {
  const { narrator, brandId, devices, seed, time } = story;
  const evening = new Date(nextSlot(time.now, NIGHT).getTime() - SLOT_MS);
  const polled = await passSlots(time, devices, seed, evening, 1);
  requireNoUpdate(polled, 'outside of the windows');
  const planner = await asColleague(story, story.planner);
  const [inLab] = devices;
  const reasons = await planner.explain(brandId, inLab?.identity.deviceUid ?? '', SNAP);
  narrator.say(
    `it is ${time.now.toISOString()}; why does a device of the lab stay? ${reasons.map(({ code }) => code).join(', ')}`,
  );
  await tellProgress(story, planner);
}

/** So many nights at most: a busy store tells some devices to wait, and they ask again the next day. */
const NIGHTS = 6;

/** The nights in which a wave is open: from midnight to six, first in Lagos, then in Bogotá, until everybody admitted has it. */
export async function nightOfWave(story: RolloutStory, no: number): Promise<void> {
  const { devices, seed, time, narrator } = story;
  for (let night = 1; ; night += 1) {
    await passSlots(time, devices, seed, nextSlot(time.now, NIGHT), 2);
    const planner = await asColleague(story, story.planner);
    const isWhole = await hasWholeWave(story, planner, no);
    await tellProgress(story, planner);
    if (isWhole) return;
    if (night === NIGHTS) throw new Error(`cannot wait for wave ${no} any longer: ${night} nights`);
    narrator.say('a busy store told some devices to wait: another night');
  }
}

/** Paula has seen the numbers and says that the wave is good. */
export async function advance(story: RolloutStory, no: number): Promise<void> {
  const planner = await asColleague(story, story.planner);
  // Of this wave: said again after a broken connection, it is said once.
  await persistently(() => planner.advanceRollout(story.brandId, story.rolloutId, no));
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

/** What devices report is written within a second; longer is left to a busy machine. */
const REPORTED_WITHIN_MS = 10_000;

/**
 * Whether everybody whom the wave admits has it, as far as the store has been told: a report that a busy store did not take comes
 * with the next poll.
 */
async function hasWholeWave(story: RolloutStory, admin: BrandAdmin, no: number): Promise<boolean> {
  for (const end = Date.now() + REPORTED_WITHIN_MS; Date.now() < end; await sleep(200)) {
    const read = () => admin.rolloutAccount(story.brandId, story.rolloutId);
    const { progress } = await persistently(read);
    if (progress.slice(0, no).every(({ members, updated }) => updated === members)) return true;
  }
  return false;
}

export function requireNoUpdate(polled: readonly Polled[], when: string): void {
  const moved = polled.find(({ outcome }) => outcome.to !== outcome.from);
  if (moved)
    throw new Error(`cannot accept that ${moved.device.identity.serial} is updated ${when}`);
}

export async function tellProgress(story: RolloutStory, admin: BrandAdmin): Promise<void> {
  const { progress, fleet } = await admin.rolloutAccount(story.brandId, story.rolloutId);
  const sum = progress.reduce((all, { updated }) => all + updated, 0);
  const opened = progress.filter(({ members }) => members > 0);
  story.narrator.say(
    `${story.time.now.toISOString()}: ${sum} of ${fleet.population} devices have revision 2 ` +
      `(${opened.map(({ no, updated, members }) => `wave ${no}: ${updated}/${members}`).join(', ')})`,
  );
}
