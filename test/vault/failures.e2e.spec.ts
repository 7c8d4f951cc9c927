import { rename } from 'node:fs/promises';
import { connect } from 'node:net';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { header } from '#libs/assertions';
import { shiftClock } from '#libs/database';
import { ask } from '../../tools/clients/http.js';
import {
  certifiedKey,
  codeOf,
  freshKey,
  inStream,
  register,
  registerModel,
  requestId,
  postSerial,
  serialIn,
  serialRequest,
  type RunningVault,
  type TestModel,
} from './vault-kit.js';
import { startVaultWithModel } from './support/start.js';
import { signersOf } from './support/signers-of.js';

let vault: RunningVault;
let keyId = '';
let model: TestModel;
beforeAll(async () => {
  ({ vault, keyId, model } = await startVaultWithModel('acme-failing', { SIGN_MS: '1500' }));
});
afterAll(() => vault?.stop());

/** Signer processes that this test's vault started. */
const signers = (): number[] => signersOf(process.pid);

const calls = async (): Promise<readonly (readonly [number, string | null])[]> => {
  const first = await ask(`${vault.url}/v1/request-id`, {
    method: 'POST',
    headers: { 'api-key': model.apiKey },
  });
  const second = await postSerial(vault, model.apiKey, 'x');
  return [first, second].map(
    ({ status, headers }) => [status, headers.get('content-type')] as const,
  );
};
const UNAVAILABLE = [503, 'application/json'];

async function until(condition: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 30_000;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error('cannot wait longer');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Ends every connection to the vault's database and lets none in, until the result is called. */
async function cutDatabase(): Promise<() => Promise<void>> {
  const database = new URL(vault.urls.owner).pathname.slice(1);
  const admin = new Client({ connectionString: vault.adminUrl });
  await admin.connect();
  await admin.query(`ALTER DATABASE "${database}" WITH ALLOW_CONNECTIONS false`);
  await admin.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [
    database,
  ]);
  return async () => {
    await admin.query(`ALTER DATABASE "${database}" WITH ALLOW_CONNECTIONS true`);
    await admin.end();
    await until(isWell);
  };
}

/** Kills the signer and takes its master key away, so that no other one starts, until the result is called. */
async function cutSigner(): Promise<() => Promise<void>> {
  const masterKey = vault.env.MASTER_KEY_FILE ?? '';
  await rename(masterKey, `${masterKey}.away`);
  const [signer = 0] = signers();
  process.kill(signer, 'SIGKILL');
  await until(async () => !(await isWell()));
  return async () => {
    await rename(`${masterKey}.away`, masterKey);
    await until(isWell);
  };
}

const isWell = async (): Promise<boolean> =>
  (await ask(`${vault.url}/_status/check`)).status === 200;

it('V27 a database that is down, a signer that is down or hangs, and an error that nobody foresaw are 503, never 500', async () => {
  const mendDatabase = await cutDatabase();
  for (let index = 0; index < 3; index++) expect(await calls()).toEqual([UNAVAILABLE, UNAVAILABLE]);
  await mendDatabase();
  expect((await register(vault, model, freshKey(), 'F-1')).status).toBe(200);

  const device = freshKey();
  const signingFails = async (): Promise<void> => {
    const refused = await register(vault, model, device, 'F-2');
    const seen = [refused.status, refused.headers.get('content-type'), codeOf(refused)];
    expect(seen).toEqual([...UNAVAILABLE, 'signing-failed']);
  };
  const mendSigner = await cutSigner();
  await signingFails();
  await mendSigner();
  const [signer = 0] = signers();
  process.kill(signer, 'SIGSTOP');
  await signingFails();
  process.kill(signer, 'SIGCONT');
  expect((await register(vault, model, device, 'F-2')).status).toBe(200);

  await vault.sql('ALTER TABLE vault.nonces RENAME TO hidden');
  expect((await calls())[0]).toEqual(UNAVAILABLE);
  const request = await serialRequest(model.assertion, 'any', freshKey(), 'F-3');
  const whole = await postSerial(vault, model.apiKey, inStream(request, model.assertion));
  expect([whole.status, codeOf(whole)]).toEqual([503, 'store-unavailable']);
  expect(whole.text).not.toMatch(/nonces|relation|vault\./);
  await vault.sql('ALTER TABLE vault.hidden RENAME TO nonces');
});

it('V91 the status check turns 503 when the database or the signer is cut, and back', async () => {
  const state = async (): Promise<unknown> => {
    const answer = await ask(`${vault.url}/_status/check`);
    return [answer.status, answer.headers.get('cache-control'), answer.json()];
  };
  expect(await state()).toEqual([200, 'no-store', { database: 'OK', signer: 'OK' }]);
  const mendDatabase = await cutDatabase();
  expect(await state()).toEqual([503, 'no-store', { database: 'unavailable', signer: 'OK' }]);
  expect((await ask(`${vault.url}/v1/health`)).status).toBe(503);
  await mendDatabase();
  const mendSigner = await cutSigner();
  expect(await state()).toEqual([503, 'no-store', { database: 'OK', signer: 'unavailable' }]);
  await mendSigner();
  const [signer = 0] = signers();
  process.kill(signer, 'SIGSTOP');
  expect(await state()).toEqual([503, 'no-store', { database: 'OK', signer: 'unavailable' }]);
  process.kill(signer, 'SIGCONT');
  await until(isWell);
  expect(await state()).toEqual([200, 'no-store', { database: 'OK', signer: 'OK' }]);
});

it('V90 metrics are on the port for operators only, and carry no serial and no key', async () => {
  const device = freshKey();
  expect((await register(vault, model, device, 'F-METRIC')).status).toBe(200);
  for (const path of ['/metrics', '/_status/metrics', '/v1/metrics'])
    expect((await ask(vault.url + path)).status, path).toBe(404);
  const { text } = await ask(`${vault.opsUrl()}/metrics`);
  expect(text).toMatch(/brandstore_vault_registrations_total\{outcome="signed",code=""/);
  for (const secret of ['F-METRIC', device.publicKey.id, keyId, model.apiKey, model.apiKeyId])
    expect(text).not.toContain(secret);
});

it('V23 the timestamp is UTC and within the account-key; with a clock outside of it the answer is 503, with an alarm', async () => {
  const day = 86_400_000;
  const inDays = (days: number): string =>
    new Date(Date.now() + days * day).toISOString().replace(/\.\d+Z$/, 'Z');
  const [begin, end] = [inDays(1), inDays(3)];
  const short = await registerModel(vault, 'acme-short', {
    signingKeyId: await certifiedKey(vault, 'short-lived', { since: begin, until: end }),
  });
  const device = freshKey();
  const told = async (): Promise<number> => {
    const { text } = await ask(`${vault.opsUrl()}/metrics`);
    const line = /^brandstore_alarms_total\{alarm="signing-key-unavailable".*\} (\d+)$/m;
    return Number(line.exec(text)?.[1] ?? 0);
  };
  let asked = 0;
  const status = async (): Promise<number> =>
    (await register(vault, short, freshKey(), `F-5-${asked++}`)).status;
  // The process measures its distance to the database's clock every two seconds.
  const shiftUntil = async (days: number, expected: number): Promise<void> => {
    await shiftClock(vault.urls.owner, days * day);
    await until(async () => (await status()) === expected);
  };
  // The key is not valid yet, and not any more.
  for (const days of [0, 4]) {
    await shiftUntil(days, 503);
    const before = await told();
    const refused = await register(vault, short, device, 'F-5');
    expect([refused.status, codeOf(refused)]).toEqual([503, 'signing-key-unavailable']);
    expect(await told()).toBeGreaterThan(before);
  }
  await shiftUntil(2, 200);
  const answer = await register(vault, short, device, 'F-5');
  expect(answer.status).toBe(200);
  const timestamp = header(serialIn(answer.text), 'timestamp');
  expect(timestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  expect(Math.abs(Date.parse(timestamp) - Date.now() - 2 * day)).toBeLessThan(60_000);
  expect(begin < timestamp && timestamp < end).toBe(true);
  await shiftClock(vault.urls.owner, 0);
});

it('V28 a client that hangs up: log and serial agree, and a retry gives the same serial', async () => {
  const device = freshKey();
  const request = await serialRequest(
    model.assertion,
    await requestId(vault, model.apiKey),
    device,
    'F-6',
  );
  const body = inStream(request, model.assertion);
  const socket = connect(Number(new URL(vault.url).port), '127.0.0.1');
  socket.end(
    `POST /v1/serial HTTP/1.1\r\nhost: x\r\nconnection: close\r\napi-key: ${model.apiKey}\r\ncontent-type: application/x.ubuntu.assertion\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    () => socket.destroy(),
  );
  const rows = (): Promise<{ bytes: Buffer; text: string }[]> =>
    vault.sql(
      `SELECT d.bytes, l.serial_text AS text FROM vault.devices d
       JOIN vault.signing_log l USING (brand_id, model, serial) WHERE d.serial = 'F-6' AND l.outcome = 'signed'`,
    );
  await until(async () => (await rows()).length > 0);
  const [row] = await rows();
  expect(row?.bytes.toString()).toBe(row?.text);
  expect(serialIn((await register(vault, model, device, 'F-6')).text).bytes).toEqual(row?.bytes);
});
