import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { decodeAssertions, header, type Assertion } from '#libs/assertions';
import { literal, SNAPS } from '../admin/support/admin-store.js';
import { query } from '../vault/vault-kit.js';
import { findSnapTool, type SnapRun } from '../assertions/snap-tool.js';
import {
  NEEDS,
  OwnSnapd,
  packSnap,
  rootWithoutRights,
  squashfsTools,
} from './support/own-snapd.js';
import { SimpleWay } from './support/simple-way.js';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });
const LIMIT = { timeout: 90_000, interval: 300 };
const tool = findSnapTool();
const squashfs = tool && (await squashfsTools());
const asRoot = rootWithoutRights();

/** What `snap debug connectivity` of 2.57 asks the store for, whatever else is there. */
const CORE = `name: core
version: '16'
summary: core of ACME
description: core of ACME
type: os
architectures: [amd64]
confinement: strict
grade: stable
`;
/** The vendor's snapd has this slot by its id; another one by its declaration (docs/trust.md, "Tried with …"). */
const SNAPD_SLOTS = { 'shared-memory': { 'allow-installation': true } };

describe.skipIf(!tool || !squashfs || !asRoot)(
  `Debian's snapd with our root in the vendor's place (needs: ${NEEDS})`,
  () => {
    let way: SimpleWay;
    let snapd: OwnSnapd;
    /** Runs it, and expects that nothing goes wrong. */
    const clean = async (command: string): Promise<string> => {
      const run: SnapRun = await snapd.snap(...command.split(' '));
      expect([command, run.status, run.err]).toEqual([
        command,
        0,
        expect.not.stringMatching(/error|cannot/i),
      ]);
      return run.out;
    };
    const known = async (...query: string[]): Promise<Assertion[]> =>
      decodeAssertions(Buffer.from(await clean(`known ${query.join(' ')}`)));
    /** The device takes it into its own database, as `snap ack` of a file does. */
    const acknowledge = async (...query: string[]): Promise<void> => {
      const file = snapd.path('to-acknowledge.assert');
      writeFileSync(file, await clean(`known --remote --direct ${query.join(' ')}`));
      await clean(`ack ${file}`);
    };

    beforeAll(async () => {
      way = await SimpleWay.start();
      if (!tool || !squashfs || !asRoot) return;
      const { world, acme, store } = way;
      for (const name of ['snapd', 'acme-base', 'acme-dashboard', 'acme-control-plane'])
        await world.publish(acme, name);
      const env = { SNAPPY_FORCE_API_URL: world.url, UBUNTU_STORE_ID: acme.storeId };
      snapd = OwnSnapd.make({ tool, squashfs, asRoot, root: way.trusted, env });
      await acme.publisher.register('core');
      const core = packSnap(squashfs, snapd.path(), CORE);
      expect(await acme.publisher.upload('core', core, ['stable'])).toMatchObject({ revision: 1 });
      const reviewer = await store.addPerson('rita@acme.example', ['reviewer']);
      await reviewer.graphql.run(
        `mutation ($brand: ID!, $input: DeclarationInput!) {
          editSnapDeclaration(brand: $brand, snap: "snapd", input: $input, reason: "own snapd") { __typename } }`,
        { brand: acme.brandId, input: { slots: SNAPD_SLOTS } },
      );
    });
    afterAll(async () => {
      await snapd?.stop();
      await way?.stop();
      tool?.remove();
    });

    it('D90 `snap prepare-image` makes a seed of the model; a device boots from it and registers (real snapd)', async () => {
      const { acme, world } = way;
      const classic = { classic: 'true', gadget: undefined, kernel: undefined };
      const model = await way.simpleModel(
        'desk',
        {
          ...{ ...classic, store: acme.storeId },
          'required-snaps': ['acme-base', 'acme-dashboard'],
        },
        { signingKeyId: way.brandKey, enrolment: { assigned: true } },
      );
      const ofAcme = (more: Record<string, unknown>): string =>
        literal({ brand: acme.brandId, ...more }).slice(1, -1);
      const assertion = model.bytes.toString();
      await world.act(acme.admin, `registerModel(${ofAcme({ assertion })})`);
      const proxy = { store: acme.storeId, input: { url: world.url }, reason: 'own devices' };
      await world.act(acme.admin, `issueStoreAssertion(${ofAcme(proxy)})`);

      const file = snapd.path('desk.model');
      writeFileSync(file, model.bytes);
      await clean(`prepare-image --classic --arch=amd64 ${file} ${snapd.path('machine')}`);
      await snapd.boot();
      for (const name of ['acme-base', 'acme-dashboard', 'snapd'])
        expect(await clean('list')).toMatch(new RegExp(`^${name} .* 1 .* acme`, 'm'));
      // Registration goes where the store assertion says (docs/trust.md, "How the address reaches the device").
      await acknowledge('account', `account-id=${acme.brandId}`);
      await acknowledge('store', `store=${acme.storeId}`);
      await clean(`set system proxy.store=${acme.storeId}`);
      snapd.restart();
      await snapd.eventually('known serial', /^type: serial$/m);
      const [serial] = await known('serial');
      expect(serial?.headers).toMatchObject({
        ...{ 'authority-id': acme.brandId, 'brand-id': acme.brandId, model: 'desk' },
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
        writeFileSync(snapd.path('a.assert'), bytes);
        return snapd.path('a.assert');
      };
      await clean(`ack ${file(Buffer.from(signed))}`);
      const other = Buffer.from(signed);
      const at = other.indexOf('serial: ') + 'serial: '.length;
      other[at] = (other[at] ?? 0) ^ 1;
      const refused = await snapd.snap('ack', file(other));
      expect([refused.status, refused.err]).toEqual([
        1,
        expect.stringContaining('failed signature verification'),
      ]);
    });

    it('D90 known, download, info, find, install, refresh, create-cohort and debug connectivity run clean (real snapd)', async () => {
      const { acme } = way;
      const [account] = await known(
        '--remote',
        '--direct',
        'account',
        `account-id=${acme.brandId}`,
      );
      expect(account && header(account, 'account-id')).toBe(acme.brandId);
      const target = snapd.path();
      expect(await clean(`download acme-dashboard --target-directory=${target}`)).toContain('ack');
      expect(existsSync(join(target, 'acme-dashboard_1.assert'))).toBe(true);
      expect(readFileSync(join(target, 'acme-dashboard_1.snap'))).toEqual(
        readFileSync(join(SNAPS, 'acme-dashboard_1.snap')),
      );
      expect(await clean('info acme-dashboard')).toMatch(/latest\/stable: +1\.0 .*\(1\)/);
      expect(await clean('find dashboard')).toMatch(/^acme-dashboard +1\.0 +acme/m);
      expect(await clean('create-cohort acme-dashboard')).toMatch(/cohort-key: \S+/);
      expect(await clean('debug connectivity')).toContain('PASS');
      expect((await snapd.snap('refresh')).err).toBe('All snaps up to date.\n');

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
        (await tool?.run(['download', 'acme-control-plane'], address))?.err ?? '';
      await expect.poll(anonymous, LIMIT).toContain('snap not found');
      expect(await clean('install acme-control-plane')).toMatch(/1\.0 from acme.* installed/);
    });
  },
);
