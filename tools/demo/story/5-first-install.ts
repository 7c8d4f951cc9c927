import { persistently } from '../../clients/http.js';
import { inParallel } from '../../clients/in-parallel.js';
import { AT_ONCE, type Story } from './story.js';

/** Step 5: session, install, download, hash and chain, on every device. */
export async function firstInstall(story: Story): Promise<void> {
  const { narrator } = story;
  let done = 0;
  const revisions = await inParallel(story.devices, AT_ONCE, async (device) => {
    await persistently(() => device.openSession());
    const result = await device.install('acme-dashboard');
    if (result.result !== 'install')
      throw new Error(`cannot install: ${JSON.stringify(result.error)}`);
    const { checked } = await persistently(() => device.fetchAndInstall(result));
    story.downloads += 1;
    story.assertionsChecked += checked.length;
    narrator.progress('devices with acme-dashboard', ++done, story.devices.length);
    return result.snap?.revision;
  });
  const wrong = revisions.filter((revision) => revision !== 1);
  if (wrong.length > 0)
    throw new Error(`cannot go on: ${wrong.length} devices got another revision than 1`);
  narrator.say('every file had the announced size and SHA3-384, every chain ended at the root');
}
