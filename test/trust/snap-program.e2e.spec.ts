import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { decodeAssertions } from '#libs/assertions';
import { AdminStore, literal, SNAPS } from '../admin/support/admin-store.js';
import { StoreWorld, type Tenant } from '../admin/support/store-world.js';
import { findSnapTool, HOW_TO_INSTALL, type SnapRun } from '../assertions/snap-tool.js';
import { squashfsTools, unsquashfsScript } from './support/squashfs.js';
import { withOurRoot } from './support/with-our-root.js';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });
const KEY_NAME = 'acme-models';
const tool = findSnapTool();
const squashfs = tool && (await squashfsTools());

describe.skipIf(squashfs === undefined)(
  `Debian's snap program against the store (needs: ${HOW_TO_INSTALL} squashfs-tools)`,
  () => {
    let store: AdminStore;
    let world: StoreWorld;
    let acme: Tenant;

    /** As an operator's shell would have it (docs/trust.md, "How the address reaches the device"). */
    const snap = async (...args: string[]): Promise<SnapRun> => {
      const env = { SNAPPY_FORCE_API_URL: world.url, UBUNTU_STORE_ID: acme.storeId };
      return (await tool?.run(args, env)) ?? { status: null, out: '', err: '' };
    };
    const known = (type: string, ...keys: string[]): Promise<SnapRun> =>
      snap('known', '--remote', '--direct', type, ...keys);

    beforeAll(async () => {
      store = await AdminStore.start();
      world = new StoreWorld(store);
      acme = await world.tenant(store.brand, 'acme');
      await world.publish(acme, 'acme-dashboard');
    });
    afterAll(async () => {
      await store?.stop();
      tool?.remove();
    });

    it('`snap known --remote --direct` shows what the store has signed, and that there is nothing', async () => {
      const device = await world.device(acme, 'helper', acme.storeId);
      await world.expectThere(device, 'acme-dashboard');
      const id = await store.snapId('acme-dashboard');
      const declaration = await known('snap-declaration', 'series=16', `snap-id=${id}`);
      expect(declaration).toMatchObject({ status: 0, err: '' });
      const [shown] = decodeAssertions(Buffer.from(declaration.out));
      expect(shown?.headers).toMatchObject({ 'snap-name': 'acme-dashboard' });
      const account = await known('account', `account-id=${acme.brandId}`);
      expect(account.out).toContain(`account-id: ${acme.brandId}`);
      const key = await known('account-key', `public-key-sha3-384=${acme.signer.publicKey.id}`);
      expect(key.out).toContain('name: models');
      const none = await known('snap-declaration', 'series=16', `snap-id=${'n'.repeat(32)}`);
      expect([none.status, none.out]).toEqual([1, '']);
      expect(none.err).toMatch(/^error: snap-declaration \(n{32}; series:16\) not found\n$/);
    });

    it('`snap download` gets snap and chain, and refuses our root as a stock client must', async () => {
      const run = await snap('download', 'acme-dashboard');
      // device-api.md 0.2: the chain is complete, and does not end at an account that it trusts.
      const root = store.installation.store.operatorAccountId;
      const refusal =
        'cannot fetch snap signatures/assertions: circular assertions are not expected';
      expect([run.status, run.err]).toEqual([
        1,
        expect.stringContaining(`error: ${refusal}: account (${root})`),
      ]);
      const file = join(tool?.folder ?? '', 'acme-dashboard_1.snap');
      expect(existsSync(file)).toBe(true);
      expect(readFileSync(file).equals(readFileSync(join(SNAPS, 'acme-dashboard_1.snap')))).toBe(
        true,
      );
      const none = await snap('download', 'no-such-snap');
      expect(none.err).toContain('error: cannot download snap "no-such-snap": snap not found');
    });

    it('`snap download` of a program that trusts our root takes snap and chain, and believes them', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'own-root-'));
      try {
        const program = join(folder, 'snap');
        const root = decodeAssertions(readFileSync(store.installation.store.rootAssertions));
        withOurRoot(tool?.program ?? '', root, program);
        // It looks into what it believes.
        if (squashfs)
          writeFileSync(join(folder, 'unsquashfs'), unsquashfsScript(squashfs), { mode: 0o755 });
        const env = {
          SNAPPY_FORCE_API_URL: world.url,
          UBUNTU_STORE_ID: acme.storeId,
          PATH: `${folder}:${process.env['PATH'] ?? ''}`,
        };
        const args = ['download', 'acme-dashboard', `--target-directory=${folder}`];
        const run = await tool?.of(program).run(args, env);
        expect([run?.status, run?.err]).toEqual([0, expect.not.stringContaining('error')]);
        expect(run?.out).toContain('snap ack ');
        const chain = decodeAssertions(readFileSync(join(folder, 'acme-dashboard_1.assert')));
        expect(new Set(chain.map(({ type }) => type))).toEqual(
          new Set(['account-key', 'account', 'snap-declaration', 'snap-revision']),
        );
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    });

    it('`snap sign` makes a model that the store takes and gives back', async () => {
      tool?.createKey(KEY_NAME);
      const exported = await snap('export-key', `--account=${acme.brandId}`, KEY_NAME);
      const certify = { brand: acme.brandId, input: { request: exported.out } };
      await world.act(acme.admin, `certifyAccountKey(${literal(certify).slice(1, -1)})`);
      const headers = {
        ...{ type: 'model', series: '16', 'authority-id': acme.brandId, 'brand-id': acme.brandId },
        ...{
          model: 'signed-by-snap',
          architecture: 'amd64',
          gadget: 'pc=18',
          kernel: 'pc-kernel=18',
        },
        ...{ base: 'core18', store: acme.storeId, timestamp: new Date().toISOString() },
      };
      const draft = tool?.file('model.json', JSON.stringify(headers)) ?? '';
      const signed = await snap('sign', '-k', KEY_NAME, draft);
      expect(signed).toMatchObject({ status: 0, err: '' });
      const register = { brand: acme.brandId, assertion: signed.out };
      await world.act(acme.admin, `registerModel(${literal(register).slice(1, -1)})`);
      const back = await known(
        'model',
        'series=16',
        `brand-id=${acme.brandId}`,
        'model=signed-by-snap',
      );
      expect(back.out.trimEnd()).toBe(signed.out.trimEnd());
    });
  },
);
