import { createServer } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  AssertionDatabase,
  decodeAssertions,
  header,
  localSigner,
  signAssertion,
  verifySelfSigned,
  type Assertion,
} from '#libs/assertions';
import { shiftClock } from '#libs/database';
import { ask } from '../../tools/clients/http.js';
import {
  BRAND,
  brandSigner,
  codeOf,
  createApiKey,
  freshKey,
  inStream,
  modelAssertion,
  mutate,
  postSerial,
  register,
  registerModel,
  requestId,
  serialIn,
  serialRequest,
  vector,
  vectorBytes,
  vectorKey,
  type RunningVault,
  type TestModel,
} from './vault-kit.js';
import { startVaultWithModel } from './support/start.js';

const ASSERTIONS = 'application/x.ubuntu.assertion';
const JSON_TYPE = 'application/json';

let vault: RunningVault;
let keyId = '';
let model: TestModel;
let serials = 0;
const nextSerial = (): string => `W-${++serials}`;

beforeAll(async () => {
  ({ vault, keyId, model } = await startVaultWithModel('acme-device-1'));
});
afterAll(() => vault?.stop());

const post = (path: string, headers: Record<string, string> = {}, body?: string) =>
  ask(`${vault.url}${path}`, { method: 'POST', headers, ...(body !== undefined && { body }) });

const sql = <T>(text: string, values: unknown[] = []): Promise<T[]> => vault.sql<T>(text, values);

describe('request-id', () => {
  it('V1 an empty POST with a good key gets 200 and a request-id that fits a header', async () => {
    const answer = await post('/v1/request-id', { 'api-key': model.apiKey });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe(JSON_TYPE);
    expect(answer.json<{ 'request-id': string }>()['request-id']).toMatch(/^[^/\s]{1,128}$/);
  });

  it('V2 without a key: 401 with a body of the bare type where every model needs one; else 200, for such models only', async () => {
    const answer = await post('/v1/request-id');
    expect(answer.status).toBe(401);
    expect(answer.headers.get('content-type')).toBe(JSON_TYPE);
    expect(answer.json()).toMatchObject({
      message: expect.stringContaining('api-key') as string,
      error_list: [{ code: 'missing-api-key' }],
      request: expect.stringMatching(/./) as string,
      success: false,
      error_code: 'invalid-api-key',
    });
    // Models whose devices prove themselves by hardware need no key (serial-vault.md 8); until then there is none.
    const hardware = await registerModel(vault, 'acme-keyless', {
      signingKeyId: keyId,
      needsApiKey: false,
    });
    const given = await post('/v1/request-id');
    expect(given.status).toBe(200);
    const { 'request-id': id } = given.json<{ 'request-id': string }>();
    const registering = async (to: TestModel, apiKey?: string): Promise<[number, string]> => {
      const request = await serialRequest(to.assertion, id, freshKey(), nextSerial());
      const { status, text } = await postSerial(vault, apiKey, inStream(request, to.assertion));
      return [status, /"code":"([^"]+)"/.exec(text)?.[1] ?? ''];
    };
    expect(await registering(model, model.apiKey)).toEqual([400, 'invalid-nonce']);
    expect(await registering(model)).toEqual([401, 'missing-api-key']);
    expect(await registering(hardware)).toEqual([200, '']);
    await mutate(
      vault,
      vault.token,
      `setModelActive(brand: "${BRAND}", model: "acme-keyless", isActive: false)`,
      'Model',
      'isActive',
    );
    expect((await post('/v1/request-id')).status).toBe(401);
  });

  it('V3 never answers 201', async () => {
    for (const path of ['/v1/request-id', '/api/v1/snaps/auth/request-id']) {
      expect((await post(path, { 'api-key': model.apiKey })).status).toBe(200);
      expect((await post(path, { 'api-key': 'x'.repeat(50) })).status).toBe(401);
    }
  });

  it('V4 works with and without trailing slash in the service URL, and under a prefix', async () => {
    // snapd puts the slash in when the URL has none, so both give the same path (serial-vault.md 2.2).
    for (const base of ['/v1/', '/', '/factory/line-3/v1/', '/api/v1/snaps/auth/']) {
      expect((await post(`${base}request-id`, { 'api-key': model.apiKey })).status).toBe(200);
    }
    for (const path of [
      '/v1/serial',
      '/line-3/v1/serial',
      '/api/v1/snaps/auth/devices',
      '/x/api/v1/snaps/auth/devices',
    ]) {
      const answer = await post(path, { 'api-key': model.apiKey, 'content-type': ASSERTIONS }, '');
      expect(codeOf(answer)).toBe('empty-body');
    }
  });

  it('V6 GET is 405, and a body on POST is ignored', async () => {
    const get = await ask(`${vault.url}/v1/request-id`, { headers: { 'api-key': model.apiKey } });
    expect([get.status, get.headers.get('content-type')]).toEqual([405, JSON_TYPE]);
    for (const type of ['application/json', 'text/plain', 'nonsense/']) {
      const answer = await post(
        '/v1/request-id',
        { 'api-key': model.apiKey, 'content-type': type },
        '{"broken',
      );
      expect(answer.status).toBe(200);
    }
  });

  it('V7 the row shows key, address and expiry, and not the value', async () => {
    const id = await requestId(vault, model.apiKey);
    const [row] = await sql<Record<string, unknown>>(
      `SELECT nonce_hash, api_key_id, address, extract(epoch FROM expires_at - created_at)::int AS seconds
       FROM vault.nonces ORDER BY created_at DESC LIMIT 1`,
    );
    expect(row).toMatchObject({ api_key_id: model.apiKeyId, address: '127.0.0.1', seconds: 600 });
    expect(JSON.stringify(row)).not.toContain(id);
  });
});

describe('serial', () => {
  it('V8 serial-request and model get 200 with exactly one serial', async () => {
    const key = freshKey();
    const serial = nextSerial();
    const answer = await register(vault, model, key, serial);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, ASSERTIONS]);
    const assertion = serialIn(answer.text);
    expect(assertion.headers).toMatchObject({
      'authority-id': BRAND,
      'brand-id': BRAND,
      model: 'acme-device-1',
      serial,
      'device-key': key.publicKey.encoded,
      'device-key-sha3-384': key.publicKey.id,
      'sign-key-sha3-384': keyId,
    });
    expect(header(assertion, 'timestamp')).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  });

  it('V9 with serial-stream the answer validates against a database that holds the root only', async () => {
    const answer = await register(vault, model, freshKey(), nextSerial());
    const stream = decodeAssertions(Buffer.from(answer.text));
    expect(stream.map(({ type }) => type)).toEqual(
      expect.arrayContaining(['account', 'account-key', 'serial']),
    );
    const database = new AssertionDatabase({ trusted: [...vault.trusted] });
    for (const assertion of stream)
      expect(database.add(assertion, new Date())).toEqual({ valid: true });
  });

  it('V10 without that header the serial is alone', async () => {
    const request = await serialRequest(
      model.assertion,
      await requestId(vault, model.apiKey),
      freshKey(),
      nextSerial(),
    );
    const answer = await postSerial(vault, model.apiKey, inStream(request, model.assertion), {
      'snap-device-capabilities': 'other-thing',
    });
    expect(answer.status).toBe(200);
    expect(decodeAssertions(Buffer.from(answer.text)).map(({ type }) => type)).toEqual(['serial']);
  });

  it('V13 refuses empty bodies, garbage, wrong order, doubles and extras with 400', async () => {
    const request = await serialRequest(
      model.assertion,
      await requestId(vault, model.apiKey),
      freshKey(),
      nextSerial(),
    );
    const send = async (body: string): Promise<readonly [number, string]> => {
      const answer = await postSerial(vault, model.apiKey, body);
      expect(answer.headers.get('content-type')).toBe(JSON_TYPE);
      return [answer.status, codeOf(answer)];
    };
    expect(await send('')).toEqual([400, 'empty-body']);
    expect(await send('garbage')).toEqual([400, 'invalid-assertion']);
    expect(await send('\u0000'.repeat(1000))).toEqual([400, 'invalid-assertion']);
    expect(await send(inStream(request))).toEqual([400, 'unexpected-assertion']);
    expect(await send(inStream(model.assertion, request))).toEqual([400, 'unexpected-assertion']);
    expect(await send(inStream(request, request))).toEqual([400, 'unexpected-assertion']);
    expect(await send(inStream(request, model.assertion, model.assertion))).toEqual([
      400,
      'unexpected-assertion',
    ]);
    const extra = vector('chain/brand-account.assert');
    expect(await send(inStream(request, model.assertion, extra))).toEqual([
      400,
      'unexpected-assertion',
    ]);
    expect(await send(inStream(request, model.assertion, extra, extra))).toEqual([
      400,
      'unexpected-assertion',
    ]);
    // None of this has used the request-id up (V19).
    expect((await postSerial(vault, model.apiKey, inStream(request, model.assertion))).status).toBe(
      200,
    );
  });

  it('another media type is 415', async () => {
    const answer = await postSerial(vault, model.apiKey, '{}', { 'content-type': JSON_TYPE });
    expect([answer.status, codeOf(answer)]).toEqual([415, 'unsupported-media-type']);
  });

  it('V14 takes a request of the limit, and one byte more is 413 before it is read', async () => {
    const limit = 262_144;
    const id = await requestId(vault, model.apiKey);
    const signer = freshKey();
    const serial = nextSerial();
    const make = async (bodyLength: number): Promise<string> => {
      const request = await serialRequest(model.assertion, id, signer, serial, {
        body: 'x'.repeat(bodyLength),
      });
      return inStream(request, model.assertion);
    };
    const overhead = (await make(200_000)).length - 200_000;
    const fitting = await make(limit - overhead);
    expect(fitting).toHaveLength(limit);
    const start = Date.now();
    const refused = await sendHead(vault.url, limit + 1, model.apiKey);
    expect(refused).toContain('413');
    expect(refused).toContain('too-large');
    expect(Date.now() - start).toBeLessThan(5_000);
    expect((await postSerial(vault, model.apiKey, fitting)).status).toBe(200);
  });

  it('V15 refuses a request that another key signed, or that names another key', async () => {
    const id = await requestId(vault, model.apiKey);
    const [own, other] = [freshKey(), freshKey()];
    const honest = await serialRequest(model.assertion, id, own, nextSerial());
    const lender = await serialRequest(model.assertion, id, other, header(honest, 'serial'));
    const forged = Buffer.concat([
      honest.content,
      Buffer.from(`\n\n${lender.signature}`),
    ]).toString();
    const answer = await postSerial(
      vault,
      model.apiKey,
      `${forged}\n${model.assertion.bytes.toString()}`,
    );
    expect([answer.status, codeOf(answer)]).toEqual([400, 'bad-signature']);
    const swapped = honest.bytes.toString().replace(own.publicKey.id, other.publicKey.id);
    const second = await postSerial(
      vault,
      model.apiKey,
      `${swapped}\n${model.assertion.bytes.toString()}`,
    );
    expect(second.status).toBe(400);
    // Said before anybody looks at the signature, which is broken too.
    expect(second.text).toContain('is not the key that');
  });

  it('V16 refuses a device key of 1024 bits, and any that is shorter than the model asks for', async () => {
    const small = vectorBytes('chain/brand-1024-account-key.assert').toString();
    const encoded = /\n\n([A-Za-z0-9+/=\n]+?)\n\n/.exec(small)?.[1] ?? '';
    const id = header(vector('chain/brand-account-key.assert'), 'public-key-sha3-384');
    const signature = vector('chain/brand-account.assert').signature;
    const request = `type: serial-request\nbrand-id: ${BRAND}\ndevice-key:\n    ${encoded.replaceAll('\n', '\n    ')}\nmodel: acme-device-1\nrequest-id: x\nserial: S\nsign-key-sha3-384: ${id}\n\n${signature}`;
    const answer = await postSerial(
      vault,
      model.apiKey,
      `${request}\n${model.assertion.bytes.toString()}`,
    );
    expect([answer.status, codeOf(answer)]).toEqual([400, 'weak-device-key']);
    const strict = await registerModel(vault, 'acme-strict', {
      signingKeyId: keyId,
      minimumKeyBits: 4096,
    });
    const short = await register(vault, strict, freshKey(), nextSerial());
    expect([short.status, codeOf(short)]).toEqual([400, 'weak-device-key']);
    const stock = localSigner(vectorKey('device'));
    expect((await register(vault, strict, stock, nextSerial())).status).toBe(200);
  });

  it('V17 refuses models that are foreign, broken, unknown, inactive or withdrawn', async () => {
    const outcome = async (sent: Assertion, claimed = sent): Promise<readonly [number, string]> => {
      const request = await serialRequest(
        claimed,
        await requestId(vault, model.apiKey),
        freshKey(),
        nextSerial(),
      );
      const answer = await postSerial(vault, model.apiKey, inStream(request, sent));
      return [answer.status, codeOf(answer)];
    };
    const foreign = await signAssertion(
      {
        type: 'model',
        headers: {
          ...model.assertion.headers,
          'brand-id': 'other',
          'authority-id': 'other',
          'body-length': undefined,
        },
      },
      brandSigner,
      new Date(),
    );
    expect(await outcome(foreign, model.assertion)).toEqual([400, 'mismatched-model']);
    const sibling = await modelAssertion('acme-unregistered');
    expect(await outcome(sibling, model.assertion)).toEqual([400, 'mismatched-model']);
    const forged = await modelAssertionBy('acme-device-1', freshKey());
    expect(await outcome(forged)).toEqual([400, 'untrusted-model']);
    const bytes = model.assertion.bytes
      .toString()
      .replace('kernel: acme-kernel', 'kernel: evil-kernel');
    const tampered = decodeAssertions(Buffer.from(bytes))[0] as Assertion;
    expect(await outcome(tampered)).toEqual([400, 'untrusted-model']);
    expect(await outcome(sibling)).toEqual([403, 'unknown-model']);

    const doomed = await registerModel(vault, 'acme-doomed', { signingKeyId: keyId });
    const revision = await modelAssertion('acme-doomed', { revision: '3' });
    const send = async (assertion: Assertion): Promise<readonly [number, string]> => {
      const request = await serialRequest(
        assertion,
        await requestId(vault, doomed.apiKey),
        freshKey(),
        nextSerial(),
      );
      const answer = await postSerial(vault, doomed.apiKey, inStream(request, assertion));
      return [answer.status, answer.status === 200 ? '' : codeOf(answer)];
    };
    await mutate(
      vault,
      vault.token,
      `setRevokedModelRevisions(brand: "${BRAND}", model: "acme-doomed", revisions: [3])`,
      'Model',
      'model',
    );
    expect(await send(revision)).toEqual([403, 'revoked-model']);
    expect(await send(doomed.assertion)).toEqual([200, '']);
    await mutate(
      vault,
      vault.token,
      `setModelActive(brand: "${BRAND}", model: "acme-doomed", isActive: false)`,
      'Model',
      'model',
    );
    expect(await send(doomed.assertion)).toEqual([403, 'inactive-model']);
  });

  it("V18 refuses keys of other models, and other brands' keys like unknown ones", async () => {
    const sibling = await registerModel(vault, 'acme-sibling', { signingKeyId: keyId });
    const with_ = async (apiKey: string): Promise<readonly [number, string, string]> => {
      const id = await requestId(vault, apiKey);
      const request = await serialRequest(model.assertion, id, freshKey(), nextSerial());
      const answer = await postSerial(vault, apiKey, inStream(request, model.assertion));
      return [answer.status, codeOf(answer), answer.json<{ message: string }>().message];
    };
    expect(await with_(sibling.apiKey)).toMatchObject([
      403,
      'key-not-for-model',
      expect.any(String),
    ]);
    const foreignKey = await keyOfOtherBrand();
    const unknown = await postSerial(vault, 'u'.repeat(64), 'x');
    expect(await with_(foreignKey)).toEqual([
      401,
      'invalid-api-key',
      unknown.json<{ message: string }>().message,
    ]);
  });

  it('V19 takes a request-id once, in time, and from the key that it was given to', async () => {
    const send = async (id: string, apiKey = model.apiKey): Promise<readonly [number, string]> => {
      const request = await serialRequest(model.assertion, id, freshKey(), nextSerial());
      const answer = await postSerial(vault, apiKey, inStream(request, model.assertion));
      return [answer.status, answer.status === 200 ? '' : codeOf(answer)];
    };
    const refused = [400, 'invalid-nonce'];
    expect(await send('never-issued')).toEqual(refused);
    const used = await requestId(vault, model.apiKey);
    expect(await send(used)).toEqual([200, '']);
    expect(await send(used)).toEqual(refused);
    const second = await createApiKey(vault, model.name);
    expect(await send(await requestId(vault, model.apiKey), second.key)).toEqual(refused);
    const old = await requestId(vault, model.apiKey);
    await shiftClock(vault.urls.owner, 601_000);
    expect(await send(old)).toEqual(refused);
    await shiftClock(vault.urls.owner, 0);
    // Refused at steps 1 to 6, the request-id is still good: media type, key, shape, signature.
    const kept = await requestId(vault, model.apiKey);
    const request = await serialRequest(model.assertion, kept, freshKey(), nextSerial());
    const body = inStream(request, model.assertion);
    expect(
      (await postSerial(vault, model.apiKey, body, { 'content-type': 'text/plain' })).status,
    ).toBe(415);
    expect((await postSerial(vault, 'w'.repeat(64), body)).status).toBe(401);
    expect((await postSerial(vault, model.apiKey, request.bytes)).status).toBe(400);
    const unsigned = Buffer.concat([
      request.content,
      Buffer.from(`\n\n${model.assertion.signature}\n`),
      model.assertion.bytes,
    ]);
    expect(codeOf(await postSerial(vault, model.apiKey, unsigned))).toBe('bad-signature');
    expect((await postSerial(vault, model.apiKey, body)).status).toBe(200);
  });

  it('V20 of parallel posts with one request-id exactly one is signed', async () => {
    const id = await requestId(vault, model.apiKey);
    const bodies = await Promise.all(
      Array.from({ length: 8 }, async () =>
        inStream(
          await serialRequest(model.assertion, id, freshKey(), nextSerial()),
          model.assertion,
        ),
      ),
    );
    const answers = await Promise.all(bodies.map((body) => postSerial(vault, model.apiKey, body)));
    const signed = answers.filter(({ status }) => status === 200);
    const refused = answers.filter(({ status }) => status === 400);
    expect([signed.length, refused.length]).toEqual([1, 7]);
  });

  it('a byte-identical request that runs twice at once is signed once, and both get that serial', async () => {
    const serial = nextSerial();
    const request = await serialRequest(
      model.assertion,
      await requestId(vault, model.apiKey),
      freshKey(),
      serial,
    );
    const body = inStream(request, model.assertion);
    const answers = await Promise.all(
      [1, 2, 3, 4].map(() => postSerial(vault, model.apiKey, body)),
    );
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
    expect(answers[0]?.status).toBe(200);
    const rows = await sql<{ outcome: string }>(
      'SELECT outcome FROM vault.signing_log WHERE serial = $1 ORDER BY seq',
      [serial],
    );
    expect(rows.map(({ outcome }) => outcome)).toEqual([
      'signed',
      'repeated',
      'repeated',
      'repeated',
    ]);
  });

  it('V21 the header wins over the body, texts and numbers of the YAML body are taken as written, bombs are not', async () => {
    const serialOf = async (proposed: string, body: string): Promise<string> => {
      const answer = await register(vault, model, freshKey(), proposed, { body });
      return answer.status === 200 ? header(serialIn(answer.text), 'serial') : codeOf(answer);
    };
    expect(await serialOf('FROM-HEADER', 'serial: FROM-BODY\n')).toBe('FROM-HEADER');
    expect(await serialOf('', 'mac: "00:11"\nserial: "A1"\n')).toBe('A1');
    expect(await serialOf('', 'serial: 1234\n')).toBe('1234');
    expect(await serialOf('', 'serial: 0042\n')).toBe('0042');
    expect(await serialOf('', '- serial\n')).toBe('missing-serial');
    expect(await serialOf('', 'serial: [1]\n')).toBe('missing-serial');
    const bomb = [
      'a: &a [x,x,x,x,x,x,x,x,x]',
      ...'bcdefgh'
        .split('')
        .map(
          (name, index) => `${name}: &${name} [${Array(9).fill(`*${'abcdefg'[index]}`).join(',')}]`,
        ),
      'serial: *h',
    ].join('\n');
    const start = Date.now();
    expect(await serialOf('', bomb)).toBe('missing-serial');
    expect(Date.now() - start).toBeLessThan(1_000);
  });

  it('V22 serials keep to the form, unless the model is legacy', async () => {
    const legacy = await registerModel(vault, 'acme-legacy', {
      signingKeyId: keyId,
      serialForm: 'legacy',
    });
    const outcome = async (serial: string, of = model, body?: string): Promise<string> => {
      const answer = await register(vault, of, freshKey(), serial, body ? { body } : {});
      if (answer.status === 200) return header(serialIn(answer.text), 'serial');
      expect(answer.status).toBe(400);
      return codeOf(answer);
    };
    for (const bad of ['a/b', 'a b', 'x'.repeat(129), 'A--B', '-A', 'é'])
      expect(await outcome(bad)).toBe('bad-serial');
    // The assertion itself may not hold control characters, so that is found when it is read.
    const control = (
      await serialRequest(model.assertion, await requestId(vault, model.apiKey), freshKey(), 'a-b')
    ).bytes.toString();
    const answer = await postSerial(
      vault,
      model.apiKey,
      `${control.replace('serial: a-b', 'serial: a\u0007b')}\n${model.assertion.bytes.toString()}`,
    );
    expect(answer.status).toBe(400);
    expect(await outcome('00:11-A+B')).toBe('00:11-A+B');
    expect(await outcome('x'.repeat(128))).toBe('x'.repeat(128));
    expect(await outcome('A--B', legacy)).toBe('A--B');
    expect(await outcome('Mon Jan 1', legacy)).toBe('Mon Jan 1');
    for (const bad of ['a/b', 'x'.repeat(129)])
      expect(await outcome(bad, legacy)).toBe('bad-serial');
    // YAML can write what a header cannot.
    for (const of of [model, legacy])
      for (const bad of ['a\\u0007b', 'a\\u007fb', ' '])
        expect(await outcome('', of, `serial: "${bad}"\n`)).toBe('bad-serial');
  });

  it('V24 the body is copied byte for byte, or left out, as the model says', async () => {
    const bare = await registerModel(vault, 'acme-bare', { signingKeyId: keyId, body: 'none' });
    const body = 'mac: 00:11:22\nünïcode: ✓\n\n\nlast';
    const copied = serialIn(
      (await register(vault, model, freshKey(), nextSerial(), { body })).text,
    );
    expect(copied.body.toString()).toBe(body);
    const without = serialIn(
      (await register(vault, bare, freshKey(), nextSerial(), { body })).text,
    );
    expect(without.body).toHaveLength(0);
    expect(without.headers['body-length']).toBeUndefined();
  });

  it('V29 redirects nowhere', async () => {
    for (const path of [
      '/v1/request-id',
      '/v1/request-id/',
      '/api/v1/snaps/auth/request-id',
      '/v1/serial',
      '/v1/serial/',
      '/api/v1/snaps/auth/devices',
      '/',
      '/nothing',
    ]) {
      for (const method of ['GET', 'POST', 'PUT'])
        for (const headers of [{}, { 'api-key': model.apiKey, 'x-forwarded-proto': 'http' }]) {
          const { status } = await ask(`${vault.url}${path}`, { method, headers });
          expect(status < 300 || status >= 400).toBe(true);
        }
    }
    expect((await register(vault, model, freshKey(), nextSerial())).status).toBe(200);
  });

  it('V36 answers HEAD like a proxy store, and forwards to nobody', async () => {
    const head = await ask(`${vault.url}/`, { method: 'HEAD' });
    expect(head.status).toBe(200);
    expect(Number(head.headers.get('snap-store-version'))).toBeGreaterThanOrEqual(6);
    let connections = 0;
    const outside = createServer(() => undefined).on('connection', () => (connections += 1));
    await new Promise<void>((resolve) => outside.listen(0, '127.0.0.1', resolve));
    const { port } = outside.address() as { port: number };
    const foreign = [`http://127.0.0.1:${port}/`, 'https://vault.acme.example.evil/v1/'];
    for (const path of ['/api/v1/snaps/auth/request-id', '/api/v1/snaps/auth/devices'])
      for (const url of foreign) {
        const headers = { 'api-key': model.apiKey, 'x-snap-device-service-url': url };
        const answer = await post(path, headers);
        expect([answer.status, codeOf(answer)]).toEqual([403, 'forbidden-device-service']);
      }
    const own = {
      'api-key': model.apiKey,
      'x-snap-device-service-url': 'https://vault.acme.example/v1/',
    };
    expect((await post('/api/v1/snaps/auth/request-id', own)).status).toBe(200);
    expect(connections).toBe(0);
    outside.close();
  });

  it('signs what verifies with the certified key', async () => {
    const assertion = serialIn((await register(vault, model, freshKey(), nextSerial())).text);
    const [accountKey] = await sql<{ bytes: Buffer }>(
      `SELECT bytes FROM vault.assertions WHERE primary_key = $1`,
      [keyId],
    );
    const publicKey = decodeAssertions(accountKey?.bytes ?? Buffer.alloc(0))[0];
    expect(publicKey?.headers['public-key-sha3-384']).toBe(assertion.signKeyId);
    expect(verifySelfSigned(assertion, brandSigner.publicKey).valid).toBe(false);
  });
});

async function modelAssertionBy(
  name: string,
  signer: ReturnType<typeof freshKey>,
): Promise<Assertion> {
  const { headers } = await modelAssertion(name);
  return signAssertion({ type: 'model', headers }, signer, new Date());
}

async function keyOfOtherBrand(): Promise<string> {
  const account = vector('chain/brand2-account.assert');
  const brand = header(account, 'account-id');
  const assertions = inStream(account, vector('chain/brand2-account-key.assert'));
  await mutate(
    vault,
    vault.token,
    `registerBrand(brand: "${brand}", assertions: $a)`,
    'Brand',
    'id',
    { a: ['String!', assertions] },
  );
  await sql(
    `INSERT INTO vault.models (brand_id, model, revision, bytes) VALUES ($1, 'theirs', 0, $2)`,
    [brand, model.assertion.bytes],
  );
  const made = await mutate<{ key: string }>(
    vault,
    vault.token,
    `createApiKey(brand: "${brand}", model: "theirs", input: { name: "k" })`,
    'NewApiKey',
    'key',
  );
  return made.key;
}

/** Says how much will come, sends little of it, and reads the answer. */
function sendHead(url: string, length: number, apiKey: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    let text = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      if (text.includes('error_list')) socket.destroy();
    });
    socket.on('close', () => resolve(text)).on('error', reject);
    socket.write(
      `POST /v1/serial HTTP/1.1\r\nhost: x\r\napi-key: ${apiKey}\r\ncontent-type: ${ASSERTIONS}\r\ncontent-length: ${length}\r\n\r\ntype: serial-request\n`,
    );
  });
}
