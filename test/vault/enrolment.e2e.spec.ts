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
import { decide } from './support/people.js';
import { ask, type Answer } from '../../tools/clients/http.js';

let vault: RunningVault;
let keyId = '';
beforeAll(async () => {
  vault = await startVault();
  await registerBrand(vault);
  keyId = await certifiedKey(vault);
});
afterAll(() => vault?.stop());

const listSerials = (model: string, serials: string[], order = 'PO-7'): Promise<unknown> =>
  mutate(
    vault,
    vault.token,
    `listSerials(brand: "${BRAND}", model: "${model}", serials: $s, order: "${order}")`,
    'ListedSerials',
    'added',
    { s: ['[String!]!', serials] },
  );

/** The CSV of an order, as production sends it. */
const importCsv = (model: string, csv: string, order = 'PO-7'): Promise<Answer> =>
  ask(`${vault.url}/admin/v1/brands/${BRAND}/models/${model}/serials?order=${order}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${vault.token}`, 'content-type': 'text/csv' },
    body: csv,
  });

interface Waiting {
  readonly id: string;
  readonly serial: string;
}
const waiting = async (serial: string): Promise<Waiting[]> => {
  const document = `{ pending(brand: "${BRAND}") { id serial } }`;
  const { pending } = await query<{ pending: Waiting[] }>(vault, vault.token, document);
  return pending.filter((one) => one.serial === serial);
};

it('V47 list: a listed serial is signed, once; one that is not listed is 403, or waits for its order', async () => {
  const model = await registerModel(vault, 'acme-list', {
    signingKeyId: keyId,
    enrolment: { list: true },
  });
  expect(await listSerials('acme-list', ['L-1', 'L-2'])).toMatchObject({ added: 2 });
  expect(await listSerials('acme-list', ['L-2', 'L-3'])).toMatchObject({ added: 1 });
  await expect(listSerials('acme-list', ['ok', 'not ok'])).rejects.toThrow('serials[1]');
  const key = freshKey();
  expect((await register(vault, model, key, 'L-1')).status).toBe(200);
  expect((await register(vault, model, key, 'L-1')).status).toBe(200);
  // The entry is used up: another device with that serial is a duplicate, and waits for a decision.
  expect((await register(vault, model, freshKey(), 'L-1')).status).toBe(202);
  const unlisted = await register(vault, model, freshKey(), 'L-9');
  expect([unlisted.status, codeOf(unlisted)]).toEqual([403, 'serial-not-expected']);
  await listSerials('acme-list', ['L-9'], 'PO-8');
  expect((await register(vault, model, freshKey(), 'L-9')).status).toBe(200);
  const document = `{ orders(brand: "${BRAND}") { model name listed registered } }`;
  const { orders } = await query<{ orders: unknown[] }>(vault, vault.token, document);
  expect(orders).toEqual([
    { model: 'acme-list', name: 'PO-7', listed: 3, registered: 1 },
    { model: 'acme-list', name: 'PO-8', listed: 1, registered: 1 },
  ]);

  const late = await registerModel(vault, 'acme-late', {
    signingKeyId: keyId,
    enrolment: { list: true, lateDays: 2 },
  });
  const poller = async (serial: string): Promise<() => Promise<Answer>> => {
    const id = await requestId(vault, late.apiKey);
    const request = await serialRequest(late.assertion, id, freshKey(), serial);
    const body = inStream(request, late.assertion);
    return () => postSerial(vault, late.apiKey, body);
  };
  // L-3 is on an order of another model only.
  const [cured, letIn, sentAway] = await Promise.all(['L-3', 'LATE-2', 'LATE-3'].map(poller));
  for (const poll of [cured, letIn, sentAway]) expect((await poll?.())?.status).toBe(202);
  expect((await cured?.())?.status).toBe(202);
  expect(await waiting('L-3')).toHaveLength(1);
  expect((await importCsv('acme-late', 'serial\nL-3\n')).status).toBe(200);
  expect(serialIn((await cured?.())?.text ?? '').headers.serial).toBe('L-3');
  expect(await waiting('L-3')).toEqual([]);
  // A person may decide instead of an order.
  for (const [verb, serial] of [
    ['approve', 'LATE-2'],
    ['refuse', 'LATE-3'],
  ] as const)
    await decide(vault, verb, (await waiting(serial))[0]?.id);
  expect((await letIn?.())?.status).toBe(200);
  const away = await sentAway?.();
  expect([away?.status, away && codeOf(away)]).toEqual([403, 'refused-by-operator']);
});

it('a serial that waited in vain is refused, whatever request it comes with', async () => {
  const late = await registerModel(vault, 'acme-too-late', {
    signingKeyId: keyId,
    enrolment: { list: true, lateDays: 1 },
  });
  const key = freshKey();
  expect((await register(vault, late, key, 'VAIN-1')).status).toBe(202);
  await shiftClock(vault.urls.owner, 2 * 86_400_000);
  const answer = await register(vault, late, key, 'VAIN-1');
  expect([answer.status, codeOf(answer)]).toEqual([403, 'serial-not-expected']);
  await listSerials('acme-too-late', ['VAIN-1']);
  expect((await register(vault, late, key, 'VAIN-1')).status).toBe(200);
  await shiftClock(vault.urls.owner, 0);
});

it('V51 100,000 serials are imported within a minute, all or none, with the fault of each line; again it changes nothing', async () => {
  await registerModel(vault, 'acme-csv', { signingKeyId: keyId, enrolment: { list: true } });
  const count = async (): Promise<number | undefined> =>
    (
      await vault.sql<{ n: number }>(
        `SELECT count(*)::int AS n FROM vault.listed_serials WHERE model = 'acme-csv'`,
      )
    )[0]?.n;
  const lines = Array.from({ length: 100_000 }, (_, index) => `CSV-${index},B-${index % 10}`);
  const file = (some: readonly string[]): string => ['serial,batch', ...some].join('\r\n');
  const spoilt = [...lines];
  spoilt[6] = 'not ok,B';
  spoilt[99_997] = 'CSV-1,B';
  const refused = await importCsv('acme-csv', file(spoilt));
  expect(refused.status).toBe(400);
  const said = refused.json<{ 'error-list': { message: string }[] }>()['error-list'];
  expect(said.map(({ message }) => message)).toEqual([
    expect.stringContaining('2 of them') as string,
    'line 8: "not ok" is no serial',
    'line 99999: serial CSV-1 is on line 3 already',
  ]);
  expect(await count()).toBe(0);
  const start = Date.now();
  const taken = await importCsv('acme-csv', file(lines));
  expect(Date.now() - start).toBeLessThan(60_000);
  expect([taken.status, taken.json()]).toEqual([200, { given: 100_000, added: 100_000 }]);
  expect((await importCsv('acme-csv', file(lines))).json()).toEqual({ given: 100_000, added: 0 });
  expect(await count()).toBe(100_000);
  // A serial belongs to one order.
  const other = await importCsv('acme-csv', 'serial\nCSV-NEW\nCSV-7\n', 'PO-9');
  expect([other.status, other.text]).toEqual([
    400,
    expect.stringContaining('line 3: serial CSV-7'),
  ]);
  expect(await count()).toBe(100_000);
}, 120_000);

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
  const ofKey = await Promise.all(
    Array.from({ length: 8 }, (_, index) => register(vault, withKey, freshKey(), `K-${index}`)),
  );
  const beyond = ofKey.filter(({ status }) => status !== 200);
  expect(beyond.map(codeOf)).toEqual(Array(7).fill('quota-exhausted'));
  expect((await register(vault, open, freshKey(), 'K-8')).status).toBe(200);
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

it('V50 pattern and check digit: the whole serial must fit, and a pattern that never ends does no harm', async () => {
  const model = await registerModel(vault, 'acme-pattern', {
    signingKeyId: keyId,
    enrolment: { pattern: 'P-\\d{3}|Q-\\d{2}' },
  });
  for (const serial of ['P-123', 'Q-12'])
    expect((await register(vault, model, freshKey(), serial)).status).toBe(200);
  for (const serial of ['P-1234', 'xP-123', 'P-12', 'xQ-12'])
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
  const luhn = await registerModel(vault, 'acme-luhn', {
    signingKeyId: keyId,
    enrolment: { checkDigit: 'luhn', pattern: 'A-.*' },
  });
  const mod97 = await registerModel(vault, 'acme-mod97', {
    signingKeyId: keyId,
    enrolment: { checkDigit: 'mod97' },
  });
  for (const [model, good, bad] of [
    [luhn, 'A-79927398713', 'A-79927398712'],
    [luhn, 'A-18', '18'],
    [mod97, '79444', '79445'],
    [mod97, 'WEST12345698765432GB82', 'WEST12345698765432GB28'],
  ] as const) {
    expect(codeOf(await register(vault, model, freshKey(), bad))).toBe('bad-serial');
    expect((await register(vault, model, freshKey(), good)).status).toBe(200);
  }
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
  const inDays = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString();
  for (const time of [{ notAfter: inDays(-1) }, { notBefore: inDays(1) }]) {
    const { key } = await createApiKey(vault, model.name, time);
    await expect(requestId(vault, key), JSON.stringify(time)).rejects.toThrow('401');
  }
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
