import { setTimeout as sleep } from 'node:timers/promises';
import { known, type Story } from './story.js';

const LIMIT_MS = 5_000;

/** Step 8: the vault revokes one device; its session ends within 5 s (decisions 9). Returns how long that took, in ms. */
export async function revokeOne(story: Story): Promise<number> {
  const device = story.devices.at(-1);
  if (!device) throw new Error('cannot go on: there is no device to revoke');
  await known(story.vault, 'the vault').revokeDevice(
    known(story.brandId, 'the brand'),
    device,
    'stolen from the lab',
  );
  const revoked = Date.now();
  for (;;) {
    const answer = await device.refresh([
      {
        action: 'install',
        'instance-key': 'install-1',
        name: 'acme-control-plane',
        channel: 'latest/stable',
        epoch: null,
      },
    ]);
    const took = Date.now() - revoked;
    if (answer.status === 401) {
      const renewal = answer.headers.get('www-authenticate') ?? '';
      story.narrator.refused(
        `${device.serialNumber}, revoked`,
        `401 (WWW-Authenticate: ${renewal}) after ${took} ms`,
      );
      const again = await device.requestSession();
      if (again.status < 400)
        throw new Error('cannot accept that a revoked device opens a new session');
      story.narrator.refused(
        `${device.serialNumber}, asking for a new session`,
        `${again.status} ${again.text.trim()}`,
      );
      story.refusals.push({ who: 'a revoked device', status: answer.status, said: renewal });
      return took;
    }
    if (took > LIMIT_MS)
      throw new Error(`cannot accept that the session still works ${took} ms after the revocation`);
    await sleep(50);
  }
}
