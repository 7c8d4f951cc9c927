import { header, signAssertion, type Signer } from '#libs/assertions';
import type { Answer } from '../../clients/http.js';
import { ScriptedDevice, type RefreshAnswer } from '../../clients/device.js';
import { foundStranger } from './stranger.js';
import { known, type Story, type Stranger } from './story.js';

const at = (): string => new Date().toISOString().replace(/\.\d+Z$/, 'Z');

/** Step 7: whoever should not get in reads what the pages prescribe (device-api.md 2.1, 2.5, 3.3; decisions 13). */
export async function refuse(story: Story): Promise<void> {
  const [device] = story.devices;
  if (!device?.serial) throw new Error('cannot go on: no device is registered');
  const stranger = await foundStranger(story);
  story.stranger = stranger;
  await otherBrand(story, stranger);
  await foreignKey(story, device, stranger.signer);
  await replayedNonce(story, device);
  await tamperedModel(story, device);
  await otherStore(story, device, stranger);
  await anonymous(story, device);
}

/** A device of another brand has a good session, and the snap does not exist for it. */
async function otherBrand(story: Story, { device }: Stranger): Promise<void> {
  await device.openSession();
  note(
    story,
    'a device of another brand that asks for acme-dashboard',
    await ask(device),
    'name-not-found',
  );
}

/** A serial for ACME's model that ACME's vault never signed. */
async function foreignKey(story: Story, device: ScriptedDevice, signer: Signer): Promise<void> {
  const key = known(story.keys.devices.at(-2), 'a key for the forger');
  const forged = await signAssertion(
    {
      type: 'serial',
      headers: {
        'authority-id': header(device.options.model, 'brand-id'),
        'brand-id': header(device.options.model, 'brand-id'),
        model: header(device.options.model, 'model'),
        serial: 'FORGED-1',
        'device-key': key.publicKey.encoded,
        'device-key-sha3-384': key.publicKey.id,
        timestamp: at(),
      },
    },
    signer,
    new Date(),
  );
  const forger = twin(device, key);
  forger.serial = forged;
  note(story, 'a serial signed by a foreign key', await forger.requestSession());
}

async function replayedNonce(story: Story, device: ScriptedDevice): Promise<void> {
  const copy = twin(device);
  const nonce = await copy.nonce();
  const first = await copy.requestSession({ nonce });
  if (first.status !== 200)
    throw new Error(`cannot show a replay: the first use was refused with ${first.status}`);
  note(story, 'a nonce used a second time', await copy.requestSession({ nonce }));
}

async function tamperedModel(story: Story, device: ScriptedDevice): Promise<void> {
  const model = device.options.model.bytes.toString();
  const changed = model.replace('grade: dangerous', 'grade: signed');
  const tampered =
    changed === model ? model.replace('architecture: amd64', 'architecture: arm64') : changed;
  note(
    story,
    'a model changed by one word',
    await twin(device).requestSession({ model: tampered }),
  );
}

/** A session of the stranger's store, shown where ACME's store is named. */
async function otherStore(story: Story, device: ScriptedDevice, stranger: Stranger): Promise<void> {
  const mixed = twin(device);
  mixed.session = stranger.device.session;
  note(story, 'a session of another store', await ask(mixed));
}

async function anonymous(story: Story, device: ScriptedDevice): Promise<void> {
  note(
    story,
    'nobody in particular, asking for the protected acme-dashboard',
    await ask(twin(device)),
    'name-not-found',
  );
}

const ask = (device: ScriptedDevice): Promise<Answer> =>
  device.refresh([
    {
      action: 'install',
      'instance-key': 'install-1',
      name: 'acme-dashboard',
      channel: 'latest/stable',
      epoch: null,
    },
  ]);

/** Prints and keeps the refusal; a request that was not refused, or for another reason, ends the story. */
function note(story: Story, who: string, answer: Answer, code?: string): void {
  const said = code === undefined ? answer.text.trim() : perAction(answer);
  const isRefused =
    code === undefined ? answer.status >= 400 && answer.status < 500 : said.startsWith(code);
  if (!isRefused)
    throw new Error(
      `cannot accept that ${who} was not refused: ${answer.status} ${answer.text.slice(0, 300)}`,
    );
  const renewal = answer.headers.get('www-authenticate');
  const shown = `${answer.status} ${said}${renewal ? ` (WWW-Authenticate: ${renewal})` : ''}`;
  story.refusals.push({ who, status: answer.status, said });
  story.narrator.refused(who, shown);
}

function perAction(answer: Answer): string {
  const [result] = answer.json<RefreshAnswer>().results;
  return result?.error ? `${result.error.code}: ${result.error.message}` : JSON.stringify(result);
}

/** The same device's words from another mouth: no session, nothing installed. */
function twin(device: ScriptedDevice, key: Signer = device.options.key): ScriptedDevice {
  const copy = new ScriptedDevice({ ...device.options, key });
  copy.serial = device.serial;
  return copy;
}
