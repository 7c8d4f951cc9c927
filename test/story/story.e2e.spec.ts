import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { header, signAssertion } from '#libs/assertions';
import {
  CHAPTERS,
  known,
  outcome,
  startStory,
  storyKeys,
  type Story,
} from '../../tools/demo/story/index.js';
import { Narrator } from '../../tools/demo/narrator.js';
import { ask } from '../../tools/clients/http.js';
import type { Installation } from '../../tools/installation/index.js';
import { startStore } from '../support/store.js';
import { expectedOutcome } from './expected-outcome.js';
import { factorySerialDevice, session, waysTo, type Wanted } from './ways-in.js';

const SCALE = { devices: 40, inBerlin: 24 };
const SNAP = 'acme-dashboard';

/** The story of the demo over real HTTP and real services, chapter by chapter; each builds on the one before. */
describe('the story', () => {
  let installation: Installation;
  let story: Story;

  beforeAll(async () => {
    installation = await startStore();
    const narrator = new Narrator(() => {});
    const keys = storyKeys(SCALE.devices, inject('stackDir'), narrator);
    story = startStory({
      installation,
      narrator,
      scale: SCALE,
      keys: await keys,
    });
  });
  afterAll(() => installation?.stop());

  const tell = async (no: number): Promise<unknown> => CHAPTERS[no - 1]?.tell(story);

  it('S1 chapter 1: an operator founds a brand and its first store in one act, and the account assertion shows them', async () => {
    await tell(1);
    const account = await fetch(
      `${installation.storeUrl}/v2/assertions/account/${known(story.brandId, 'brand')}`,
    );
    const text = await account.text();
    expect(account.status).toBe(200);
    expect(text).toContain('username: acme');
    expect(text).toContain('display-name: ACME Corp');
    expect(text).toContain('validation: verified');
    expect(story.trusted?.map(({ type }) => type)).toEqual(['account', 'account-key']);
  });

  it('chapter 2: gadget, kernel, base and apps are uploaded, reviewed, given revisions and released', async () => {
    await tell(2);
    expect([...story.snapIds.keys()]).toEqual([
      'acme-gadget',
      'acme-kernel',
      'acme-base',
      'acme-dashboard',
      'acme-control-plane',
    ]);
  });

  it('chapter 3: the model is registered, and the vault has a key of its own that the store certified for it', async () => {
    await tell(3);
    expect(story.apiKey).toMatch(/\S{20,}/);
  });

  it('chapter 4: every device gets its serial by request-id and serial-request', async () => {
    await tell(4);
    const serials = story.devices.map((device) => header(known(device.serial, 'serial'), 'serial'));
    expect(new Set(serials).size).toBe(SCALE.devices);
    for (const device of story.devices) {
      expect(header(known(device.serial, 'serial'), 'device-key-sha3-384')).toBe(
        device.signer.publicKey.id,
      );
    }
  });

  it('chapter 5: every device opens a session, gets revision 1 and checks bytes and chain up to the root', async () => {
    await tell(5);
    expect(story.devices.map((device) => device.installedAs(SNAP).revision)).toEqual(
      Array.from({ length: SCALE.devices }, () => 1),
    );
    expect(story.downloads).toBe(SCALE.devices);
    expect(story.assertionsChecked).toBeGreaterThanOrEqual(SCALE.devices * 4);
  });

  it('S31 chapter 6: nothing moves before the brand says so; then exactly the admitted devices get it', async () => {
    await tell(6);
    const perWave = [1, 2, 3].map(
      (wave) => [...story.waveOf.values()].filter((one) => one === wave).length,
    );
    expect(perWave).toEqual([2, 10, 12]);
    for (const [index, device] of story.devices.entries()) {
      expect(device.installedAs(SNAP).revision).toBe(index < SCALE.inBerlin ? 2 : 1);
    }
  });

  it('chapter 7: six who should not get in read what the pages prescribe', async () => {
    await tell(7);
    expect(story.refusals.map(({ who, status }) => [who, status])).toEqual([
      ['a device of another brand that asks for acme-dashboard', 200],
      ['a serial signed by a foreign key', 400],
      ['a nonce used a second time', 400],
      ['a model changed by one word', 400],
      ['a session of another store', 401],
      ['nobody in particular, asking for the protected acme-dashboard', 200],
    ]);
  });

  it('S28 model and serial open a session; a tampered model, a foreign serial, a wrong device key, another store do not', async () => {
    const [device, neighbour] = story.devices;
    const { device: stranger, brandId, signer } = known(story.stranger, 'the stranger');
    if (!device || !neighbour) throw new Error('cannot ask without two devices');
    const own = session(device);
    expect((await own.requestSession()).status).toBe(200);
    const model = device.options.model.bytes.toString();
    // Says of this very device what its own serial says, by somebody for whom the model has no word.
    const {
      format: _format,
      'sign-key-sha3-384': _key,
      ...said
    } = known(device.serial, 'serial').headers;
    const forged = await signAssertion(
      {
        type: 'serial',
        headers: { ...said, 'authority-id': brandId },
      },
      signer,
      new Date(),
    );
    // A request that the device's key is said to have signed, and has not: one that it did sign, with another nonce.
    const [old, fresh] = [await own.nonce(), await own.nonce()];
    const copied = await ask(`${installation.storeUrl}/api/v1/snaps/auth/sessions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: (await own.sessionPapers({ nonce: old })).replace(old, fresh),
    });
    const attempts = [
      copied,
      await own.requestSession({ model: model.replace('acme-kernel', 'acme-kernal') }),
      await own.requestSession({ model: stranger.options.model.bytes.toString() }),
      await own.requestSession({ serial: known(stranger.serial, 'its serial').bytes.toString() }),
      await own.requestSession({
        serial: known(neighbour.serial, 'its serial').bytes.toString(),
        claim: { serial: neighbour.serialNumber },
      }),
      await own.requestSession({ serial: forged.bytes.toString() }),
      await own.requestSession({ signer: neighbour.signer }),
      await own.requestSession({ signer: stranger.signer }),
    ];
    expect(attempts.map(({ status }) => status)).toEqual(attempts.map(() => 400));
    // All alike: nobody learns what was wrong (decisions 13).
    expect(new Set(attempts.map(({ text }) => text)).size).toBe(1);
    const elsewhere = await session(device, stranger.session).refresh([]);
    expect(elsewhere.status).toBe(401);
    expect(elsewhere.headers.get('www-authenticate')).toContain('refresh_device_session');
  });

  it('S29 without a serial of the brand there is no way to a protected snap: it answers as what never was', async () => {
    const [device] = story.devices;
    if (!device) throw new Error('cannot ask without a device');
    const stranger = known(story.stranger, 'the stranger');
    const offered = (await device.install(SNAP)).snap;
    const wanted: Wanted = {
      name: SNAP,
      id: known(story.snapIds.get(SNAP), SNAP),
      digest: known(offered?.download, 'the download')['sha3-384'],
    };
    const never: Wanted = { name: 'no-such-snap', id: 'n'.repeat(32), digest: '0'.repeat(96) };

    const own = await waysTo(device, wanted);
    expect(own['install'].text).toContain('"download"');
    expect(own['refresh'].text).toContain('"result":"refresh"');
    expect(own['download link'].status).toBe(302);
    expect(own['snap-declaration'].status).toBe(200);
    expect(own['snap-revision'].status).toBe(200);

    const generic = await factorySerialDevice(story, device, stranger);
    await generic.openSession();
    for (const [who, caller] of Object.entries({
      'without a session': session(device),
      'of another brand': stranger.device,
      'with a serial of a listed authority': generic,
      'with a session of another store': session(device, stranger.device.session),
    })) {
      const ways = await waysTo(caller, wanted);
      expect(ways, who).toEqual(await waysTo(caller, never));
      for (const [way, { text }] of Object.entries(ways))
        expect(text, `${who}, ${way}`).not.toMatch(/"(download|deltas|resources|snap)":|dashboard/);
      // Where the store is named, a foreign session is to be renewed (decisions 13).
      const refused = who === 'with a session of another store' ? [401, 404] : [404];
      for (const way of ['download link', 'snap-declaration', 'snap-revision'] as const)
        expect(refused, `${who}, ${way}`).toContain(ways[way].status);
    }
    const anonymous = await waysTo(session(device), wanted);
    expect(anonymous['install'].text).toContain('name-not-found');
    expect(anonymous['refresh'].text).toContain('id-not-found');
    expect(await waysTo(generic, wanted)).toMatchObject({
      install: { status: 200, text: expect.stringContaining('name-not-found') as string },
    });
  });

  it('S39 chapter 8: a revoked device loses its session within 5 s, and gets no other, no serial and no download', async () => {
    const device = known(story.devices.at(-1), 'the device');
    const link = known((await device.install(SNAP)).snap?.download, 'the download').url;
    const took = await tell(8);
    expect(took).toBeLessThan(5_000);
    expect((await device.requestSession()).status).toBe(400);
    expect((await device.requestSerial()).status).toBeGreaterThanOrEqual(400);
    await expect(device.download(link)).rejects.toThrow(/status 40[134]/);
    const neighbour = known(story.devices.at(0), 'its neighbour');
    expect((await neighbour.download(link)).length).toBeGreaterThan(0);
  });

  it('ends with the table that this scale must give', async () => {
    expect(await outcome(story)).toEqual(await expectedOutcome(SCALE, story.snapsDir));
  });
});
