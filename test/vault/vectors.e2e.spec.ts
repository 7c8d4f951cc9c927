import { afterAll, beforeAll, expect, it } from 'vitest';
import { decodeAssertions, header, verifySelfSigned, type ErrorClass } from '#libs/assertions';
import { hashNonce } from '#libs/auth';
import {
  BRAND,
  brandSigner,
  certifiedKey,
  codeOf,
  mutate,
  postSerial,
  registerBrand,
  serialIn,
  startVault,
  vectorBytes,
  type RunningVault,
} from './vault-kit.js';

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
