import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  decodeAssertion,
  decodeAssertions,
  header,
  signAssertion,
  type Assertion,
  type Signer,
} from '#libs/assertions';
import { ask, type Answer } from '../../tools/clients/http.js';
import {
  BRAND,
  certifiedKey,
  freshKey,
  inStream,
  mutate,
  registerBrand,
  registerModel,
  startVault,
  type RunningVault,
  type TestModel,
} from './vault-kit.js';

interface Call {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** A serial-request and a model, as they were. */
  readonly body?: string;
  readonly expected: {
    readonly status: number;
    readonly type?: string;
    readonly types?: readonly string[];
    readonly headers?: readonly string[];
  };
}

const FILE = join(import.meta.dirname, '../captures/registration-requests.json');
const { registrations } = JSON.parse(readFileSync(FILE, 'utf8')) as {
  registrations: { client: string; calls: Call[] }[];
};

let late = 0;
let vault: RunningVault;
/** No gadget of the captures has an API key. One vault chose the serial; the other let the device wait for its order. */
let assigned: TestModel;
let listed: TestModel;

beforeAll(async () => {
  vault = await startVault();
  await registerBrand(vault);
  const signingKeyId = await certifiedKey(vault);
  const policy = { signingKeyId, needsApiKey: false };
  assigned = await registerModel(vault, 'real-classic-store', {
    ...policy,
    enrolment: { assigned: true },
  });
  listed = await registerModel(vault, 'real-classic-listed', {
    ...policy,
    enrolment: { list: true, lateDays: 1 },
  });
});
afterAll(() => vault?.stop());

/** What the client sent, with names, id and key of this test: of the same headers in the same order, signed anew. */
async function inPlaceOf(
  captured: string,
  { assertion }: TestModel,
  requestId: string,
  signer: Signer,
  serial?: string,
): Promise<string> {
  const [serialRequest] = captured.split('\n\ntype: model\n');
  const theirs = decodeAssertion(Buffer.from(serialRequest ?? ''));
  const ours: Readonly<Record<string, string>> = {
    'brand-id': BRAND,
    model: header(assertion, 'model'),
    'request-id': requestId,
    'device-key': signer.publicKey.encoded,
  };
  const names = Object.keys(theirs.headers).filter(
    (name) => !['type', 'sign-key-sha3-384', 'body-length'].includes(name),
  );
  expect(names.filter((name) => !(name in ours))).toEqual([]);
  const request = await signAssertion(
    {
      type: 'serial-request',
      headers: {
        ...Object.fromEntries(names.map((name) => [name, ours[name] ?? ''])),
        // Only a serial that a device proposes can be waited for.
        ...(serial !== undefined && { serial }),
      },
    },
    signer,
    new Date(),
  );
  return inStream(request, assertion);
}

const send = ({ path, headers }: Call, body?: string): Promise<Answer> =>
  ask(`${vault.url}${path}`, { method: 'POST', headers, ...(body !== undefined && { body }) });

/** The order comes after the device. */
const announce = (serial: string): Promise<unknown> =>
  mutate(
    vault,
    vault.token,
    `listSerials(brand: "${BRAND}", model: "real-classic-listed", serials: ["${serial}"])`,
    'ListedSerials',
    'added',
  );

function expectSerial(answer: Answer, { type, types, headers }: Call['expected']): Assertion {
  expect(answer.headers.get('content-type')).toBe(type);
  const stream = decodeAssertions(Buffer.from(answer.text));
  // What comes beside the serial is ancillary; the serial is one (device-api.md 2.9).
  const serials = stream.filter((one) => types?.includes(one.type));
  expect(serials).toHaveLength(1);
  const [serial] = serials as [Assertion];
  expect(Object.keys(serial.headers)).toEqual(expect.arrayContaining([...(headers ?? [])]));
  return serial;
}

describe('how real clients registered', () => {
  it.each(registrations)('$client gets its serial', async ({ calls }) => {
    const isLate = calls.some(({ expected }) => expected.status === 202);
    const model = isLate ? listed : assigned;
    const serial = isLate ? `LATE-${++late}` : undefined;
    const signer = freshKey();
    let requestId = '';
    let body = '';
    for (const call of calls) {
      if (call.body === undefined) {
        const answer = await send(call);
        expect([answer.status, answer.headers.get('content-type')]).toEqual([
          call.expected.status,
          call.expected.type,
        ]);
        requestId = answer.json<{ 'request-id': string }>()['request-id'];
        continue;
      }
      // The client asks again with the bytes of the first time.
      body ||= await inPlaceOf(call.body, model, requestId, signer, serial);
      const answer = await send(call, body);
      expect([answer.status, answer.status === call.expected.status ? '' : answer.text]).toEqual([
        call.expected.status,
        '',
      ]);
      if (answer.status === 202) {
        await announce(serial ?? '');
        continue;
      }
      const stated = expectSerial(answer, call.expected);
      expect(header(stated, 'device-key-sha3-384')).toBe(signer.publicKey.id);
      if (serial !== undefined) expect(header(stated, 'serial')).toBe(serial);
    }
  });

  it('are of old and new clients, at once and after a while', () => {
    const all = registrations.flatMap(({ calls }) => calls);
    expect(all.filter(({ expected }) => expected.status === 202)).toHaveLength(2);
    expect(registrations.map(({ client }) => client).join()).toMatch(/2\.57.*2\.99/);
  });
});
