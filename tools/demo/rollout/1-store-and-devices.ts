import { join } from 'node:path';
import { projectRoot } from '#stack';
import { BrandAdmin } from '../../clients/brand-admin.js';
import { GraphQLClient } from '../../clients/graphql.js';
import { Publisher } from '../../clients/publisher.js';
import { CompressedTime } from '../../simulate/compressed-time.js';
import { makeDevices } from '../../simulate/make-devices.js';
import { nextSlot, passSlots } from '../../simulate/stock-timers.js';
import { asColleague } from './colleagues.js';
import { NOON, SNAP, ZONES, type RolloutStory } from './rollout-story.js';

const SNAPS_DIR = join(projectRoot, 'test', 'snaps');

/** A brand with two people, a snap with two revisions, and devices that have the first. */
export async function storeAndDevices(story: RolloutStory): Promise<void> {
  const { installation, narrator } = story;
  const { operatorEmail, password = '' } = installation.store;
  const graphql = new GraphQLClient(`${installation.storeUrl}/graphql`);
  const operator = await BrandAdmin.login(graphql, operatorEmail, password);
  const { brandId, storeId } = await operator.createBrand('acme', 'ACME Corp', 'acme-main');
  Object.assign(story, { brandId, storeId });
  story.planner = await hire(story, operator, 'paula@acme.example', 'Paula', [
    'admin',
    'releaser',
    'operator',
    'publisher',
    // She may approve plans, too: of others.
    'approver',
  ]);
  story.approver = await hire(story, operator, 'aron@acme.example', 'Aron', ['approver']);
  narrator.say('brand acme; Paula plans releases, Aron approves them');
  const snapId = await publish(story);
  const planner = await asColleague(story, story.planner);
  await planner.protectLane(brandId, SNAP, 'latest/stable');
  story.fleetId = await planner.createFleet(brandId, 'kiosks', 10, {
    fact: 'tag:use',
    equals: 'kiosk',
  });
  await deploy(story, snapId);
  // Time has passed: she logs in again.
  const later = await asColleague(story, story.planner);
  const { devices, blobs } = await later.figures(brandId);
  narrator.say(`the store knows ${devices} devices and ${blobs} files`);
}

async function hire(
  { brandId }: RolloutStory,
  operator: BrandAdmin,
  email: string,
  name: string,
  roles: readonly string[],
): Promise<{ email: string; password: string }> {
  const person = await operator.addPerson(brandId, email, name, roles);
  return { email, password: person.password };
}

/** Revision 1 on stable, revisions 2 and 3 reviewed and signed, on no channel. */
async function publish({ installation, planner, narrator }: RolloutStory): Promise<string> {
  const publisher = new Publisher(installation.storeUrl);
  await publisher.login(planner.email, planner.password);
  const snapId = await publisher.register(SNAP);
  for (const [no, channels] of [
    [1, ['stable']],
    [2, []],
    [3, []],
  ] as const) {
    const { revision, problems } = await publisher.upload(
      SNAP,
      join(SNAPS_DIR, `${SNAP}_${no}.snap`),
      channels,
    );
    if (revision !== no) throw new Error(`cannot publish ${SNAP}: ${problems.join('; ')}`);
    narrator.say(`${SNAP} revision ${revision}: ${channels.join(', ') || 'on no channel'}`);
  }
  return snapId;
}

/** One device of a hundred in the lab, the others half in Lagos, half in Bogotá; they poll once, so that the store knows what they have. */
async function deploy(story: RolloutStory, snapId: string): Promise<void> {
  const { installation, seed, brandId, storeId, devicesWanted } = story;
  const inLab = Math.ceil(devicesWanted / 100);
  const inLagos = Math.ceil((devicesWanted - inLab) / 2);
  const [lagos, bogota] = ZONES;
  const kind = (count: number, site: string, zone: (typeof ZONES)[number]) => ({
    ...zone,
    count,
    tags: { use: 'kiosk', site },
  });
  story.devices = await makeDevices({
    ...{ installation, seed, brandId, storeId },
    model: 'acme-device-1',
    installed: { snapId, revision: 1, channel: 'latest/stable' },
    kinds: [
      kind(inLab, 'lab', lagos),
      kind(inLagos, 'lagos', lagos),
      kind(devicesWanted - inLab - inLagos, 'bogota', bogota),
    ],
  });
  const [probe] = story.devices;
  if (!probe) throw new Error('cannot simulate without devices');
  probe.renewSession(new Date());
  story.time = new CompressedTime(installation.databaseUrls.owner, probe);
  await passSlots(story.time, story.devices, seed, nextSlot(new Date(), NOON), 1);
}
