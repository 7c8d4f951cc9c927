import { setTimeout as sleep } from 'node:timers/promises';
import type { ScriptedDevice } from '../../clients/device.js';
import { expectStatus, type Answer } from '../../clients/http.js';
import { known } from '../story/index.js';
import { deviceOf, keyNo, MODEL, ORDERED, serialNo, type VaultStory } from './vault-story.js';

const LIMIT_MS = 60_000;

function told(story: VaultStory, who: string, answer: Answer): void {
  const { message: said } = answer.json<{ message: string }>();
  story.refusals.push({ who, status: answer.status, said });
  story.narrator.refused(who, `${answer.status} ${said}`);
}

async function register(story: VaultStory, device: ScriptedDevice): Promise<void> {
  await device.register();
  await device.openSession();
  story.devices.set(device.serialNumber, device);
}

/** The last but one was tested on the bench with another board: its own one has to wait for Aron. */
export async function oneIsPending(story: VaultStory): Promise<void> {
  const serial = serialNo(ORDERED - 1);
  const bench = deviceOf(story, serial, keyNo(story, ORDERED));
  await register(story, bench);
  const device = deviceOf(story, serial, keyNo(story, ORDERED - 2));
  const answer = expectStatus('wait for a decision', await device.requestSerial(), 202);
  told(story, `${serial} with another board`, answer);
  const approver = known(story.approver, 'the approver');
  await approver.approve(story.brandId, serial, 'the bench board was scrapped');
  await register(story, device);
  story.narrator.say(`Aron approved it: revision ${device.serial?.revision} of its serial`);
  await untilOut(bench);
  story.narrator.say('the bench board has no session any more');
}

/** The last one was written from the image of the first: the same device key, which has a serial already. */
export async function oneIsADuplicate(story: VaultStory): Promise<void> {
  const serial = serialNo(ORDERED);
  const copy = deviceOf(story, serial, keyNo(story, 0));
  const answer = expectStatus('be refused', await copy.requestSerial(), 409);
  told(story, `${serial}, written from the image of ${serialNo(1)}`, answer);
  await register(story, deviceOf(story, serial, keyNo(story, ORDERED - 1)));
  story.narrator.say('written anew it made a key of its own, and has its serial');
}

/** A burnt board: the new one takes the old one's place on the order and in the store. */
export async function oneIsSwapped(story: VaultStory): Promise<void> {
  const [old, fresh] = [serialNo(10), serialNo(ORDERED + 1)];
  const burnt = known(story.devices.get(old), old);
  await known(story.approver, 'the approver').swapBoard(story.brandId, MODEL, old, fresh, 'burnt');
  await untilOut(burnt);
  story.devices.delete(old);
  await register(story, deviceOf(story, fresh, keyNo(story, ORDERED + 1)));
  story.narrator.say(`${old} has ended, ${fresh} goes on in its place`);
}

/** A lost device. */
export async function oneIsRevoked(story: VaultStory): Promise<void> {
  const serial = serialNo(20);
  const device = known(story.devices.get(serial), serial);
  const approver = known(story.approver, 'the approver');
  await approver.revokeDevice(story.brandId, device, 'lost on the way');
  await untilOut(device);
  const answer = expectStatus('be refused', await device.requestSerial(), 403);
  told(story, `${serial}, revoked`, answer);
}

/** Its session is no longer served. */
async function untilOut(device: ScriptedDevice): Promise<void> {
  for (const end = Date.now() + LIMIT_MS; ; await sleep(100)) {
    if ((await device.refresh([])).status === 401) return;
    if (Date.now() > end)
      throw new Error(`cannot wait longer for the end of ${device.serialNumber}`);
  }
}
