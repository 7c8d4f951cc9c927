import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { header } from '#libs/assertions';
import { literal, SNAPS } from '../admin/support/admin-store.js';
import { query } from '../vault/vault-kit.js';
import { AcmeDesk, realParts } from './support/acme-desk.js';
import { NEEDS } from './support/own-snapd.js';
import { SimpleWay } from './support/simple-way.js';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });
const LIMIT = { timeout: 90_000, interval: 300 };
const parts = await realParts();

describe.skipIf(!parts)(
  `Debian's snapd with our root in the vendor's place (needs: ${NEEDS})`,
  () => {
    let way: SimpleWay;
    let desk: AcmeDesk;
    const clean = (command: string): Promise<string> => desk.clean(command);

    beforeAll(async () => {
      way = await SimpleWay.start();
      if (parts) desk = await AcmeDesk.prepare(way, parts);
    });
    afterAll(async () => {
      await desk?.stop();
      await way?.stop();
    });

    it('D90 `snap prepare-image` makes a seed of the model; a device boots from it and registers (real snapd)', async () => {
      await desk.seed();
      await desk.boot();
      const { brandId } = way.acme;
      expect((await desk.register())?.headers).toMatchObject({
        ...{ 'authority-id': brandId, 'brand-id': brandId, model: 'desk' },
        serial: expect.stringMatching(/^[-0-9a-f]{36}$/) as string,
      });
    });

    it('V12 snapd verifies the serial with its own library: as it is, and not with one bit changed', async () => {
      const { signingLog } = await query<{ signingLog: { items: { serialText: string }[] } }>(
        ...([way.vault, way.vault.token] as const),
        `{ signingLog(${way.ofAcme}, filter: { model: "desk" }) { items { serialText } } }`,
      );
      const signed = signingLog.items.find(({ serialText }) => serialText !== '')?.serialText ?? '';
      expect((await clean('known serial')).trimEnd()).toBe(signed.trimEnd());
      const file = (bytes: Buffer): string => {
        writeFileSync(desk.snapd.path('a.assert'), bytes);
        return desk.snapd.path('a.assert');
      };
      await clean(`ack ${file(Buffer.from(signed))}`);
      const other = Buffer.from(signed);
      const at = other.indexOf('serial: ') + 'serial: '.length;
      other[at] = (other[at] ?? 0) ^ 1;
      const refused = await desk.snapd.snap('ack', file(other));
      expect([refused.status, refused.err]).toEqual([
        1,
        expect.stringContaining('failed signature verification'),
      ]);
    });

    it('D90 known, download, info, find, install, refresh, create-cohort and debug connectivity run clean (real snapd)', async () => {
      const { acme } = way;
      const [account] = await desk.known(
        ...['--remote', '--direct', 'account', `account-id=${acme.brandId}`],
      );
      expect(account && header(account, 'account-id')).toBe(acme.brandId);
      const target = desk.snapd.path();
      expect(await clean(`download acme-dashboard --target-directory=${target}`)).toContain('ack');
      expect(existsSync(join(target, 'acme-dashboard_1.assert'))).toBe(true);
      expect(readFileSync(join(target, 'acme-dashboard_1.snap'))).toEqual(
        readFileSync(join(SNAPS, 'acme-dashboard_1.snap')),
      );
      expect(await clean('info acme-dashboard')).toMatch(/latest\/stable: +1\.0 .*\(1\)/);
      expect(await clean('find dashboard')).toMatch(/^acme-dashboard +1\.0 +acme/m);
      expect(await clean('create-cohort acme-dashboard')).toMatch(/cohort-key: \S+/);
      expect(await clean('debug connectivity')).toContain('PASS');
      expect((await desk.snapd.snap('refresh')).err).toBe('All snaps up to date.\n');

      const { publisher } = acme;
      const second = join(SNAPS, 'acme-dashboard_2.snap');
      await publisher.upload('acme-dashboard', second, ['stable']);
      await expect.poll(() => clean('refresh --list'), LIMIT).toMatch(/^acme-dashboard .* 2 /m);
      expect(await clean('refresh')).toMatch(/acme-dashboard 1\.1 from acme.* refreshed/);
      expect(await clean('list acme-dashboard')).toMatch(
        /^acme-dashboard +1\.1 +2 +latest\/stable/m,
      );
    });

    it('a protected snap is there for the device, by the serial that its brand signed', async () => {
      const { acme, world } = way;
      const hide = {
        brand: acme.brandId,
        snap: 'acme-control-plane',
        isPrivate: false,
        isProtected: true,
      };
      await world.act(acme.admin, `setSnapVisibility(${literal(hide).slice(1, -1)})`);
      const address = { SNAPPY_FORCE_API_URL: world.url, UBUNTU_STORE_ID: acme.storeId };
      const anonymous = async (): Promise<string> =>
        (await parts?.tool.run(['download', 'acme-control-plane'], address))?.err ?? '';
      await expect.poll(anonymous, LIMIT).toContain('snap not found');
      expect(await clean('install acme-control-plane')).toMatch(/1\.0 from acme.* installed/);
    });
  },
);
