import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RolloutView } from '../../clients/brand-admin.js';
import type { ScriptedDevice } from '../../clients/device.js';
import { inParallel } from '../../clients/in-parallel.js';
import { AT_ONCE, known, type Story } from './story.js';

const SNAP = 'acme-dashboard';
const WAVES = [5, 50, 100];
const WAVE_LIMIT_MS = 60_000;
/** So long an open wave takes to reach the store's snapshot, mostly. */
const SNAPSHOT_MS = 250;

/** Step 6: revision 2 reaches Berlin in three waves, and nobody else. */
export async function rollOut(story: Story): Promise<void> {
  const { narrator } = story;
  const publisher = known(story.publisher, 'the publisher');
  const uploaded = await publisher.upload(SNAP, join(story.snapsDir, `${SNAP}_2.snap`), [
    'candidate',
  ]);
  if (uploaded.revision !== 2)
    throw new Error(`cannot go on: upload ended as ${JSON.stringify(uploaded)}`);
  narrator.say(`${SNAP} revision 2 uploaded, reviewed, released to candidate`);
  const { id, title } = await planRollout(story);
  story.rolloutId = id;
  // Planned is not said: before the second person has agreed nothing moves (S31).
  await nothingMoves(story);
  await approve(story, id);
  for (const [index, percent] of WAVES.entries()) {
    const rollout = await waveOpen(story, id, index + 1);
    await everybodyPolls(story, index + 1, expectedAfter(story, percent));
    const wave = rollout.waves[index];
    narrator.say(
      `wave ${index + 1} of ${title}: ${percent} %, threshold ${wave?.threshold}, ${wave?.k} of ${wave?.population} devices`,
    );
    if (index === 0) await askWhy(story);
    await known(story.planner, 'the planner').advanceRollout(known(story.brandId, 'the brand'), id);
  }
  const done = await until(story, id, ({ state }) => state === 'COMPLETED');
  narrator.say(`rollout ${done.state}`);
}

/** Devices of Berlin that a wave admits: exactly that share, rounded up (update-control.md 2.4). */
const expectedAfter = ({ scale }: Story, percent: number): number =>
  Math.ceil((scale.inBerlin * percent) / 100);

async function planRollout(story: Story): Promise<RolloutView> {
  const planner = known(story.planner, 'the planner');
  const brandId = known(story.brandId, 'the brand');
  const uids = await planner.deviceUids(brandId);
  const tags = story.devices.map(({ serialNumber }, index) => {
    const site = index < story.scale.inBerlin ? 'berlin' : 'hamburg';
    return [known(uids.get(serialNumber), serialNumber), { site }] as const;
  });
  await planner.tagDevices(brandId, new Map(tags));
  const bySite = (site: string): unknown => ({ fact: 'tag:site', equals: site });
  const fleetId = await planner.createFleet(brandId, 'berlin', 10, bySite('berlin'));
  await planner.createFleet(brandId, 'hamburg', 20, bySite('hamburg'));
  story.narrator.say(
    `fleets by predicate: berlin (${story.scale.inBerlin}), hamburg (${story.scale.devices - story.scale.inBerlin})`,
  );
  await planner.protectLane(brandId, SNAP, 'latest/stable');
  return planner.createRollout(brandId, {
    title: 'dashboard 2 to Berlin',
    snap: SNAP,
    channel: 'latest/stable',
    fleetId,
    revision: 2,
    percents: WAVES,
  });
}

/** The one who planned it may not approve it; the other one may (decisions 26). */
async function approve(story: Story, id: string): Promise<void> {
  const brandId = known(story.brandId, 'the brand');
  const planner = known(story.planner, 'the planner');
  const planHash = await planner.submitRollout(brandId, id);
  const refusal = await planner.approveRollout(brandId, id, planHash);
  if (refusal === null) throw new Error('cannot accept that the author approves the own plan');
  story.narrator.refused('the planner, approving the own plan', refusal);
  const objection = await known(story.approver, 'the approver').approveRollout(
    brandId,
    id,
    planHash,
  );
  if (objection !== null) throw new Error(`cannot go on: the approval was refused: ${objection}`);
  story.narrator.say(`approved by the second person, bound to plan ${planHash.slice(0, 12)}…`);
}

const waveOpen = (story: Story, id: string, no: number): Promise<RolloutView> =>
  until(
    story,
    id,
    ({ waves }) => waves[no - 1]?.state === 'OPEN' && waves[no - 1]?.threshold !== null,
  );

async function until(
  story: Story,
  id: string,
  isSo: (rollout: RolloutView) => boolean,
): Promise<RolloutView> {
  const planner = known(story.planner, 'the planner');
  const brandId = known(story.brandId, 'the brand');
  for (const end = Date.now() + WAVE_LIMIT_MS; ; await sleep(100)) {
    const rollout = await planner.rollout(brandId, id);
    if (isSo(rollout)) return rollout;
    if (Date.now() > end)
      throw new Error(`cannot wait any longer for the rollout: ${JSON.stringify(rollout)}`);
  }
}

async function nothingMoves(story: Story): Promise<void> {
  await pollAll(story, 0);
  if (story.waveOf.size > 0) throw new Error('cannot accept that a plan moves devices');
  story.narrator.say(`${story.devices.length} devices polled: all told to stay`);
}

const pollAll = (story: Story, wave: number): Promise<void[]> =>
  inParallel(story.devices, AT_ONCE, (device) => pollOnce(story, device, wave));

/**
 * All devices poll until the store's snapshot has caught up with the wave; what they get must be exactly what the wave admits.
 * Polls of the same snapshot give the same answer, so waiting changes who has polled, never who is admitted.
 */
async function everybodyPolls(story: Story, wave: number, expected: number): Promise<void> {
  await sleep(SNAPSHOT_MS);
  for (const end = Date.now() + WAVE_LIMIT_MS; ; await sleep(200)) {
    await pollAll(story, wave);
    const updated = story.waveOf.size;
    if (updated > expected)
      throw new Error(
        `cannot accept ${updated} devices on revision 2: wave ${wave} admits ${expected}`,
      );
    if (updated === expected) break;
    if (Date.now() > end)
      throw new Error(`cannot wait any longer: ${updated} of ${expected} devices have revision 2`);
  }
  // Once more: those that are not admitted stay, and nobody goes back.
  await pollAll(story, wave);
  if (story.waveOf.size !== expected)
    throw new Error(`cannot accept that a second poll changed something: ${story.waveOf.size}`);
  story.narrator.say(
    `${story.devices.length} devices polled twice: ${expected} on revision 2, ${story.devices.length - expected} told to stay`,
  );
}

async function pollOnce(story: Story, device: ScriptedDevice, wave: number): Promise<void> {
  const before = device.installedAs(SNAP).revision;
  const result = await device.poll(SNAP);
  const offered = result.snap?.revision;
  if (result.result !== 'refresh' || offered === undefined)
    throw new Error(`cannot accept ${JSON.stringify(result)} as answer to a poll`);
  if (offered < before)
    throw new Error(
      `cannot accept that ${device.serialNumber} goes back from ${before} to ${offered}`,
    );
  if (offered === before) return;
  const isInBerlin = story.devices.indexOf(device) < story.scale.inBerlin;
  if (!isInBerlin)
    throw new Error(
      `cannot accept that ${device.serialNumber} of Hamburg is offered revision ${offered}`,
    );
  const { checked } = await device.fetchAndInstall(result);
  story.waveOf.set(device, wave);
  story.downloads += 1;
  story.assertionsChecked += checked.length;
}

async function askWhy(story: Story): Promise<void> {
  const staying = story.devices
    .slice(0, story.scale.inBerlin)
    .find((device) => !story.waveOf.has(device));
  if (!staying) throw new Error('cannot ask why: no device of Berlin stays');
  const planner = known(story.planner, 'the planner');
  const brandId = known(story.brandId, 'the brand');
  const uid = known(
    (await planner.deviceUids(brandId)).get(staying.serialNumber),
    staying.serialNumber,
  );
  const reasons = await planner.explain(brandId, uid, SNAP);
  const decisive = reasons.find(({ code }) => code === 'NOT_IN_WAVE');
  if (!decisive?.detail)
    throw new Error(`cannot see why ${staying.serialNumber} stays: ${JSON.stringify(reasons)}`);
  const { bucket, threshold, wave } = decisive.detail;
  story.narrator.say(
    `why does ${staying.serialNumber} stay? NOT_IN_WAVE: bucket ${bucket}, threshold ${threshold}, wave ${wave}`,
  );
}
