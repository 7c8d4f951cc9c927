import { afterAll, beforeAll, expect, it } from 'vitest';
import { decodeAssertions, header, verifySelfSigned, type ErrorClass } from '#libs/assertions';
import { hashNonce } from '#libs/auth';
import {
  BRAND,
  brandSigner,
  CHAIN,
  certifiedKey,
  codeOf,
  freshKey,
  modelAssertion,
  mutate,
  postSerial,
  register,
  registerBrand,
  registerModel,
  ROOT,
  serialIn,
  startVault,
  vector,
  vectorBytes,
  type RunningVault,
} from './vault-kit.js';
import { SnapdVerdict } from './support/snapd-verdict.js';
import { findSnapTool, HOW_TO_INSTALL } from '../assertions/snap-tool.js';

interface Entry {
  readonly id: string;
  readonly file: string;
  readonly procedure: string;
  readonly params: { readonly issued_request_id: string };
  readonly valid: boolean;
  readonly expected_error_class: ErrorClass | null;
}

const { vectors } = JSON.parse(vectorBytes('index.json').toString()) as {
  vectors: readonly Entry[];
};
const registrations = vectors.filter(({ procedure }) => procedure === 'registration');

/** The verdict of the vectors in the words of serial-vault.md 19. */
const CODES: Partial<Record<ErrorClass, readonly string[]>> = {
  'device identity does not match across assertions': ['mismatched-model', 'mismatched-original'],
  'unexpected assertions in the request': ['unexpected-assertion'],
  'signature does not verify': ['bad-signature', 'untrusted-model'],
  'signing key unknown': ['untrusted-model'],
  'request-id not the issued one': ['invalid-nonce'],
};

interface Refused {
  readonly why: string;
  readonly status: number;
  readonly code: string;
}

/** Policy, not protocol: their assertions are sound, and this vault has its own reason. */
const REFUSED_BY_POLICY: Readonly<Record<string, Refused>> = {
  'device/registration-ok': {
    why: 'no serial is proposed, and the model does not let the vault choose',
    status: 400,
    code: 'missing-serial',
  },
  'device/registration-ok-generic': {
    why: 'the generic brand is not known here',
    status: 400,
    code: 'untrusted-model',
  },
  'device/registration-remodel-ok': {
    why: 'the old serial is not in our log',
    status: 403,
    code: 'remodel-not-allowed',
  },
};

let vault: RunningVault;
beforeAll(async () => {
  vault = await startVault();
  await registerBrand(vault);
  const signingKeyId = await certifiedKey(vault);
  const models = registrations
    .flatMap(({ file }) => decodeAssertions(vectorBytes(file)))
    .filter((one) => one.type === 'model' && verifySelfSigned(one, brandSigner.publicKey).valid);
  for (const model of new Map(models.map((one) => [header(one, 'model'), one])).values()) {
    const policy = { signingKeyId, minimumKeyBits: 2048, needsApiKey: false };
    await mutate(
      vault,
      vault.token,
      `registerModel(brand: "${BRAND}", assertion: $a, policy: $p)`,
      'Model',
      'model',
      {
        a: ['String!', model.bytes.toString()],
        p: ['PolicyInput!', policy],
      },
    );
  }
});
afterAll(() => vault?.stop());

/** The vectors bring their request-id; here it is as if it had been issued this moment, without key. */
async function issue(requestId: string): Promise<void> {
  await vault.sql('DELETE FROM vault.nonces; DELETE FROM vault.devices');
  await vault.sql(
    `INSERT INTO vault.nonces (nonce_hash, address, expires_at) VALUES ($1, '127.0.0.1', app.now() + interval '10 minutes')`,
    [hashNonce(requestId)],
  );
}

it('there are registration vectors, of both verdicts', () => {
  expect(registrations.filter(({ valid }) => valid).length).toBeGreaterThanOrEqual(4);
  expect(registrations.filter(({ valid }) => !valid).length).toBeGreaterThanOrEqual(10);
});

for (const entry of registrations) {
  const policy = REFUSED_BY_POLICY[entry.id];
  const verdict = policy?.why ?? entry.expected_error_class ?? 'signed';
  it(`${entry.id}: ${verdict}`, async () => {
    await issue(entry.params.issued_request_id);
    const answer = await postSerial(vault, undefined, vectorBytes(entry.file));
    if (policy !== undefined) {
      expect([answer.status, codeOf(answer)]).toEqual([policy.status, policy.code]);
    } else if (entry.expected_error_class !== null) {
      expect(answer.status).toBe(400);
      expect(CODES[entry.expected_error_class]).toContain(codeOf(answer));
    } else {
      expect(answer.status).toBe(200);
      const [request] = decodeAssertions(vectorBytes(entry.file));
      const serial = serialIn(answer.text);
      for (const name of ['serial', 'device-key'])
        expect(serial.headers[name]).toBe(request?.headers[name]);
      expect(serial.body).toEqual(request?.body);
    }
  });
}

const tool = findSnapTool();
afterAll(() => tool?.remove());

it.skipIf(tool === undefined)(
  `V12 a serial of the vault is verified by snapd's Go library, and with any bit changed it is not (needs: ${HOW_TO_INSTALL})`,
  async () => {
    const model = await registerModel(vault, 'acme-judged', {
      signingKeyId: await certifiedKey(vault, 'judged'),
    });
    const answer = await register(vault, model, freshKey(), 'JUDGED-1', { body: 'mac: 00-11\n' });
    const serial = serialIn(answer.text).bytes;
    const chain = decodeAssertions(Buffer.from(answer.text)).filter(
      ({ type }) => type !== 'serial',
    );
    const classic = await modelAssertion('acme-judge', {
      ...{ classic: 'true', architecture: undefined, base: undefined },
      ...{ gadget: undefined, kernel: undefined },
    });
    const stream = [...chain, ...CHAIN.map(vector), classic];
    const distinct = new Map(stream.map((one) => [`${one.type}/${one.primaryKey.join('/')}`, one]));
    if (tool === undefined) throw new Error('internal error: skipped without the program');
    const snapd = new SnapdVerdict(tool, ROOT.map(vector), [...distinct.values()]);
    expect(await snapd.on(serial)).toBe('');

    const places = (what: string): number => serial.indexOf(what) + what.length;
    const signature = serial.lastIndexOf('\n\n') + 2;
    const changed = {
      'a letter of the serial': places('\nserial: '),
      'a letter of the model': places('\nmodel: acme-'),
      'a digit of the time': places('\ntimestamp: 20'),
      'the device key': places('\ndevice-key:\n    ') + 100,
      'the body': places('\n\nmac: '),
      // Beyond the head of its packet, where a changed bit would be no packet any more.
      'the signature': signature + 400,
      'the last of the signature': serial.length - 10,
    };
    for (const [what, at] of Object.entries(changed)) {
      const bytes = Buffer.from(serial);
      bytes[at] = (bytes[at] ?? 0) ^ 1;
      expect(await snapd.on(bytes), what).toMatch(/cannot (?:accept some|read) assertions/);
    }
  },
  120_000,
);
