import { persistently } from '../../clients/http.js';
import { inParallel } from '../../clients/in-parallel.js';
import { known } from '../story/index.js';
import {
  deviceOf,
  keyNo,
  MODEL,
  ORDER,
  ORDERED,
  serialNo,
  type VaultStory,
} from './vault-story.js';

/** The last two of the order are the next chapter's. */
const BY_THE_BOOK = ORDERED - 2;

/** The order as the office writes it; a dry run says what would become of it. */
export async function importOrder(story: VaultStory): Promise<void> {
  const { narrator, brandId } = story;
  const production = known(story.production, 'the production');
  const before = await production.wouldSign(brandId, MODEL, serialNo(1));
  narrator.refused(`${serialNo(1)}, in a dry run`, before.why);
  const lines = Array.from({ length: ORDERED }, (_, index) => `${serialNo(index + 1)},B1`);
  const { added } = await production.importOrder(
    story.installation.vaultUrl,
    brandId,
    MODEL,
    ORDER,
    ['serial,batch', ...lines, ''].join('\n'),
  );
  const after = await production.wouldSign(brandId, MODEL, serialNo(1));
  narrator.say(`${added} serials on ${ORDER}; ${serialNo(1)} would now be ${after.outcome}`);
}

/** First boots on the line: request-id, serial-request, serial, session. */
export async function runTheLine(story: VaultStory): Promise<void> {
  const numbers = Array.from({ length: BY_THE_BOOK }, (_, index) => index + 1);
  let done = 0;
  await inParallel(numbers, 4, async (no) => {
    const device = deviceOf(story, serialNo(no), keyNo(story, no - 1));
    await persistently(() => device.register());
    await persistently(() => device.openSession());
    story.devices.set(serialNo(no), device);
    story.narrator.progress('devices registered', ++done, BY_THE_BOOK);
  });
}
