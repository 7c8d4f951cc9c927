import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Database, Rollout } from '#libs/database';
import { readPlanFile, toRolloutInput } from '#libs/plan-file';
import { projectRoot } from '#stack';
import { saltOf } from '../../simulate/seeded.js';
import { asColleague, untilDecidedBy, untilRollout } from './colleagues.js';
import type { RolloutStory } from './rollout-story.js';

const PLAN_FILE = join(projectRoot, 'tools', 'demo', 'rollout', 'plan.yaml');

/** The plan of the file, checked, submitted, refused to its author, approved by the second person. */
export async function planAndApproval(story: RolloutStory): Promise<void> {
  const { narrator, brandId, fleetId } = story;
  const planner = await asColleague(story, story.planner);
  const { plan } = readPlanFile(await readFile(PLAN_FILE, 'utf8'));
  const input = toRolloutInput(plan, {
    fleetId,
    supersedes: undefined,
    inheritSaltFrom: undefined,
  });
  const check = await planner.checkRollout(brandId, input);
  if (check.problems.length > 0) throw new Error(`cannot go on: ${JSON.stringify(check.problems)}`);
  narrator.say(
    `plan.yaml, dry run: ${check.population} devices, approvals: ${check.approvalsNeeded}`,
  );
  narrator.say(check.windows?.text ?? '');
  for (const { no, name, k, rampSeconds } of check.waves)
    narrator.say(
      `  wave ${no} ${name}: ${k} devices${rampSeconds > 0 ? `, within ${rampSeconds} s` : ''}`,
    );
  const { id } = await planner.planRollout(brandId, input);
  story.rolloutId = id;
  await drawSalt(story);
  const planHash = await planner.submitRollout(brandId, id);
  const refusal = await planner.approveRollout(brandId, id, planHash);
  if (refusal === null) throw new Error('cannot accept that the author approves the own plan');
  narrator.refused('Paula, approving her own plan', refusal);
  const approver = await asColleague(story, story.approver);
  const objection = await approver.approveRollout(brandId, id, planHash);
  if (objection !== null) throw new Error(`cannot go on: ${objection}`);
  narrator.say(`Aron approves exactly plan ${planHash.slice(0, 12)}…`);
  const { state } = await untilRollout(
    story,
    planner,
    ({ state: now, waves }) => now === 'ACTIVE' && waves[0]?.state === 'OPEN',
  );
  await untilDecidedBy(story, planner, 1);
  narrator.say(`the rollout is ${state}`);
}

/** The store draws a rollout's salt by itself; here the seed says which, so that a run can be repeated. */
async function drawSalt({ installation, seed, rolloutId }: RolloutStory): Promise<void> {
  const url = installation.databaseUrls.owner;
  const db = await Database.open({ url, room: 'store', applicationName: 'simulation' });
  try {
    const salt = saltOf(seed, 'salt');
    await db.asSystem((tx) => tx.update(Rollout, { id: rolloutId }, { salt }));
  } finally {
    await db.close();
  }
}
