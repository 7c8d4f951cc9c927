import { afterAll, beforeAll, expect, it } from 'vitest';
import { header, localSigner, signAssertion, type Assertion, type Signer } from '#libs/assertions';
import { shiftClock } from '#libs/database';
import {
  BRAND,
  certifiedKey,
  codeOf,
  freshKey,
  inStream,
  mutate,
  postSerial,
  register,
  registerBrand,
  registerModel,
  requestId,
  serialIn,
  serialRequest,
  startVault,
  vectorKey,
  type RunningVault,
  type TestModel,
} from './vault-kit.js';
import { decide, disableKey } from './support/people.js';
import { ask, type Answer } from '../../tools/clients/http.js';
import { foreignModel } from './foreign-model.js';

let vault: RunningVault;
let keyId = '';
let from: TestModel;
let to: TestModel;
beforeAll(async () => {
  vault = await startVault();
  await registerBrand(vault);
  keyId = await certifiedKey(vault);
  from = await registerModel(vault, 'acme-old', { signingKeyId: keyId });
  to = await registerModel(vault, 'acme-new', { signingKeyId: keyId });
});
afterAll(() => vault?.stop());

const allowAll = async (
  rules: readonly Record<string, unknown>[],
  brand = BRAND,
): Promise<{ id: string }[]> => {
  const named = rules.map((rule) => ({ fromModel: 'acme-old', toModel: 'acme-new', ...rule }));
  const call = `allowRemodels(brand: "${brand}", rules: $r)`;
  const { items } = await mutate<{ items: { id: string }[] }>(
    vault,
    vault.token,
    call,
    'RemodelRules',
    'items { id }',
    { r: ['[RemodelRuleInput!]!', named] },
  );
  return items;
};

const allow = async (rule: Record<string, unknown> = {}): Promise<{ id: string }> =>
  (await allowAll([rule]))[0] ?? { id: '' };

const endRules = (ids: readonly string[]): Promise<unknown> =>
  mutate(
    vault,
    vault.token,
    `endRemodelRules(brand: "${BRAND}", ids: $i)`,
    'RemodelRules',
    'items { endedAt }',
    { i: ['[ID!]!', ids] },
  );
const endRule = (id: string): Promise<unknown> => endRules([id]);

async function enrolled(serial: string): Promise<{ key: Signer; old: Assertion }> {
  const key = freshKey();
  return { key, old: serialIn((await register(vault, from, key, serial)).text) };
}

/** What a device posts after a remodel; `change` spoils the request, `apiKey` is the old gadget's. */
async function remodel(
  key: Signer,
  old: Assertion,
  change: Record<string, unknown> = {},
  apiKey = from.apiKey,
  order: 'model first' | 'serial first' = 'model first',
): Promise<Answer> {
  const request = await serialRequest(to.assertion, await requestId(vault, apiKey), key, '', {
    headers: {
      'original-brand-id': old.headers['brand-id'],
      'original-model': old.headers.model,
      'original-serial': old.headers.serial,
      ...change,
    },
  });
  const rest = order === 'model first' ? [to.assertion, old] : [old, to.assertion];
  return postSerial(vault, apiKey, inStream(request, ...rest));
}

it('V56 rules for all devices, a list, a range or a batch let a device become another model, with its serial', async () => {
  const { key, old } = await enrolled('RM-1');
  // Neither what other models may become, nor what else this one may.
  const others = await allowAll([{ fromModel: 'acme-new' }, { toModel: 'acme-old' }]);
  const refused = await remodel(key, old);
  await endRules(others.map(({ id: one }) => one));
  expect([refused.status, codeOf(refused)]).toEqual([403, 'remodel-not-allowed']);
  expect(refused.json<{ message: string }>().message).toMatch(/acme-old.*acme-new/);
  const { id } = await allow({ fromSerial: 'RM-1' });
  const answer = await remodel(key, old);
  expect(answer.status).toBe(200);
  expect(serialIn(answer.text).headers).toMatchObject({
    model: 'acme-new',
    serial: 'RM-1',
    'device-key-sha3-384': key.publicKey.id,
  });
  // A retry gives the same, and the new model's key is as good as the old one's.
  expect((await remodel(key, old, {}, to.apiKey, 'serial first')).text).toBe(answer.text);
  const other = await enrolled('RM-2');
  expect(codeOf(await remodel(other.key, other.old))).toBe('remodel-not-allowed');
  await endRule(id);
  const all = await allow();
  expect((await remodel(other.key, other.old)).status).toBe(200);
  await endRule(all.id);
  const [row] = await vault.sql(
    `SELECT remodelled_to FROM vault.devices WHERE model = 'acme-old' AND serial = 'RM-2'`,
  );
  expect(row).toEqual({ remodelled_to: 'acme-new' });

  const [first, second, third] = await Promise.all(['R-15', 'R-16', 'R-160'].map(enrolled));
  const list = await allowAll([{ fromSerial: 'R-99' }, { fromSerial: 'R-15' }]);
  expect(await statusOf(first)).toBe(200);
  expect(await statusOf(second)).toBe(403);
  await endRules(list.map(({ id: one }) => one));
  await expect(allow({ fromSerial: 'R-16', toSerial: 'R-15' })).rejects.toThrow('toSerial');
  const range = await allow({ fromSerial: 'R-10', toSerial: 'R-19' });
  expect(await statusOf(third)).toBe(403);
  expect(await statusOf(second)).toBe(200);
  await endRule(range.id);
  const batch = await allow({ batch: 'B-2' });
  expect(await statusOf(third)).toBe(403);
  await ask(`${vault.url}/admin/v1/brands/${BRAND}/models/acme-old/serials?order=PO`, {
    method: 'POST',
    headers: { authorization: `Bearer ${vault.token}`, 'content-type': 'text/csv' },
    body: 'serial,batch\nR-16,B-1\nR-160,B-2\n',
  });
  expect(await statusOf(third)).toBe(200);
  await endRule(batch.id);
});

const statusOf = async (device: { key: Signer; old: Assertion } | undefined): Promise<number> => {
  if (device === undefined) throw new Error('cannot remodel nothing');
  return (await remodel(device.key, device.old)).status;
};

it('V57 originals that are incomplete or do not fit are 400', async () => {
  const rule = await allow();
  const { key, old } = await enrolled('RM-3');
  for (const missing of ['original-brand-id', 'original-model', 'original-serial']) {
    const answer = await remodel(key, old, { [missing]: undefined });
    expect([missing, answer.status]).toEqual([missing, 400]);
  }
  const two = await remodel(key, old, {
    'original-brand-id': undefined,
    'original-model': undefined,
  });
  expect(two.status).toBe(400);
  const alone = await serialRequest(to.assertion, await requestId(vault, to.apiKey), key, 'RM-3', {
    headers: { 'original-model': 'acme-old' },
  });
  expect((await postSerial(vault, to.apiKey, inStream(alone, to.assertion))).status).toBe(400);
  const without = await remodel(key, old, {
    'original-brand-id': undefined,
    'original-model': undefined,
    'original-serial': undefined,
  });
  expect([without.status, codeOf(without)]).toEqual([400, 'unexpected-assertion']);
  for (const wrong of [
    { 'original-model': 'acme-new' },
    { 'original-brand-id': 'other' },
    { 'original-serial': 'RM-2' },
  ]) {
    const answer = await remodel(key, old, wrong);
    expect([wrong, answer.status, codeOf(answer)]).toEqual([wrong, 400, 'mismatched-original']);
  }
  const thief = await remodel(freshKey(), old);
  expect([thief.status, codeOf(thief)]).toEqual([400, 'mismatched-original']);
  expect((await remodel(key, old)).status).toBe(200);
  await endRule(rule.id);
});

it('V58 an old serial by a retired key of the old model works, one by a foreign key does not', async () => {
  const rule = await allow();
  const { key, old } = await enrolled('RM-4');
  const next = await certifiedKey(vault, 'next-serials');
  const policy = { signingKeyId: next, minimumKeyBits: 2048 };
  await mutate(
    vault,
    vault.token,
    `setModelPolicy(brand: "${BRAND}", model: "acme-old", policy: $p)`,
    'Model',
    'policyRevision',
    {
      p: ['PolicyInput!', policy],
    },
  );
  await disableKey(vault, keyId, ['acme-new']);
  await mutate(
    vault,
    vault.token,
    `setModelPolicy(brand: "${BRAND}", model: "acme-new", policy: $p)`,
    'Model',
    'policyRevision',
    {
      p: ['PolicyInput!', policy],
    },
  );
  const forged = await signAssertion(
    { type: 'serial', headers: old.headers },
    localSigner(vectorKey('brand2')),
    new Date(),
  );
  const foreign = await remodel(key, forged);
  expect([foreign.status, codeOf(foreign)]).toEqual([400, 'mismatched-original']);
  const answer = await remodel(key, old);
  expect(answer.status).toBe(200);
  expect(serialIn(answer.text).signKeyId).toBe(next);
  await endRule(rule.id);
});

it('V59 works right after a restart', async () => {
  const rule = await allow();
  const { key, old } = await enrolled('RM-5');
  await vault.restart();
  expect((await remodel(key, old)).status).toBe(200);
  await endRule(rule.id);
});

it('V60 a superseded or revoked old serial is 403', async () => {
  const rule = await allow();
  const superseded = await enrolled('RM-6');
  const newKey = freshKey();
  await register(vault, from, newKey, 'RM-6');
  const [row] = await vault.sql<{ id: string }>(
    `SELECT id FROM vault.pending WHERE serial = 'RM-6'`,
  );
  await decide(vault, 'approve', row?.id);
  const current = serialIn((await register(vault, from, newKey, 'RM-6')).text);
  const answer = await remodel(superseded.key, superseded.old);
  expect([answer.status, codeOf(answer)]).toEqual([403, 'remodel-not-allowed']);
  const revoked = await enrolled('RM-7');
  await mutate(
    vault,
    vault.token,
    `revokeDevice(brand: "${BRAND}", model: "acme-old", serial: "RM-7", reason: "lost")`,
    'Device',
    'revokedAt',
  );
  const second = await remodel(revoked.key, revoked.old);
  expect([second.status, codeOf(second)]).toEqual([403, 'remodel-not-allowed']);
  expect((await remodel(newKey, current)).status).toBe(200);
  await endRule(rule.id);
});

it('V61 the serial is kept, and taken in the new model by another key it is held', async () => {
  const rule = await allow();
  await register(vault, to, freshKey(), 'RM-8');
  const { key, old } = await enrolled('RM-8');
  expect((await remodel(key, old)).status).toBe(202);
  const [row] = await vault.sql<{ id: string }>(
    `SELECT id FROM vault.pending WHERE serial = 'RM-8'`,
  );
  await decide(vault, 'approve', row?.id);
  const answer = await remodel(key, old);
  expect(serialIn(answer.text).headers).toMatchObject({
    model: 'acme-new',
    serial: 'RM-8',
    revision: '1',
  });
  await endRule(rule.id);
});

it('V63 a rule that has ended, has not begun or is used up lets nobody through; a thousand end in 5 s', async () => {
  const first = await enrolled('RM-9');
  const soon = await allow({ notBefore: new Date(Date.now() + 3_600_000).toISOString() });
  expect(codeOf(await remodel(first.key, first.old))).toBe('remodel-not-allowed');
  await endRule(soon.id);
  const short = await allow({ notAfter: new Date(Date.now() + 60_000).toISOString() });
  await shiftClock(vault.urls.owner, 120_000);
  expect(codeOf(await remodel(first.key, first.old))).toBe('remodel-not-allowed');
  await shiftClock(vault.urls.owner, 0);
  await endRule(short.id);
  const once = await allow({ maxUses: 1 });
  expect((await remodel(first.key, first.old)).status).toBe(200);
  const second = await enrolled('RM-10');
  expect(codeOf(await remodel(second.key, second.old))).toBe('remodel-not-allowed');
  await endRule(once.id);
  // Two that meet at the last use: one of them comes back, and finds it used up.
  const last = await allow({ maxUses: 1 });
  const [left, right] = [await enrolled('RM-11'), await enrolled('RM-12')];
  const answers = await Promise.all([statusOf(left), statusOf(right)]);
  expect(answers.filter((status) => status === 200)).toHaveLength(1);
  expect(answers.filter((status) => status === 403 || status === 503)).toHaveLength(1);
  await endRule(last.id);

  const serials = Array.from({ length: 1000 }, (_, index) => ({ fromSerial: `BULK-${index}` }));
  const rules = await allowAll(serials);
  const start = Date.now();
  await endRules(rules.map(({ id }) => id));
  expect(Date.now() - start).toBeLessThan(5_000);
  const [left0] = await vault.sql<{ n: number }>(
    `SELECT count(*)::int AS n FROM vault.remodel_rules WHERE ended_at IS NULL`,
  );
  expect(left0).toEqual({ n: 0 });
});

it('V62 models of different provisioning do not become each other, nor those of different brands', async () => {
  const rule = await allow();
  const { key, old } = await enrolled('RM-20');
  const signingKeyId = (await policyKey('acme-new')) ?? '';
  for (const { name, assertion } of [from, to]) {
    const put = (needsApiKey: boolean): Promise<unknown> =>
      registerModel(vault, name, { signingKeyId, needsApiKey }, assertion);
    await put(false);
    const mixed = await remodel(key, old);
    expect([name, mixed.status, codeOf(mixed)]).toEqual([name, 403, 'remodel-not-allowed']);
    await put(true);
  }
  expect((await remodel(key, old)).status).toBe(200);

  const foreign = await foreignModel(vault, to);
  const device = freshKey();
  const theirs = serialIn((await register(vault, foreign, device, 'RM-21')).text);
  // A rule of one brand alone says nothing of another, whatever its models are called.
  const same = { fromModel: 'acme-new', toModel: 'acme-new' };
  await allow(same);
  await allowAll([same], header(theirs, 'brand-id'));
  const named = { 'original-model': theirs.headers.model, 'original-serial': 'RM-21' };
  const across = await remodel(device, theirs, named, to.apiKey);
  expect([across.status, codeOf(across)]).toEqual([403, 'remodel-not-allowed']);
  await endRule(rule.id);
});

const policyKey = async (model: string): Promise<string | undefined> =>
  (
    await vault.sql<{ key: string }>(
      `SELECT policy ->> 'signingKeyId' AS key FROM vault.model_policies
       WHERE model = $1 ORDER BY revision DESC LIMIT 1`,
      [model],
    )
  )[0]?.key;
