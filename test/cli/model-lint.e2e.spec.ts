import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { AdminStore, type Result } from '../admin/support/admin-store.js';
import { findSnapTool, HOW_TO_INSTALL } from '../assertions/snap-tool.js';
import { CliUser, type CliRun } from './support/run-cli.js';

const KEY_NAME = 'acme-models';
const SNAPS = ['acme-gadget', 'acme-kernel', 'acme-base', 'acme-dashboard'];

const tool = findSnapTool();

describe.skipIf(tool === undefined)(`models (needs: ${HOW_TO_INSTALL})`, () => {
  let store: AdminStore;
  const author = new CliUser();
  let storeId = '';

  const sample = (name: string): string =>
    readFileSync(join(import.meta.dirname, `../models/${name}.json`), 'utf8')
      .replaceAll('ACCOUNT', store.brand)
      .replaceAll('STORE', storeId);
  /** As if written now: a model cannot be older than its key. */
  const current = (name: string): string =>
    sample(name).replace('2026-01-31T08:00:00Z', `${new Date().toISOString().slice(0, 19)}Z`);
  const lint = (name: string, text: string): Promise<CliRun> => {
    const path = join(inject('stackDir'), name);
    writeFileSync(path, text);
    return author.run(['model', 'lint', '--store', path]);
  };
  const act = (call: string, selection: string): Promise<Result> =>
    store.planner.act(call, selection);

  beforeAll(async () => {
    store = await AdminStore.start();
    for (const name of SNAPS) await store.publish(name, 1);
    const { brand } = await store.planner.ask<{ brand: { stores: { id: string }[] } }>(
      `brand(brand: "${store.brand}") { stores { id } }`,
    );
    storeId = brand.stores[0]?.id ?? '';
    const { storeUrl } = store.installation;
    const login = ['login', '--url', storeUrl, '--email', store.planner.email, '--password-stdin'];
    expect((await author.run(login, store.planner.password)).status).toBe(0);
    tool?.createKey(KEY_NAME);
    const request = tool?.snap(['export-key', `--account=${store.brand}`, KEY_NAME]).toString();
    const input = `{request: ${JSON.stringify(request)}}`;
    expect(
      await act(
        `certifyAccountKey(brand: "${store.brand}", input: ${input})`,
        '... on AccountKey { keyId }',
      ),
    ).toMatchObject({ __typename: 'AccountKey' });
  });
  afterAll(async () => {
    tool?.remove();
    await store.stop();
  });

  it.each(['simple', 'advanced'])(
    'S11 the %s sample is fine as a draft, signed (real snap sign) and in the registry',
    async (name) => {
      const draft = await lint(`${name}.json`, sample(name));
      expect(draft).toMatchObject({ status: 0, err: '' });
      expect(draft.out).toMatch(/note: no "serial-authority"/);
      const path = tool?.file(`${name}.json`, current(name)) ?? '';
      const signed = tool?.snap(['sign', '-k', KEY_NAME, path]).toString() ?? '';
      expect(await lint(`${name}.model`, signed)).toMatchObject({ status: 0, err: '' });
      expect(
        await act(
          `registerModel(brand: "${store.brand}", assertion: ${JSON.stringify(signed)})`,
          '... on Model { model }',
        ),
      ).toMatchObject({ __typename: 'Model' });
    },
  );

  it.each<[string, (text: string) => string, RegExp]>([
    [
      'a missing comma',
      (text) => text.replace('"amd64",', '"amd64"'),
      /:8:\d+: error: a comma is missing here; put a comma/,
    ],
    [
      'a wrong authority',
      (text) => text.replace(/"authority-id": "\w+"/, `"authority-id": "${'B'.repeat(32)}"`),
      /:4:\d+: error: authority-id and brand-id differ; .*write "authority-id"/,
    ],
    [
      'a future timestamp',
      (text) => text.replace('2026-01-31', '2099-01-31'),
      /:14:\d+: error: .*in the future.*; write the time of signing/,
    ],
    [
      'an unknown gadget',
      (text) => text.replace('"acme-gadget"', '"acme-gadgte"'),
      /:10:\d+: error: snap "acme-gadgte" does not exist.*; correct the name/,
    ],
    [
      'an unknown snap',
      (text) => text.replace('"acme-dashboard"', '"acme-dashbord"'),
      /:13:\d+: error: snap "acme-dashbord" does not exist.*; correct the name/,
    ],
  ])('S11 refuses %s with the line and the remedy', async (name, change, words) => {
    const file = `bad-${name.replaceAll(' ', '-')}.json`;
    const refused = await lint(file, change(sample('advanced')));
    expect(refused).toMatchObject({ status: 1, err: expect.stringContaining(file) as string });
    expect(refused.out).toMatch(words);
  });

  it('S11 a model signed by a key that was retired is refused by the lint as by the registry', async () => {
    const path =
      tool?.file('late.json', current('advanced').replace('acme-device-1', 'acme-late')) ?? '';
    const signed = tool?.snap(['sign', '-k', KEY_NAME, path]).toString() ?? '';
    const keyId = /^sign-key-sha3-384: (.*)$/m.exec(signed)?.[1] ?? '';
    await act(
      `retireAccountKey(brand: "${store.brand}", keyId: "${keyId}", reason: "moved")`,
      '... on AccountKey { keyId }',
    );
    const refused = await lint('late.model', signed);
    expect(refused.status).toBe(1);
    expect(refused.out).toMatch(/not registered, or retired, or ended; register the key/);
    expect(
      await act(
        `registerModel(brand: "${store.brand}", assertion: ${JSON.stringify(signed)})`,
        '... on Model { model }',
      ),
    ).toMatchObject({ __typename: 'Invalid' });
  });
});
