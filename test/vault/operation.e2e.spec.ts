import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { dropDatabase } from '#libs/database';
import { startApp } from '#libs/runtime';
import { vaultPlan } from '../../apps/serial-vault/src/plan.js';
import { ROUTES } from '../../apps/serial-vault/src/http/routes.js';
import { ask, type Answer } from '../../tools/clients/http.js';
import { inParallel } from '../../tools/clients/in-parallel.js';
import { manyKeys } from './many-keys.js';
import {
  BRAND,
  codeOf,
  freshKey,
  inStream,
  mutate,
  postSerial,
  query,
  register,
  registerModel,
  requestId,
  runSql,
  serialIn,
  serialRequest,
  type RunningVault,
  type TestModel,
} from './vault-kit.js';
import { startVaultWithModel } from './support/start.js';

let vault: RunningVault;
let keyId = '';
let model: TestModel;
beforeAll(async () => {
  ({ vault, keyId, model } = await startVaultWithModel('acme-operated'));
});
afterAll(() => vault?.stop());

const wouldSign = async (serial: string): Promise<string> => {
  const { wouldSign: run } = await query<{
    wouldSign: { outcome: string; verdicts: { passed: boolean; message: string }[] };
  }>(
    vault,
    vault.token,
    `{ wouldSign(brand: "${BRAND}", model: "acme-order", serial: "${serial}") { outcome verdicts { passed message } } }`,
  );
  return run.verdicts.find(({ passed }) => !passed)?.message ?? run.outcome;
};

it('S25 an order of 500 serials: 500 are registered, the 501st is refused, and a dry run says so before', async () => {
  const ordered = await registerModel(vault, 'acme-order', {
    signingKeyId: keyId,
    enrolment: { list: true },
  });
  const serials = Array.from({ length: 500 }, (_, index) => `ORDER-${index + 1}`);
  expect(await wouldSign('ORDER-1')).toContain('no production order');
  const imported = await ask(
    `${vault.url}/admin/v1/brands/${BRAND}/models/acme-order/serials?order=PO-500`,
    {
      method: 'POST',
      headers: { 'content-type': 'text/csv', authorization: `Bearer ${vault.token}` },
      body: ['serial', ...serials, ''].join('\n'),
    },
  );
  expect([imported.status, imported.json()]).toEqual([200, { given: 500, added: 500 }]);
  expect([await wouldSign('ORDER-1'), await wouldSign('ORDER-500')]).toEqual(['signed', 'signed']);
  expect(await wouldSign('ORDER-501')).toContain('no production order');
  const keys = manyKeys(501);
  const statuses = new Set<number>();
  await inParallel([...serials.entries()], 6, async ([index, serial]) => {
    const key = keys[index];
    if (key === undefined) throw new Error('cannot go on without a key');
    statuses.add((await register(vault, ordered, key, serial)).status);
  });
  expect(statuses).toEqual(new Set([200]));
  const refused = await register(vault, ordered, keys[500] ?? freshKey(), 'ORDER-501');
  expect([refused.status, codeOf(refused)]).toEqual([403, 'serial-not-expected']);
  const { orders } = await query<{ orders: unknown }>(
    vault,
    vault.token,
    `{ orders(brand: "${BRAND}") { name listed registered } }`,
  );
  expect(orders).toEqual([{ name: 'PO-500', listed: 500, registered: 500 }]);
}, 300_000);

it('an order is compared with what was built and what was registered', async () => {
  await registerModel(vault, 'acme-compared', { signingKeyId: keyId });
  const list = `listSerials(brand: "${BRAND}", model: "acme-compared", serials: ["A-1", "A-2", "A-3"], order: "PO-3")`;
  await mutate(vault, vault.token, list, 'ListedSerials', 'added');
  expect((await register(vault, model, freshKey(), 'A-1')).status).toBe(200);
  const answer = await ask(
    `${vault.url}/admin/v1/brands/${BRAND}/models/acme-compared/reconciliation?order=PO-3`,
    {
      method: 'POST',
      headers: { 'content-type': 'text/csv', authorization: `Bearer ${vault.token}` },
      body: 'serial\nA-1\nA-2\n=cmd\n',
    },
  );
  // A-1 of another model is another device.
  expect(answer.text.split('\r\n').slice(1, -1)).toEqual([
    `'=cmd,,,,not on the order`,
    'A-1,PO-3,,,not registered',
    'A-2,PO-3,,,not registered',
    'A-3,PO-3,,,not built',
  ]);
});

it('V95 after a restore request-ids are void, all else is as it was, and the chain is whole', async () => {
  const device = freshKey();
  const before = await register(vault, model, device, 'KEPT-1');
  const held = await requestId(vault, model.apiKey);
  const original = new URL(vault.urls.owner).pathname.slice(1);
  const copy = `restored_${randomBytes(6).toString('hex')}`;
  const admin = new Client({ connectionString: vault.adminUrl });
  await admin.connect();
  /** Every table but those of request-ids and what is under way, and where the vault stands. */
  const content = async (url: string): Promise<unknown[]> => {
    const tables = await runSql<{ name: string }>(
      url,
      `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'vault'
         AND table_name NOT IN ('nonces', 'reservations', 'home') ORDER BY 1`,
    );
    const digests = tables.map(
      ({ name }) =>
        `SELECT '${name}' AS name, md5(string_agg(t::text, '' ORDER BY t::text)) AS rows FROM vault.${name} AS t`,
    );
    return runSql(url, `${digests.join(' UNION ALL ')} ORDER BY name`);
  };
  const then = await content(vault.urls.owner);
  // A template may have no connections.
  await vault.stopProcess();
  await admin.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [
    original,
  ]);
  await admin.query(`CREATE DATABASE "${copy}" TEMPLATE "${original}"`);
  await admin.end();
  const at = (url: string): string => Object.assign(new URL(url), { pathname: `/${copy}` }).href;
  const env = { ...vault.env, DATABASE_URL: at(vault.env.DATABASE_URL ?? '') };
  const app = await startApp(vaultPlan, env);
  try {
    const restored = { url: app.addresses.http ?? '', token: vault.token };
    expect(await content(at(vault.urls.owner))).toEqual(then);
    const request = await serialRequest(model.assertion, held, freshKey(), 'KEPT-2');
    const voided = await postSerial(restored, model.apiKey, inStream(request, model.assertion));
    expect([voided.status, codeOf(voided)]).toEqual([400, 'invalid-nonce']);
    const again = await register(restored, model, device, 'KEPT-1');
    expect(serialIn(again.text).bytes).toEqual(serialIn(before.text).bytes);
    expect((await register(restored, model, freshKey(), 'KEPT-3')).status).toBe(200);
    expect(
      await query(
        restored,
        vault.token,
        `{ verifyLogs(brand: "${BRAND}") { signingLog auditLog } }`,
      ),
    ).toEqual({ verifyLogs: { signingLog: null, auditLog: null } });
    const { text } = await ask(`${app.addresses.ops ?? ''}/metrics`);
    expect(text).toMatch(/brandstore_alarms_total\{alarm="restored".*\} 1/);
  } finally {
    await app.stop();
    await dropDatabase(vault.adminUrl, copy);
    await vault.restart();
  }
  // Where nothing was restored, they stay good over a restart.
  const request = await serialRequest(model.assertion, held, freshKey(), 'KEPT-4');
  expect((await postSerial(vault, model.apiKey, inStream(request, model.assertion))).status).toBe(
    200,
  );
});

interface Document {
  readonly paths: Readonly<
    Record<
      string,
      Record<
        string,
        {
          readonly security?: readonly Record<string, unknown>[];
          readonly parameters: readonly { readonly name: string; readonly in: string }[];
          readonly requestBody?: { readonly content: Record<string, unknown> };
          readonly responses: Record<string, { readonly content?: Record<string, unknown> }>;
        }
      >
    >
  >;
}

it('V98 the OpenAPI document lists what is served, and every answer is one that it names', async () => {
  const document = (await ask(`${vault.url}/openapi.json`)).json<Document>();
  const described = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const served = Object.keys(ROUTES)
    .filter((route) => route !== 'ALL *')
    .map((route) => route.replace(/:(\w+)/g, '{$1}'));
  const ofDevices = ['/v1/request-id', '/v1/serial'];
  const aliases = ['/api/v1/snaps/auth/request-id', '/api/v1/snaps/auth/devices'];
  const all = [...served, ...[...ofDevices, ...aliases].map((path) => `POST ${path}`)];
  expect(described.sort()).toEqual(all.sort());
  const seen = new Set<string>();
  const check = async (method: string, path: string, init: RequestInit): Promise<number> => {
    const operation = document.paths[path]?.[method.toLowerCase()];
    const url = path.replace('{brand}', BRAND).replace('{model}', 'acme-operated');
    const answer: Answer = await ask(vault.url + url, { method, ...init });
    const place = `${method} ${path}: ${answer.status}`;
    const type = answer.headers.get('content-type') ?? '';
    const named = operation?.responses[String(answer.status)];
    expect(named, place).toBeDefined();
    const types = Object.keys(named?.content ?? {}).map((one) => one.split(';')[0]);
    expect(types, place).toContain(type.split(';')[0]);
    seen.add(`${method} ${path} ${answer.status}`);
    return answer.status;
  };
  const bearer = { authorization: `Bearer ${vault.token}` };
  for (const [path, methods] of Object.entries(document.paths))
    for (const [name, { requestBody, security }] of Object.entries(methods)) {
      const method = name.toUpperCase();
      const type = Object.keys(requestBody?.content ?? {})[0];
      const body = method === 'POST' ? { body: type === 'text/csv' ? 'serial\n' : '{}' } : {};
      const kind = type === undefined ? {} : { 'content-type': type };
      // Who needs what is told, and what it takes.
      const scheme = Object.keys(security?.[0] ?? {})[0];
      const status = await check(method, path, { ...body, headers: kind });
      if (status === 401) expect(scheme, path).toBe(path.startsWith('/admin') ? 'token' : 'gadget');
      const headers = { ...kind, ...bearer, 'api-key': model.apiKey };
      expect(await check(method, path, { ...body, headers }), path).not.toBe(415);
      if (method === 'POST')
        await check(method, path, { body: 'x', headers: { ...bearer, ...kind } });
    }
  // What each call reads besides: filters and bodies.
  const reads = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.values(methods).flatMap(({ parameters, requestBody }) => {
      const queries = parameters.filter((one) => one.in === 'query').map((one) => one.name);
      const all = [...queries, ...Object.keys(requestBody?.content ?? {})];
      return all.map((one) => `${path.split('/').at(-1)} ${one}`);
    }),
  );
  const filters = ['model', 'serial', 'deviceKeyId', 'signKeyId', 'apiKeyId', 'address', 'outcome'];
  expect(reads.sort()).toEqual(
    [
      ...['format', ...filters, 'code', 'from', 'until'].map((name) => `export ${name}`),
      ...['serials order', 'serials text/csv', 'reconciliation order', 'reconciliation text/csv'],
      ...['former-vault apply', 'former-vault application/sql', 'graphql application/json'],
      ...['serial', 'devices'].map((call) => `${call} application/x.ubuntu.assertion`),
    ].sort(),
  );
  const id = await requestId(vault, model.apiKey);
  const request = await serialRequest(model.assertion, id, freshKey(), 'OPEN-1');
  await check('POST', '/v1/serial', {
    headers: { 'api-key': model.apiKey, 'content-type': 'application/x.ubuntu.assertion' },
    body: inStream(request, model.assertion),
  });
  expect(seen).toContain('POST /v1/serial 200');
  expect(seen).toContain('POST /v1/serial 400');
  expect(seen).toContain('GET /admin/v1/brands/{brand}/serial-log/export 401');
});

it('V99 the decoder takes mutated assertions for as long as there is time without a crash or a hang', async () => {
  // Ten seconds here, ten minutes with `npm run fuzz -- assertions`; an input that takes over 100 ms is a finding.
  const run = promisify(execFile)(
    process.execPath,
    [
      'tools/bootstrap.mjs',
      'fuzz',
      'assertions',
      '--seconds',
      '10',
      '--seed',
      String(Date.now() % 100_000),
    ],
    { cwd: new URL('../..', import.meta.url), timeout: 200_000 },
  );
  const { stdout } = await run;
  expect(stdout).toMatch(/\n0 findings/);
  expect(Number(/^([\d,]+) executions/m.exec(stdout)?.[1]?.replaceAll(',', ''))).toBeGreaterThan(
    1_000,
  );
}, 240_000);
