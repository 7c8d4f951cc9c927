import { setTimeout as sleep } from 'node:timers/promises';
import type { BrandAdmin, RolloutAccount } from '../../clients/brand-admin.js';
import { inParallel } from '../../clients/in-parallel.js';
import { persistently } from '../../clients/http.js';
import { makeDevices } from '../../simulate/make-devices.js';
import type { SimulatedDevice } from '../../simulate/simulated-device.js';
import { asColleague, untilRollout } from './colleagues.js';
import { SNAP, ZONES, type RolloutStory } from './rollout-story.js';

const BAD = 3;
const HOUR_MS = 3_600_000;
const LIMIT_MS = 120_000;
const WIDTH = 8;
/** A few devices are enough to see it; the defaults are for large fleets. */
const HEALTH = { minSample: 10, failCount: 3, failPercent: 20, coveragePercent: 50 };
const WAVES = [
  { percent: 50, soakSeconds: 3_600, health: HEALTH },
  { percent: 100, soakSeconds: 3_600, health: HEALTH },
];
/** One wave for all; each device has to be well after it for some seconds. */
const BACK = [{ percent: 100, soakSeconds: 0, health: { ...HEALTH, minSample: 5 } }];

const MOST_POLLS = 6;
/** The worker counts what was heard within seconds, and silence within a minute (update-control.md 2.6). */
const SEEN_WITHIN_MS = 20_000;

/** Forty displays, a quarter of them on arm64, where the hooks of revision 3 fail. */
export async function badRevision(story: RolloutStory): Promise<void> {
  const { narrator, brandId, storeId, installation, seed, time } = story;
  const planner = await asColleague(story, story.planner);
  const fleetId = await planner.createFleet(brandId, 'displays', 20, {
    fact: 'tag:use',
    equals: 'display',
  });
  const [zone] = ZONES;
  const kind = { ...zone, tags: { use: 'display', site: 'berlin' } };
  const snapId = story.devices[0]?.installed.snapId ?? '';
  story.displays = await makeDevices({
    ...{ installation, seed: `${seed} displays`, brandId, storeId },
    model: 'acme-device-1',
    installed: { snapId, revision: 1, channel: 'latest/stable' },
    kinds: [
      { ...kind, count: 30, architecture: 'amd64' },
      { ...kind, count: 10, architecture: 'arm64' },
    ],
  });
  for (const device of story.displays) if (device.architecture === 'arm64') device.failsOn = BAD;
  await everybodyPolls(story);
  const input = {
    ...{ title: 'Dashboard 3 for all displays', fleetId, snap: SNAP, channel: 'stable' },
    ...{ revision: BAD, waves: WAVES },
  };
  const { id } = await planner.planRollout(brandId, input);
  story.badRolloutId = id;
  await approvedBy(story, planner, id);
  const open = await untilOpen(story, planner, id, BAD);
  narrator.say(
    `wave 1 is open: ${open.waves[0]?.k} of ${open.waves[0]?.population} displays may have it`,
  );
  await everybodyPolls(story);
  await time.moveTo(new Date(time.now.getTime() + 6 * HOUR_MS));
  await everybodyPolls(story);
  const later = await asColleague(story, story.planner);
  const paused = await untilRollout(
    { ...story, rolloutId: id },
    later,
    ({ state }) => state === 'PAUSED',
  );
  narrator.say(`six hours later nobody has touched anything, and the rollout is ${paused.state}:`);
  narrator.say(`  ${paused.transitions.at(-1)?.cause}`);
}

/** One that has it, one that waits, one that will never get it. */
export async function threeReasons(story: RolloutStory): Promise<void> {
  const planner = await asColleague(story, story.planner);
  const has = displays(story).find(({ installed }) => installed.revision === BAD);
  const waits = displays(story).find(
    ({ installed, architecture }) => installed.revision !== BAD && architecture === 'amd64',
  );
  const never = story.devices[0];
  for (const [what, device] of [
    ['has it', has],
    ['waits', waits],
    ['is of another fleet, and will never get it', never],
  ] as const) {
    if (!device) throw new Error(`cannot show a device that ${what}`);
    const reasons = await planner.explain(story.brandId, device.identity.deviceUid, SNAP);
    const codes = reasons.map(({ code }) => code).join(', ');
    story.narrator.say(`${device.identity.serial} ${what}: ${codes}`);
  }
}

/** Each display that has revision 3 is led back; those that never had it stay. */
export async function approvedRollback(story: RolloutStory): Promise<void> {
  const { narrator, brandId, time } = story;
  const planner = await asColleague(story, story.planner);
  const had = displays(story).filter(({ installed }) => installed.revision === BAD);
  const { id } = await planner.rollBack(brandId, story.badRolloutId, 'fails on arm64', BACK);
  story.backRolloutId = id;
  await approvedBy(story, planner, id);
  await untilOpen(story, planner, id, 1, had[0]);
  narrator.say(
    `Aron approves the way back for the ${had.length} displays that have revision ${BAD}`,
  );
  await everybodyPolls(story);
  const isCompleted = ({ state }: RolloutAccount): boolean => state === 'COMPLETED';
  const completed = async (limitMs?: number): Promise<RolloutAccount> => {
    const later = await asColleague(story, story.planner);
    return untilRollout({ ...story, rolloutId: id }, later, isCompleted, limitMs);
  };
  // Four times a day, as devices do: what is not seen of one the first time is seen the next time.
  let isBack = false;
  for (let left = MOST_POLLS; left > 0 && !isBack; left -= 1) {
    await time.moveTo(new Date(time.now.getTime() + 6 * HOUR_MS));
    await everybodyPolls(story);
    isBack = await completed(SEEN_WITHIN_MS).then(Boolean, () => false);
  }
  await completed();
  const wrong = displays(story).filter(({ installed }) => installed.revision !== 1);
  if (wrong.length > 0) throw new Error(`cannot accept ${wrong.length} displays off revision 1`);
  narrator.say('all displays are on revision 1 again');
}

/** The table at the end. */
export async function badEndRows(story: RolloutStory): Promise<string[][]> {
  const planner = await asColleague(story, story.planner);
  const forth = await planner.rolloutAccount(story.brandId, story.badRolloutId);
  const back = await planner.rolloutAccount(story.brandId, story.backRolloutId);
  const lines = ({ transitions }: RolloutAccount): string[] =>
    transitions.map(
      ({ fromState, toState, cause }) => `${fromState ?? 'new'} → ${toState}: ${cause}`,
    );
  return [
    ['rollout of revision 3', forth.state],
    ...lines(forth).map((line) => ['', line]),
    ['rollback', back.state],
    ...lines(back).map((line) => ['', line]),
  ];
}

const displays = ({ displays: all = [] }: RolloutStory): readonly SimulatedDevice[] => all;

function everybodyPolls(story: RolloutStory): Promise<unknown> {
  return inParallel(displays(story), WIDTH, (device) => {
    device.renewSession(story.time.now);
    return device.poll();
  });
}

async function approvedBy(story: RolloutStory, planner: BrandAdmin, id: string): Promise<void> {
  const planHash = await planner.submitRollout(story.brandId, id);
  const approver = await asColleague(story, story.approver);
  const objection = await approver.approveRollout(story.brandId, id, planHash);
  if (objection !== null) throw new Error(`cannot go on: ${objection}`);
}

/** Its first wave is open, and the store decides by it: asked about a display, or about any. */
async function untilOpen(
  story: RolloutStory,
  admin: BrandAdmin,
  id: string,
  target: number,
  probe = displays(story)[0],
): Promise<RolloutAccount> {
  const rollout = await untilRollout(
    { ...story, rolloutId: id },
    admin,
    ({ waves }) => waves[0]?.state === 'OPEN',
  );
  const uid = probe?.identity.deviceUid ?? '';
  for (const end = Date.now() + LIMIT_MS; Date.now() < end; await sleep(100)) {
    const reasons = await persistently(() => admin.explain(story.brandId, uid, SNAP));
    if (reasons.some(({ detail }) => detail?.['target'] === target && 'wave' in detail))
      return rollout;
  }
  throw new Error('cannot wait any longer for the policy');
}
