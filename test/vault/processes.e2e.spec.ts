import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { appMain, freePort, Processes } from '#stack';
import { inParallel } from '../../tools/clients/in-parallel.js';
import {
  certifiedKey,
  prepareVaultWithoutKeys,
  registerBrand,
  registerModel,
  requestId,
  type PreparedVault,
  type TestModel,
} from './vault-kit.js';

/** Two processes of one vault, on one database. */
let prepared: PreparedVault;
let processes: Processes;
let urls: readonly string[] = [];
const models: TestModel[] = [];
const logDir = mkdtempSync(join(tmpdir(), 'vault-log-'));

beforeAll(async () => {
  prepared = await prepareVaultWithoutKeys();
  processes = new Processes({ logDir });
  const ports = [await freePort(), await freePort()];
  // At once, so that both begin within the same second.
  await Promise.all(
    ports.map((port) =>
      processes.start({
        name: `serial-vault-${port}`,
        script: appMain('serial-vault'),
        env: { ...prepared.env, PORT: String(port) },
        ready: 'message',
      }),
    ),
  );
  urls = ports.map((port) => `http://127.0.0.1:${port}`);
  const vault = { url: urls[0] ?? '', token: prepared.token };
  await registerBrand(vault);
  const signingKeyId = await certifiedKey(vault);
  // A key has a bound of request-ids that are outstanding.
  for (const name of ['acme-left', 'acme-right'])
    models.push(await registerModel(vault, name, { signingKeyId }));
}, 240_000);
afterAll(async () => {
  await processes?.stopAll();
  await prepared?.remove();
  rmSync(logDir, { recursive: true, force: true });
});

it('V5 ten thousand request-ids are all different, and two processes that begin in one second share none', async () => {
  const ofProcess = async (index: number): Promise<Set<string>> => {
    const ids = new Set<string>();
    const vault = { url: urls[index] ?? '' };
    await inParallel(Array.from({ length: 5_000 }), 8, async () => {
      ids.add(await requestId(vault, models[index]?.apiKey ?? ''));
    });
    return ids;
  };
  const [left = new Set(), right = new Set()] = await Promise.all([ofProcess(0), ofProcess(1)]);
  expect([left.size, right.size]).toEqual([5_000, 5_000]);
  expect(new Set([...left, ...right]).size).toBe(10_000);
}, 300_000);
