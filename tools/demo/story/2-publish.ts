import { join } from 'node:path';
import { Publisher } from '../../clients/publisher.js';
import { known, type Story } from './story.js';

const SNAPS = ['acme-gadget', 'acme-kernel', 'acme-base', 'acme-dashboard', 'acme-control-plane'];
const PROTECTED = ['acme-gadget', 'acme-dashboard', 'acme-control-plane'];

/** Step 2: ACME's publisher, call for call what snapcraft does. */
export async function publish(story: Story): Promise<void> {
  const { installation, narrator } = story;
  const planner = known(story.planner, 'the planner');
  const publisher = new Publisher(installation.storeUrl);
  story.publisher = publisher;
  await publisher.login('paula@acme.example', planner.password);
  await publisher.registerKey('acme-models', story.keys.acme);
  narrator.say(`key acme-models registered: ${story.keys.acme.publicKey.id.slice(0, 12)}…`);
  for (const name of SNAPS) story.snapIds.set(name, await publisher.register(name));
  narrator.say(`names registered: ${SNAPS.join(', ')}`);
  await Promise.all(SNAPS.map((name) => uploadFirst(story, publisher, name)));
  for (const name of PROTECTED) await planner.protectSnap(known(story.brandId, 'the brand'), name);
  narrator.say(`only for ACME's own devices: ${PROTECTED.join(', ')}`);
}

async function uploadFirst(story: Story, publisher: Publisher, name: string): Promise<void> {
  const file = join(story.snapsDir, `${name}_1.snap`);
  const { revision, code, problems } = await publisher.upload(name, file, ['stable']);
  if (revision !== 1)
    throw new Error(`cannot go on: ${name} ended as ${code}: ${problems.join('; ')}`);
  story.narrator.say(
    `${name} uploaded and reviewed: revision ${revision}, signed, released to stable`,
  );
}
