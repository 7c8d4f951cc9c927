import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AssertionDatabase, decodeAssertion, decodeAssertions, header } from '#libs/assertions';
import { shiftClock } from '#libs/database';
import {
  BRAND,
  certify,
  certifiedKey,
  codeOf,
  freshKey,
  inStream,
  mutate,
  postSerial,
  query,
  register,
  registerModel,
  requestId,
  serialIn,
  serialRequest,
  type RunningVault,
  type TestModel,
} from './vault-kit.js';
import { startVaultWithModel } from './support/start.js';
import { decide } from './support/people.js';
import { ask } from '../../tools/clients/http.js';
import { foreignModel } from './foreign-model.js';

let vault: RunningVault;
let keyId = '';
let hold: TestModel;

beforeAll(async () => {
  ({ vault, keyId, model: hold } = await startVaultWithModel('acme-hold'));
});
afterAll(() => vault?.stop());

const DAY_MS = 86_400_000;

interface Pending {
  id: string;
  serial: string;
  deviceKeyId: string;
  formerDeviceKeyId: string;
}
async function pending(serial: string): Promise<Pending[]> {
  const { pending: all } = await query<{ pending: Pending[] }>(
    vault,
    vault.token,
    `{ pending(brand: "${BRAND}") { id serial deviceKeyId formerDeviceKeyId } }`,
  );
  return all.filter((one) => one.serial === serial);
}

const outcomes = async (serial: string): Promise<string[]> =>
  (
    await vault.sql<{ outcome: string }>(
      'SELECT outcome FROM vault.signing_log WHERE serial = $1 ORDER BY seq',
      [serial],
    )
  ).map(({ outcome }) => outcome);

/** How often somebody was told of a serial that came with another key. */
async function alarms(): Promise<number> {
  const { text } = await ask(`${vault.opsUrl()}/metrics`);
  return Number(
    /^brandstore_alarms_total\{alarm="duplicate-held".*\} (\d+)$/m.exec(text)?.[1] ?? 0,
  );
}

describe('same serial and key (S1 of serial-vault.md 6.3)', () => {
  it('V41 gets the same bytes again; revoked it is refused; when the key was retired it is signed anew', async () => {
    const key = freshKey();
    const first = await register(vault, hold, key, 'S1-A');
    const again = await register(vault, hold, key, 'S1-A');
    expect([again.status, again.text]).toEqual([200, first.text]);
    expect(await outcomes('S1-A')).toEqual(['signed', 'repeated']);

    // The brand retires the key: its account-key gets an end, and another one takes over.
    const retiring = await certifiedKey(vault, 'acme-retiring');
    const model = await registerModel(vault, 'acme-retired', { signingKeyId: retiring });
    const device = freshKey();
    expect((await register(vault, model, device, 'S1-B')).status).toBe(200);
    const { signingKeys } = await query<{
      signingKeys: { keyId: string; accountKeyRequest: string }[];
    }>(vault, vault.token, `{ signingKeys(brand: "${BRAND}") { keyId accountKeyRequest } }`);
    const request = signingKeys.find((one) => one.keyId === retiring)?.accountKeyRequest ?? '';
    const ended = await certify(decodeAssertion(Buffer.from(request)), {
      revision: '1',
      until: '2025-01-01T00:00:00Z',
    });
    await mutate(
      vault,
      vault.token,
      `importAccountKey(brand: "${BRAND}", assertions: $a)`,
      'SigningKey',
      'isCertified',
      {
        a: ['String!', ended.bytes.toString()],
      },
    );
    await registerModel(vault, 'acme-retired', { signingKeyId: keyId }, model.assertion);
    const renewed = await register(vault, model, device, 'S1-B');
    expect(renewed.status).toBe(200);
    expect(serialIn(renewed.text).headers).toMatchObject({
      revision: '1',
      'sign-key-sha3-384': keyId,
    });
    const onDevice = new AssertionDatabase({ trusted: [...vault.trusted] });
    const stream = decodeAssertions(Buffer.from(renewed.text));
    expect(onDevice.addBatch(stream, new Date())).toEqual({ valid: true });

    await mutate(
      vault,
      vault.token,
      `revokeDevice(brand: "${BRAND}", model: "acme-hold", serial: "S1-A", reason: "stolen")`,
      'Device',
      'revokedAt',
    );
    const refused = await register(vault, hold, key, 'S1-A');
    expect([refused.status, codeOf(refused)]).toEqual([403, 'revoked-device']);
    // Nor does the key get anything else of the brand, nor the serial with another key.
    expect(codeOf(await register(vault, hold, key, 'S1-C'))).toBe('revoked-device');
    expect(codeOf(await register(vault, hold, freshKey(), 'S1-A'))).toBe('revoked-device');
  });
});

describe('same serial and another key (S2 of serial-vault.md 6.3)', () => {
  it('V42 V45 is held with an alarm, refused, re-issued a few times or allowed, as the model says', async () => {
    // hold → approve
    const before = await alarms();
    const [oldKey, newKey] = [freshKey(), freshKey()];
    await register(vault, hold, oldKey, 'S2-A');
    const held = await register(vault, hold, newKey, 'S2-A');
    expect([held.status, held.headers.get('content-type')]).toEqual([202, 'application/json']);
    expect(await alarms()).toBe(before + 1);
    // Polling tells nobody again.
    expect((await register(vault, hold, newKey, 'S2-A')).status).toBe(202);
    expect(await alarms()).toBe(before + 1);
    const [entry] = await pending('S2-A');
    expect(entry).toMatchObject({
      deviceKeyId: newKey.publicKey.id,
      formerDeviceKeyId: oldKey.publicKey.id,
    });
    await decide(vault, 'approve', entry?.id);
    const approved = await register(vault, hold, newKey, 'S2-A');
    expect(approved.status).toBe(200);
    expect(serialIn(approved.text).headers).toMatchObject({ revision: '1' });
    expect(await outcomes('S2-A')).toEqual(['signed', 'pending', 'approved', 'signed']);
    const signed = await vault.sql(
      `SELECT device_key_id, revision, operator <> '' AS by_somebody FROM vault.signing_log
       WHERE serial = 'S2-A' AND outcome = 'signed' ORDER BY seq`,
    );
    expect(signed).toEqual([
      { device_key_id: oldKey.publicKey.id, revision: 0, by_somebody: false },
      { device_key_id: newKey.publicKey.id, revision: 1, by_somebody: true },
    ]);
    // The former key is superseded.
    const former = await register(vault, hold, oldKey, 'S2-A');
    expect([former.status, codeOf(former)]).toEqual([403, 'revoked-device']);

    // hold → refuse
    const clone = freshKey();
    expect((await register(vault, hold, clone, 'S2-A')).status).toBe(202);
    const [second] = await pending('S2-A');
    await decide(vault, 'refuse', second?.id);
    const refused = await register(vault, hold, clone, 'S2-A');
    expect([refused.status, codeOf(refused)]).toEqual([403, 'refused-by-operator']);
    await expect(decide(vault, 'approve', second?.id)).rejects.toThrow('Conflict');

    const strict = await registerModel(vault, 'acme-refuse', {
      signingKeyId: keyId,
      duplicates: 'refuse',
    });
    await register(vault, strict, freshKey(), 'S2-B');
    const conflict = await register(vault, strict, freshKey(), 'S2-B');
    expect([conflict.status, codeOf(conflict)]).toEqual([409, 'duplicate-serial']);

    const some = await registerModel(vault, 'acme-reissue', {
      signingKeyId: keyId,
      duplicates: 'reissue',
      reissueLimit: 2,
      reissueDays: 10,
    });
    const statuses: number[] = [];
    for (let index = 0; index < 4; index++)
      statuses.push((await register(vault, some, freshKey(), 'S2-C')).status);
    expect(statuses).toEqual([200, 200, 200, 409]);
    await shiftClock(vault.urls.owner, 31 * DAY_MS);
    expect((await register(vault, some, freshKey(), 'S2-C')).status).toBe(200);
    // An approval counts 30 days, a refusal for good.
    expect(codeOf(await register(vault, hold, clone, 'S2-A'))).toBe('refused-by-operator');
    await shiftClock(vault.urls.owner, 0);

    const any = await registerModel(vault, 'acme-allow', {
      signingKeyId: keyId,
      duplicates: 'allow',
    });
    const revisions: (string | undefined)[] = [];
    for (let index = 0; index < 3; index++) {
      const { headers } = serialIn((await register(vault, any, freshKey(), 'S2-D')).text);
      revisions.push(headers.revision as string | undefined);
    }
    expect(revisions).toEqual([undefined, '1', '2']);
  });

  it('V25 the revision is absent at first, and 1 at the first re-issue', async () => {
    const model = await registerModel(vault, 'acme-revisions', {
      signingKeyId: keyId,
      duplicates: 'allow',
    });
    const first = serialIn((await register(vault, model, freshKey(), 'R-1')).text);
    expect(first.bytes.toString()).not.toContain('revision:');
    expect(
      header(serialIn((await register(vault, model, freshKey(), 'R-1')).text), 'revision'),
    ).toBe('1');
  });

  it('V32 waits longer than its request-id lives, and joins one entry when the device begins again', async () => {
    await register(vault, hold, freshKey(), 'S2-W');
    const key = freshKey();
    const request = await serialRequest(
      hold.assertion,
      await requestId(vault, hold.apiKey),
      key,
      'S2-W',
    );
    const body = inStream(request, hold.assertion);
    const poll = async (): Promise<number> => (await postSerial(vault, hold.apiKey, body)).status;
    expect(await poll()).toBe(202);
    await shiftClock(vault.urls.owner, DAY_MS);
    expect(await poll()).toBe(202);
    expect((await register(vault, hold, key, 'S2-W')).status).toBe(202);
    const entries = await pending('S2-W');
    expect(entries).toHaveLength(1);
    await decide(vault, 'approve', entries[0]?.id);
    // The old change is still polling, and the one that was begun again ends well too.
    expect(await poll()).toBe(200);
    expect((await register(vault, hold, key, 'S2-W')).status).toBe(200);
    expect(await outcomes('S2-W')).toEqual(['signed', 'pending', 'approved', 'signed', 'repeated']);
    await shiftClock(vault.urls.owner, 0);
  });

  it('V44 of 50 parallel first requests for one serial one is signed, 49 are held', async () => {
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => register(vault, hold, freshKey(), 'S2-RACE')),
    );
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    expect(statuses.filter((status) => status === 202)).toHaveLength(49);
    expect((await outcomes('S2-RACE')).filter((outcome) => outcome === 'signed')).toHaveLength(1);
    expect(await pending('S2-RACE')).toHaveLength(49);
  });
});

it('V43 another serial for a known key (S3 of serial-vault.md 6.3), and another model without remodel (S4), are 409', async () => {
  const other = await registerModel(vault, 'acme-other', { signingKeyId: keyId });
  const key = freshKey();
  expect((await register(vault, hold, key, 'S3-A')).status).toBe(200);
  const s3 = await register(vault, hold, key, 'S3-B');
  expect([s3.status, codeOf(s3)]).toEqual([409, 'duplicate-device-key']);
  const s4 = await register(vault, other, key, 'S3-A');
  expect([s4.status, codeOf(s4)]).toEqual([409, 'duplicate-device-key']);
});

it('one device key that asks for ten serials at once gets one', async () => {
  const key = freshKey();
  const answers = await Promise.all(
    Array.from({ length: 10 }, (_, index) => register(vault, hold, key, `ONE-${index}`)),
  );
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  expect(answers.filter(({ status }) => status === 409)).toHaveLength(9);
});

it('V46 the same serial under two models of a brand, and under two brands, is as many devices', async () => {
  const other = await registerModel(vault, 'acme-twin', { signingKeyId: keyId });
  const foreign = await foreignModel(vault, hold);
  const devices = [hold, other, foreign].map((model) => ({ model, key: freshKey() }));
  const given: string[] = [];
  for (const { model, key } of devices) {
    const answer = await register(vault, model, key, 'TWIN');
    given.push(answer.text);
    expect(answer.status, answer.text).toBe(200);
    expect(serialIn(answer.text).headers).toMatchObject({
      'brand-id': model.assertion.headers['brand-id'],
      model: model.name,
      serial: 'TWIN',
    });
  }
  const again: string[] = [];
  for (const { model, key } of devices)
    again.push((await register(vault, model, key, 'TWIN')).text);
  expect(again).toEqual(given);
});

it('V97 the dry run tells each check, signs nothing and uses no request-id up', async () => {
  await register(vault, hold, freshKey(), 'DRY-1');
  await register(vault, hold, freshKey(), 'DRY-2');
  const revoke = `revokeDevice(brand: "${BRAND}", model: "acme-hold", serial: "DRY-2", reason: "r")`;
  await mutate(vault, vault.token, revoke, 'Device', 'serial');
  const count = async (): Promise<unknown> =>
    vault.sql(
      'SELECT (SELECT count(*) FROM vault.signing_log) AS rows, (SELECT count(*) FROM vault.reservations) AS held, (SELECT count(*) FROM vault.pending) AS pending, (SELECT count(*) FROM vault.devices) AS devices, (SELECT count(*) FROM vault.nonces) AS nonces, (SELECT count(*) FROM vault.nonces WHERE used_at IS NULL) AS unused',
    );
  const before = await count();
  /** The outcome, and step and code of each check. */
  const would = async (model: string, serial: string): Promise<unknown[]> => {
    const { wouldSign } = await query<{
      wouldSign: {
        outcome: string;
        verdicts: { step: number; passed: boolean; code: string | null; message: string }[];
      };
    }>(
      vault,
      vault.token,
      `{ wouldSign(brand: "${BRAND}", model: "${model}", serial: "${serial}") { outcome verdicts { step passed code message } } }`,
    );
    const { outcome, verdicts } = wouldSign;
    for (const { passed, code, message } of verdicts)
      expect([passed, message === '']).toEqual([code === null, code === null]);
    return [outcome, Object.fromEntries(verdicts.map(({ step, code }) => [step, code]))];
  };
  const passed = { 9: null, 13: null, 14: null, 15: null, 16: null };
  expect(await would('acme-hold', 'DRY-NEW')).toEqual(['signed', passed]);
  expect(await would('acme-hold', 'DRY-1')).toEqual(['pending', passed]);
  const badSerial = { ...passed, 13: 'bad-serial' };
  expect(await would('acme-hold', 'DRY 1')).toEqual(['refused', badSerial]);
  const revoked = { ...passed, 14: 'revoked-device' };
  expect(await would('acme-hold', 'DRY-2')).toEqual(['refused', revoked]);
  expect(await would('acme-nothing', 'X')).toEqual(['refused', { 9: 'unknown-model' }]);
  expect(await count()).toEqual(before);
});
