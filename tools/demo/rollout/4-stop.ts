import { nextSlot, passSlots } from '../../simulate/stock-timers.js';
import { asColleague, untilDecidedBy, untilRollout } from './colleagues.js';
import { NIGHT, type RolloutStory } from './rollout-story.js';
import { nightOfWave, requireNoUpdate, tellProgress } from './3-waves.js';

const HALF_RAMP_MS = 2 * 60_000;
const SLOT_MS = 6 * 3_600_000;
const WAVE = 4;

/** The wave grows by the hour; in the middle of its night somebody pulls the brake, and two people let go of it. */
export async function stopAndGoOn(story: RolloutStory): Promise<void> {
  const { narrator, brandId, rolloutId, devices, seed, time } = story;
  const planner = await asColleague(story, story.planner);
  await time.moveTo(new Date(time.now.getTime() + HALF_RAMP_MS));
  const { progress, waves } = await planner.rolloutAccount(brandId, rolloutId);
  const ramped = progress[WAVE - 1];
  narrator.say(
    `two minutes after it opened, wave ${WAVE} has admitted ${ramped?.admitted} of its ${ramped?.members} devices (${waves[WAVE - 1]?.k} in all)`,
  );
  const midnight = nextSlot(time.now, NIGHT);
  await passSlots(time, devices, seed, midnight, 1);
  const stopId = await pullTheBrake(story);
  // Bogotá's whole night: everybody polls, nobody is offered anything.
  const second = new Date(midnight.getTime() + SLOT_MS);
  requireNoUpdate(await passSlots(time, devices, seed, second, 1), 'while it is stopped');
  const morning = await asColleague(story, story.planner);
  await tellProgress(story, morning);
  await letGo(story, stopId);
  await nightOfWave(story, WAVE);
}

async function pullTheBrake(story: RolloutStory): Promise<string> {
  const planner = await asColleague(story, story.planner);
  await tellProgress(story, planner);
  const reason = 'a kiosk shows a black screen';
  const stopId = await planner.stopRollout(story.brandId, story.rolloutId, reason);
  await untilDecidedBy(story, planner, null);
  const { state } = await untilRollout(story, planner, ({ state: now }) => now === 'PAUSED');
  story.narrator.say(`Paula pulls the brake (${reason}): the rollout is ${state}`);
  return stopId;
}

/** Lifting and going on take the second person; the evidence of the pause is named. */
async function letGo(story: RolloutStory, stopId: string): Promise<void> {
  const { narrator, brandId, rolloutId } = story;
  const planner = await asColleague(story, story.planner);
  const approver = await asColleague(story, story.approver);
  await approver.liftStop(brandId, stopId, 'a broken panel, not the dashboard');
  const { planHash, pause } = await planner.rolloutAccount(brandId, rolloutId);
  if (pause?.isAutomatic !== true) throw new Error('cannot go on: the pause is not the stop’s');
  const refusal = await approver.approveRollout(brandId, rolloutId, planHash);
  if (refusal !== null) throw new Error(`cannot go on: ${refusal}`);
  await planner.resumeRollout(brandId, rolloutId, pause.evidenceHash);
  await untilRollout(story, planner, ({ state }) => state === 'ACTIVE');
  await untilDecidedBy(story, planner, WAVE);
  narrator.say('Aron lifts the stop and approves again, Paula resumes: the rollout is ACTIVE');
}
