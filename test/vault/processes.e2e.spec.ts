import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { appMain, freePort, Processes } from '#stack';
import { inParallel } from '../../tools/clients/in-parallel.js';
import {
  certifiedKey,
  freshKey,
  prepareVault,
  register,
  registerBrand,
  registerModel,
  requestId,
  type PreparedVault,
  type TestModel,
} from './vault-kit.js';
import { signersOf } from './support/signers-of.js';

/** Two processes of one vault, on one database, whose master key is a secret of their environment. */
let prepared: PreparedVault;
let processes: Processes;
let urls: readonly string[] = [];
let pids: readonly number[] = [];
const models: TestModel[] = [];
const logDir = mkdtempSync(join(tmpdir(), 'vault-log-'));

const secretOf = (): string => readFileSync(prepared.env.MASTER_KEY_FILE ?? '', 'utf8');
const masterKey = (): Record<string, string> => ({ MASTER_KEY_FILE: '', MASTER_KEY: secretOf() });

beforeAll(async () => {
  prepared = await prepareVault();
  processes = new Processes({ logDir });
  const ports = [await freePort(), await freePort()];
  // At once, so that both begin within the same second.
  const started = await Promise.all(
    ports.map((port) =>
      processes.start({
        name: `serial-vault-${port}`,
        script: appMain('serial-vault'),
        env: { ...prepared.env, ...masterKey(), LOG_LEVEL: 'info', PORT: String(port) },
        ready: 'message',
      }),
    ),
  );
  pids = started.map(({ pid }) => pid);
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

it('a master key from the environment signs; no child gets it there, no log and no table shows it', async () => {
  const [url = ''] = urls;
  const [model] = models;
  if (model === undefined) throw new Error('cannot go on without model');
  expect((await register({ url }, model, freshKey(), 'ENV-1')).status).toBe(200);
  const secret = secretOf();
  const signers = pids.flatMap(signersOf);
  expect(signers).toHaveLength(2);
  for (const pid of signers)
    for (const what of ['environ', 'cmdline'])
      expect(readFileSync(`/proc/${pid}/${what}`, 'utf8')).not.toContain(secret);
  const logs = readdirSync(logDir).map((name) => readFileSync(join(logDir, name), 'utf8'));
  expect(logs.join('')).toContain('"msg":"ready"');
  expect(logs.join('')).not.toContain(secret);
  const [dump] = await prepared.sql<{ keys: string }>(
    'SELECT string_agg(sealed, $1) AS keys FROM vault.signing_keys',
    [' '],
  );
  expect(dump?.keys).not.toContain(secret);
});

it('says all that is wrong with the master key and the rest of the environment, and shows no value', async () => {
  const { err, status } = await startAlone({
    ...prepared.env,
    MASTER_KEY: 'short-secret',
    DATABASE_URL: 'mysql://none',
  });
  expect(status).toBe(1);
  expect(err).toContain('MASTER_KEY: must not be set beside MASTER_KEY_FILE');
  expect(err).toContain('MASTER_KEY: must have 32 characters or more');
  expect(err).toContain('DATABASE_URL: must be');
  expect(err).not.toMatch(/short-secret|mysql/);
}, 60_000);

/** A process that is expected not to start. */
function startAlone(
  env: Readonly<Record<string, string>>,
): Promise<{ err: string; status: number }> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [appMain('serial-vault')],
      { env },
      (_error, _out, err) => resolve({ err, status: child.exitCode ?? -1 }),
    );
  });
}
