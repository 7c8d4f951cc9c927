import { afterAll, beforeAll, expect, it } from 'vitest';
import { header } from '#libs/assertions';
import { shiftClock } from '#libs/database';
import {
  BRAND,
  certifiedKey,
  codeOf,
  createApiKey,
  freshKey,
  mutate,
  postSerial,
  query,
  register,
  registerBrand,
  registerModel,
  requestId,
  inStream,
  serialIn,
  serialRequest,
  startVault,
  type RunningVault,
} from './vault-kit.js';
import { ask } from '../../tools/clients/http.js';

let vault: RunningVault;
let keyId = '';
beforeAll(async () => {
  vault = await startVault();
  await registerBrand(vault);
  keyId = await certifiedKey(vault);
});
afterAll(() => vault?.stop());

it('list: listed serials are signed, others refused until they are listed', async () => {
  const model = await registerModel(vault, 'acme-list', {
    signingKeyId: keyId,
    enrolment: { list: true },
  });
  const list = (serials: string[]): Promise<{ added: number }> =>
    mutate(
      vault,
      vault.token,
      `listSerials(brand: "${BRAND}", model: "acme-list", serials: $s, order: "PO-7")`,
      'ListedSerials',
      'added',
      {
        s: ['[String!]!', serials],
      },
    );
  expect(await list(['L-1', 'L-2'])).toMatchObject({ added: 2 });
  expect(await list(['L-2', 'L-3'])).toMatchObject({ added: 1 });
  await expect(list(['ok', 'not ok'])).rejects.toThrow('serials[1]');
  const key = freshKey();
  expect((await register(vault, model, key, 'L-1')).status).toBe(200);
  expect((await register(vault, model, key, 'L-1')).status).toBe(200);
  const unlisted = await register(vault, model, freshKey(), 'L-9');
  expect([unlisted.status, codeOf(unlisted)]).toEqual([403, 'serial-not-expected']);
  await list(['L-9']);
  expect((await register(vault, model, freshKey(), 'L-9')).status).toBe(200);
});

it('V48 quota n: n are signed, the next is refused, repeats do not count; under a race too', async () => {
  const model = await registerModel(vault, 'acme-quota', {
    signingKeyId: keyId,
    enrolment: { quota: 3 },
  });
  const key = freshKey();
  expect((await register(vault, model, key, 'Q-0')).status).toBe(200);
  const answers = await Promise.all(
    Array.from({ length: 8 }, (_, index) => register(vault, model, freshKey(), `Q-${index + 1}`)),
  );
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(2);
  for (const answer of answers.filter(({ status }) => status !== 200))
    expect([answer.status, codeOf(answer)]).toEqual([403, 'quota-exhausted']);
  expect((await register(vault, model, key, 'Q-0')).status).toBe(200);

  const open = await registerModel(vault, 'acme-key-quota', { signingKeyId: keyId });
  const { key: limited } = await createApiKey(vault, open.name, { quota: 1 });
  const withKey = { ...open, apiKey: limited };
  expect((await register(vault, withKey, freshKey(), 'K-1')).status).toBe(200);
  expect(codeOf(await register(vault, withKey, freshKey(), 'K-2'))).toBe('quota-exhausted');
  expect((await register(vault, open, freshKey(), 'K-3')).status).toBe(200);
});

it('V49 outside the window: 403 that tells when it opens', async () => {
  const from = new Date(Date.now() + 3_600_000).toISOString();
  const until = new Date(Date.now() + 7_200_000).toISOString();
  const model = await registerModel(vault, 'acme-window', {
    signingKeyId: keyId,
    enrolment: { window: { from, until } },
  });
  const early = await register(vault, model, freshKey(), 'W-1');
  expect([early.status, codeOf(early)]).toEqual([403, 'outside-window']);
  expect(early.json<{ message: string }>().message).toContain(from);
  await shiftClock(vault.urls.owner, 4_000_000);
  const key = freshKey();
  expect((await register(vault, model, key, 'W-1')).status).toBe(200);
  await shiftClock(vault.urls.owner, 8_000_000);
  expect(codeOf(await register(vault, model, freshKey(), 'W-2'))).toBe('outside-window');
  // A lost answer may still be fetched.
  expect((await register(vault, model, key, 'W-1')).status).toBe(200);
  await shiftClock(vault.urls.owner, 0);
});

it('pattern: the whole serial must fit, and a pattern that never ends does no harm', async () => {
  const model = await registerModel(vault, 'acme-pattern', {
    signingKeyId: keyId,
    enrolment: { pattern: 'P-\\d{3}' },
  });
  expect((await register(vault, model, freshKey(), 'P-123')).status).toBe(200);
  for (const serial of ['P-1234', 'xP-123', 'P-12'])
    expect(codeOf(await register(vault, model, freshKey(), serial))).toBe('bad-serial');
  const slow = await registerModel(vault, 'acme-slow-pattern', {
    signingKeyId: keyId,
    enrolment: { pattern: '(a+)+b' },
  });
  const start = Date.now();
  expect(codeOf(await register(vault, slow, freshKey(), 'a'.repeat(60)))).toBe('bad-serial');
  expect(Date.now() - start).toBeLessThan(3_000);
  await expect(
    registerModel(vault, 'acme-broken-pattern', {
      signingKeyId: keyId,
      enrolment: { pattern: '(' },
    }),
  ).rejects.toThrow('policy.enrolment.pattern');
});

it('assigned: the vault chooses, and a known device key gets its serial again', async () => {
  const model = await registerModel(vault, 'acme-assigned', {
    signingKeyId: keyId,
    enrolment: { assigned: true },
  });
  const key = freshKey();
  const first = serialIn((await register(vault, model, key, 'IGNORED')).text);
  expect(header(first, 'serial')).toMatch(/^[0-9a-f-]{36}$/);
  expect(serialIn((await register(vault, model, key, '')).text).bytes).toEqual(first.bytes);
  const other = serialIn((await register(vault, model, freshKey(), '')).text);
  expect(header(other, 'serial')).not.toBe(header(first, 'serial'));
});

it('a model without need of a key: its devices come without, those of others do not', async () => {
  const keyed = await registerModel(vault, 'acme-keyed', { signingKeyId: keyId });
  const keyless = await registerModel(vault, 'acme-keyless', {
    signingKeyId: keyId,
    needsApiKey: false,
  });
  const ofKeyless = async (): Promise<string> =>
    (await ask(`${vault.url}/v1/request-id`, { method: 'POST' })).json<{ 'request-id': string }>()[
      'request-id'
    ];
  const send = async (model: typeof keyed, id: string): Promise<readonly [number, string]> => {
    const request = await serialRequest(model.assertion, id, freshKey(), 'NK-1');
    const answer = await postSerial(vault, undefined, inStream(request, model.assertion));
    return [answer.status, answer.status === 200 ? '' : codeOf(answer)];
  };
  expect(await send(keyless, await ofKeyless())).toEqual([200, '']);
  expect(await send(keyed, await ofKeyless())).toEqual([401, 'missing-api-key']);
  expect(await send(keyless, await requestId(vault, keyless.apiKey))).toEqual([
    400,
    'invalid-nonce',
  ]);
});

it('V53 two keys of a model live side by side; an ended one is 401; uses are counted', async () => {
  const model = await registerModel(vault, 'acme-rotation', { signingKeyId: keyId });
  const second = await createApiKey(vault, model.name, { name: 'second' });
  expect((await register(vault, model, freshKey(), 'R-1')).status).toBe(200);
  expect((await register(vault, { ...model, apiKey: second.key }, freshKey(), 'R-2')).status).toBe(
    200,
  );
  expect((await register(vault, { ...model, apiKey: second.key }, freshKey(), 'R-3')).status).toBe(
    200,
  );
  await mutate(
    vault,
    vault.token,
    `endApiKey(brand: "${BRAND}", id: "${model.apiKeyId}")`,
    'ApiKey',
    'endedAt',
  );
  expect(
    (
      await ask(`${vault.url}/v1/request-id`, {
        method: 'POST',
        headers: { 'api-key': model.apiKey },
      })
    ).status,
  ).toBe(401);
  const { apiKeys } = await query<{
    apiKeys: { id: string; useCount: number; lastUsedAt: string | null; endedAt: string | null }[];
  }>(
    vault,
    vault.token,
    `{ apiKeys(brand: "${BRAND}", model: "acme-rotation") { id useCount lastUsedAt endedAt } }`,
  );
  expect(apiKeys).toMatchObject([
    { id: model.apiKeyId, useCount: 1, endedAt: expect.any(String) as string },
    { id: second.id, useCount: 2, lastUsedAt: expect.any(String) as string, endedAt: null },
  ]);
});

it('V54 a key with address ranges is good from there only', async () => {
  const model = await registerModel(vault, 'acme-ranges', { signingKeyId: keyId });
  const { key: elsewhere } = await createApiKey(vault, model.name, {
    addressRanges: ['10.20.0.0/16', '2001:db8::1'],
  });
  const { key: here } = await createApiKey(vault, model.name, {
    addressRanges: ['10.20.0.0/16', '127.0.0.0/8'],
  });
  const status = async (key: string): Promise<number> =>
    (await ask(`${vault.url}/v1/request-id`, { method: 'POST', headers: { 'api-key': key } }))
      .status;
  expect([await status(elsewhere), await status(here)]).toEqual([401, 200]);
  await expect(
    createApiKey(vault, model.name, { addressRanges: ['10.20.0.0/33'] }),
  ).rejects.toThrow('addressRanges');
});

it('V55 keys of 40, 50 and 64 characters that customers bring are taken', async () => {
  const model = await registerModel(vault, 'acme-brought', { signingKeyId: keyId });
  for (const length of [40, 50, 64]) {
    const brought =
      Array.from({ length }, (_, index) => 'aB3'[index % 3] ?? '')
        .join('')
        .slice(0, length - 2) + String(length);
    const { key } = await createApiKey(vault, model.name, { key: brought });
    expect(key).toBe(brought);
    expect(
      (await register(vault, { ...model, apiKey: brought }, freshKey(), `B-${length}`)).status,
    ).toBe(200);
  }
  await expect(createApiKey(vault, model.name, { key: 'short' })).rejects.toThrow('40 to 128');
});
