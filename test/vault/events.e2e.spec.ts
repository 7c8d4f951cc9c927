import { createVerify, randomUUID, sign } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { accountKeyOf, decodeAssertion, localSigner, type Signer } from '#libs/assertions';
import {
  BRAND,
  brandSigner,
  certifiedKey,
  freshKey,
  modelAssertion,
  mutate,
  register,
  registerBrand,
  registerModel,
  startVault,
  vectorKey,
  type RunningVault,
  type TestModel,
} from './vault-kit.js';

interface Received {
  readonly path: string;
  readonly key: string;
  readonly signature: Buffer;
  readonly body: Buffer;
}

let vault: RunningVault;
let model: TestModel;
let keyId = '';
let store: Server;
const received: Received[] = [];
/** What a store says of its models. */
let tellModels: ((question: string) => { headers: Record<string, string>; body: string }) | null =
  null;
/** What the receiver answers, in turn; then 204. */
const answers: number[] = [];

beforeAll(async () => {
  store = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      // The vault asks for models, too; here there are mostly none to be had.
      if (request.url === '/api/v1/vault/models') {
        const said = tellModels?.(Buffer.concat(chunks).toString());
        return void response.writeHead(said ? 200 : 404, said?.headers).end(said?.body);
      }
      received.push({
        path: `${request.method} ${request.url}`,
        key: String(request.headers['vault-key']),
        signature: Buffer.from(String(request.headers['vault-signature']), 'base64'),
        body: Buffer.concat(chunks),
      });
      response.writeHead(answers.shift() ?? 204).end();
    });
  });
  await new Promise<void>((resolve) => store.listen(0, '127.0.0.1', resolve));
  const { port } = store.address() as { port: number };
  vault = await startVault({ STORE_URL: `http://127.0.0.1:${port}` });
  await registerBrand(vault);
  keyId = await certifiedKey(vault);
  model = await registerModel(vault, 'acme-events', { signingKeyId: keyId, duplicates: 'allow' });
});
afterAll(async () => {
  await vault?.stop();
  store.close();
});

async function events(count: number): Promise<readonly Received[]> {
  const end = Date.now() + 20_000;
  while (received.length < count) {
    if (Date.now() > end) throw new Error(`cannot see ${count} events, only ${received.length}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return received;
}

const revoke = (serial: string): Promise<unknown> =>
  mutate(
    vault,
    vault.token,
    `revokeDevice(brand: "${BRAND}", model: "acme-events", serial: "${serial}", reason: "stolen from a lorry")`,
    'Device',
    'revokedAt',
  );

it("a revocation reaches the store within a second, signed with the brand's serial key", async () => {
  await register(vault, model, freshKey(), 'E-1');
  const start = Date.now();
  await revoke('E-1');
  const [event] = await events(1);
  expect(Date.now() - start).toBeLessThan(3_000);
  expect(event?.path).toBe('POST /api/v1/vault/events');
  expect(JSON.parse(event?.body.toString() ?? '')).toEqual({
    id: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
    kind: 'revoked',
    'brand-id': BRAND,
    model: 'acme-events',
    serial: 'E-1',
    'device-key-sha3-384': null,
    at: expect.stringMatching(/Z$/) as string,
    reason: 'stolen from a lorry',
  });
  expect(event?.key).toBe(keyId);
  const [row] = await vault.sql<{ bytes: Buffer }>(
    'SELECT bytes FROM vault.assertions WHERE primary_key = $1',
    [keyId],
  );
  const { publicKey } = accountKeyOf(decodeAssertion(row?.bytes ?? Buffer.alloc(0)));
  const verify = (body: Buffer): boolean =>
    createVerify('sha512')
      .update(body)
      .verify(publicKey.key, event?.signature ?? Buffer.alloc(0));
  expect(verify(event?.body ?? Buffer.alloc(0))).toBe(true);
  expect(verify(Buffer.concat([event?.body ?? Buffer.alloc(0), Buffer.from(' ')]))).toBe(false);
  // Revoking again is no second event.
  await revoke('E-1');
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(received).toHaveLength(1);
});

it('what the store refuses or misses is sent again until it says 204', async () => {
  received.length = 0;
  answers.push(503, 401, 200);
  await register(vault, model, freshKey(), 'E-2');
  await revoke('E-2');
  const sent = await events(4);
  const ids = sent.map(({ body }) => (JSON.parse(body.toString()) as { id: string }).id);
  expect(new Set(ids).size).toBe(1);
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  expect(received).toHaveLength(4);
  const [row] = await vault.sql<{ attempts: number; done: boolean }>(
    'SELECT attempts, delivered_at IS NOT NULL AS done FROM vault.outbox ORDER BY id DESC LIMIT 1',
  );
  expect(row).toEqual({ attempts: 4, done: true });
});

it('an event that a stopped vault left behind is sent after the restart', async () => {
  received.length = 0;
  answers.push(503);
  await register(vault, model, freshKey(), 'E-3');
  await revoke('E-3');
  await events(1);
  await vault.restart();
  const sent = await events(2);
  expect(JSON.parse(sent[1]?.body.toString() ?? '')).toMatchObject({
    kind: 'revoked',
    serial: 'E-3',
  });
});

it('V45 a re-issue supersedes the former device key', async () => {
  received.length = 0;
  const [former, next] = [freshKey(), freshKey()];
  await register(vault, model, former, 'E-4');
  expect((await register(vault, model, next, 'E-4')).status).toBe(200);
  const [event] = await events(1);
  expect(JSON.parse(event?.body.toString() ?? '')).toMatchObject({
    kind: 'superseded',
    serial: 'E-4',
    'device-key-sha3-384': former.publicKey.id,
  });
});

it('believes an answer about models only with the signature of a store key, and to its own question', async () => {
  const signed = await modelAssertion('acme-taken');
  const [storeKey, brandKey] = [localSigner(vectorKey('store')), brandSigner];
  const tell =
    (by: Signer, change: Record<string, string> = {}, spoil = '') =>
    (question: string) => {
      const { id } = JSON.parse(question) as { id: string };
      const models = [{ assertion: signed.bytes.toString(), 'inactive-reason': null }];
      const body = JSON.stringify({ id, 'brand-id': BRAND, assertions: '', models, ...change });
      const key = vectorKey(by === storeKey ? 'store' : 'brand');
      const signature = sign('sha512', Buffer.from(body), key).toString('base64');
      const headers = { 'store-key': by.publicKey.id, 'store-signature': signature };
      return { headers, body: body + spoil };
    };
  const pull = (): Promise<{ taken: string[]; notTaken: string[] }> =>
    mutate(vault, vault.token, `pullModels(brand: "${BRAND}")`, 'PullReport', 'taken notTaken');
  for (const [answer, why] of [
    [tell(brandKey), /not signed by a store key/],
    [tell(storeKey, {}, ' '), /not signed by a store key/],
    [tell(storeKey, { id: randomUUID() }), /another question/],
    [tell(storeKey, { 'brand-id': 'another' }), /another question/],
  ] as const) {
    tellModels = answer;
    const { taken, notTaken } = await pull();
    expect([taken, notTaken]).toEqual([[], [expect.stringMatching(why)]]);
  }
  tellModels = tell(storeKey);
  expect(await pull()).toMatchObject({ taken: ['acme-taken'], notTaken: [] });
  expect(await pull()).toMatchObject({ taken: [], notTaken: [] });
  tellModels = null;
});
