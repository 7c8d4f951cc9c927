import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { header } from '#libs/assertions';
import { CHAPTERS, known, outcome, startStory, type Story } from '../../tools/demo/story/index.js';
import { Narrator } from '../../tools/demo/narrator.js';
import type { Installation } from '../../tools/installation/index.js';
import { startStore } from '../support/store.js';
import { expectedOutcome } from './expected-outcome.js';

const SCALE = { devices: 40, inBerlin: 24 };
const SNAP = 'acme-dashboard';

/** The story of the demo over real HTTP and real services, chapter by chapter; each builds on the one before. */
describe('the story', () => {
  let installation: Installation;
  let story: Story;

  beforeAll(async () => {
    installation = await startStore();
    story = await startStory({
      installation,
      narrator: new Narrator(() => {}),
      scale: SCALE,
      keyCache: join(inject('stackDir'), 'device-keys.json'),
    });
  });
  afterAll(() => installation?.stop());

  const tell = async (no: number): Promise<unknown> => CHAPTERS[no - 1]?.tell(story);

  it('1: S1 an operator founds a brand and its first store in one act, and the account assertion shows them', async () => {
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

  it('2: S15 gadget, kernel, base and apps are uploaded, reviewed, given revisions and released', async () => {
    await tell(2);
    expect([...story.snapIds.keys()]).toEqual([
      'acme-gadget',
      'acme-kernel',
      'acme-base',
      'acme-dashboard',
      'acme-control-plane',
    ]);
  });

  it('3: the model is registered, and the vault has a key of its own that the store certified for it', async () => {
    await tell(3);
    expect(story.apiKey).toMatch(/\S{20,}/);
  });

  it('4: S24 every device gets its serial by request-id and serial-request', async () => {
    await tell(4);
    const serials = story.devices.map((device) => header(known(device.serial, 'serial'), 'serial'));
    expect(new Set(serials).size).toBe(SCALE.devices);
    for (const device of story.devices) {
      expect(header(known(device.serial, 'serial'), 'device-key-sha3-384')).toBe(
        device.signer.publicKey.id,
      );
    }
  });

  it('5: S30 every device opens a session, gets revision 1 and checks bytes and chain up to the root', async () => {
    await tell(5);
    expect(story.devices.map((device) => device.installedAs(SNAP).revision)).toEqual(
      Array.from({ length: SCALE.devices }, () => 1),
    );
    expect(story.downloads).toBe(SCALE.devices);
    expect(story.assertionsChecked).toBeGreaterThanOrEqual(SCALE.devices * 4);
  });

  it('6: S31 nothing moves before the brand says so; then exactly the admitted devices get it', async () => {
    await tell(6);
    const perWave = [1, 2, 3].map(
      (wave) => [...story.waveOf.values()].filter((one) => one === wave).length,
    );
    expect(perWave).toEqual([2, 10, 12]);
    for (const [index, device] of story.devices.entries()) {
      expect(device.installedAs(SNAP).revision).toBe(index < SCALE.inBerlin ? 2 : 1);
    }
  });

  it('7: S28, S29 tampered model, foreign serial, replayed nonce, other store, other brand and nobody get nothing', async () => {
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

  it('8: S39 a revoked device loses its session within 5 s and gets no other', async () => {
    const took = await tell(8);
    expect(took).toBeLessThan(5_000);
  });

  it('ends with the table that this scale must give', async () => {
    expect(await outcome(story)).toEqual(await expectedOutcome(SCALE, story.snapsDir));
  });
});
