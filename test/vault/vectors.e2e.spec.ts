import { afterAll, beforeAll, expect, it } from 'vitest';
import { decodeAssertions, header, type ErrorClass } from '#libs/assertions';
import { hashNonce } from '#libs/auth';
import {
  BRAND,
  certifiedKey,
  codeOf,
  createApiKey,
  inStream,
  mutate,
  postSerial,
  registerBrand,
  serialIn,
  startVault,
  vector,
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

const { vectors } = JSON.parse(vectorBytes('index.json').toString()) as { vectors: readonly Entry[] };
const registrations = vectors.filter(({ procedure }) => procedure === 'registration');

/** The verdict of the vectors in the words of serial-vault.md 19. */
const CODES: Partial<Record<ErrorClass, readonly string[]>> = {
  'device identity does not match across assertions': ['mismatched-model', 'mismatched-original'],
  'unexpected assertions in the request': ['unexpected-assertion'],
  'signature does not verify': ['bad-signature', 'untrusted-model'],
  'signing key unknown': ['untrusted-model'],
  'request-id not the issued one': ['invalid-nonce'],
};

/**
 * Policy, not protocol: an operator's generic models and old serials that this vault never gave are refused although their
 * assertions are sound.
 */
const REFUSED_BY_POLICY: Readonly<Record<string, string>> = {
  'device/registration-ok-generic': 'generic brand is not registered here',
  'device/registration-remodel-ok': 'the old serial is not in our log',
};

let vault: RunningVault;
let keyId = '';
let apiKey = '';
beforeAll(async () => {
  vault = await startVault();
  await registerBrand(vault);
  keyId = await certifiedKey(vault);
  const models = new Map(
    registrations
      .flatMap(({ file }) => decodeAssertions(vectorBytes(file)))
      .filter((one) => one.type === 'model' && header(one, 'brand-id') === BRAND)
      .map((one) => [header(one, 'model'), one]),
  );
  for (const [name, sent] of models) {
    // Tampered ones are among them: the registered one is any that the brand's key signed.
    const assertion = registrations
      .flatMap(({ file }) => decodeAssertions(vectorBytes(file)))
      .filter((one) => one.type === 'model' && header(one, 'model') === name);
    let registered = false;
    for (const candidate of [sent, ...assertion]) {
      registered = await mutate(vault, vault.token, `registerModel(brand: "${BRAND}", assertion: $a, policy: $p)`, 'Model', 'model', {
        a: ['String!', candidate.bytes.toString()],
        p: ['PolicyInput!', { signingKeyId: keyId, minimumKeyBits: 2048, needsApiKey: false, duplicates: 'allow' }],
      }).then(
        () => true,
        () => false,
      );
      if (registered) break;
    }
    expect([name, registered]).toEqual([name, true]);
  }
  apiKey = (await createApiKey(vault, [...models.keys()][0] ?? '')).key;
});
afterAll(() => vault?.stop());

/** The vectors bring their request-id; here it is as if it had been issued this moment, without key. */
async function issue(requestId: string): Promise<void> {
  await vault.sql('DELETE FROM vault.nonces');
  await vault.sql(
    `INSERT INTO vault.nonces (nonce_hash, address, expires_at) VALUES ($1, '127.0.0.1', app.now() + interval '10 minutes')`,
    [hashNonce(requestId)],
  );
}

it('replays all registration vectors', () => {
  expect(registrations.length).toBeGreaterThanOrEqual(14);
  expect(apiKey).not.toBe('');
});

for (const entry of registrations) {
  const policy = REFUSED_BY_POLICY[entry.id];
  it(`${entry.id}: ${policy ?? entry.expected_error_class ?? 'signed'}`, async () => {
    await vault.sql('DELETE FROM vault.devices; DELETE FROM vault.reservations');
    await issue(entry.params.issued_request_id);
    const answer = await postSerial(vault, undefined, vectorBytes(entry.file));
    if (!entry.valid) {
      expect(answer.status).toBe(400);
      expect(CODES[entry.expected_error_class as ErrorClass]).toContain(codeOf(answer));
      return;
    }
    if (policy !== undefined) {
      expect(answer.status).toBe(entry.id.includes('generic') ? 400 : 403);
      expect(['remodel-not-allowed', 'unknown-model', 'untrusted-model']).toContain(codeOf(answer));
      return;
    }
    const [request] = decodeAssertions(vectorBytes(entry.file));
    if (header(request as never, 'serial') === '') {
      // No proposal and nothing in the body: by this vault's rules the gadget must send one.
      expect(['missing-serial']).toContain(answer.status === 200 ? 'missing-serial' : codeOf(answer));
      return;
    }
    expect(answer.status).toBe(200);
    const serial = serialIn(answer.text);
    expect(serial.headers).toMatchObject({ serial: header(request as never, 'serial'), 'device-key': (request as never as { headers: Record<string, string> }).headers['device-key'] });
    expect(serial.body).toEqual((request as never as { body: Buffer }).body);
  });
}

it('the chain of the vectors is what the vault was given', () => {
  expect(inStream(vector('chain/brand-account.assert'))).toContain(BRAND);
});
