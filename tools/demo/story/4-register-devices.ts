import { ScriptedDevice } from '../../clients/device.js';
import { persistently } from '../../clients/http.js';
import { inParallel } from '../../clients/in-parallel.js';
import { AT_ONCE, known, type Story } from './story.js';

/** Step 4: every device gets its serial from the vault, by request-id and serial-request. */
export async function registerDevices(story: Story): Promise<void> {
  const { installation, narrator, scale } = story;
  story.devices = story.keys.devices.slice(0, scale.devices).map(
    (key, index) =>
      new ScriptedDevice({
        storeUrl: installation.storeUrl,
        vaultUrl: `${installation.vaultUrl}/v1`,
        apiKey: known(story.apiKey, 'the API key of the vault'),
        model: known(story.model, 'the model'),
        key,
        proposedSerial: `ACME-${String(index + 1).padStart(4, '0')}`,
        trusted: known(story.trusted, 'the root'),
      }),
  );
  let done = 0;
  await inParallel(story.devices, AT_ONCE, async (device) => {
    await persistently(() => device.register());
    narrator.progress('devices registered', ++done, story.devices.length);
  });
  const [first] = story.devices;
  if (first?.serial)
    narrator.say(
      `the first serial assertion: ${first.serial.primaryKey.join('/')}, signed by ${first.serial.signKeyId.slice(0, 12)}…`,
    );
}
