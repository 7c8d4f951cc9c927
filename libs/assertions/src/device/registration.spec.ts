import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  AssertionDatabase,
  checkModel,
  checkSerial,
  checkSerialRequest,
  decodeAssertion,
  header,
  localSigner,
  signAssertion,
  type Assertion,
} from '../index.js';

const folder = join(import.meta.dirname, '../../../../test/vectors/assertions');
const read = (name: string): Assertion =>
  decodeAssertion(readFileSync(join(folder, `${name}.assert`)));
const signerOf = (name: string) =>
  localSigner(createPrivateKey(readFileSync(join(folder, `keys/${name}.pem`))));
const now = new Date('2026-01-01T00:00:00Z');

const database = new AssertionDatabase({
  trusted: [read('chain/root-account'), read('chain/root-account-key')],
});
const added = [
  'store-account-key',
  'brand-account',
  'brand-account-key',
  'delegate-account',
  'delegate-account-key',
].map((name) => database.add(read(`chain/${name}`), now).valid);
const model = read('valid/model-core18');

function serialRequest(): Promise<Assertion> {
  const device = signerOf('device');
  const headers = {
    'brand-id': 'brand-acme',
    model: 'acme-edge-18',
    'request-id': 'REQ-1',
    'device-key': device.publicKey.encoded,
  };
  return signAssertion({ type: 'serial-request', headers }, device, now);
}

async function serialBy(
  signer: string,
  authority: string,
  request: Assertion,
  brand = 'brand-acme',
): Promise<Assertion> {
  const headers = {
    'authority-id': authority,
    'brand-id': brand,
    model: header(request, 'model'),
    serial: 'ACME-0001',
    'device-key': header(request, 'device-key'),
    'device-key-sha3-384': request.signKeyId,
    timestamp: '2025-01-01T00:00:00Z',
  };
  return signAssertion({ type: 'serial', headers }, signerOf(signer), now);
}

describe('from a model to a serial', () => {
  it('every step accepts what an honest device and brand make', async () => {
    expect(added).not.toContain(false);
    const request = await serialRequest();
    expect(checkModel({ model, database, now })).toEqual({ valid: true });
    expect(checkSerialRequest({ serialRequest: request, model, issuedRequestId: 'REQ-1' })).toEqual(
      { valid: true },
    );
    const serial = await serialBy('brand', 'brand-acme', request);
    expect(checkSerial({ serial, model, serialRequest: request, database, now })).toEqual({
      valid: true,
    });
  });

  it('a serial by an account that the model does not name is refused, by one that it names accepted', async () => {
    const request = await serialRequest();
    const serial = await serialBy('delegate', 'delegate-one', request);
    expect(checkSerial({ serial, model, serialRequest: request, database, now })).toMatchObject({
      errorClass: 'authority not allowed to sign this',
    });
    const allowing = read('valid/model-serial-authority');
    const headers = { ...serial.headers, model: header(allowing, 'model') };
    const delegated = await signAssertion({ type: 'serial', headers }, signerOf('delegate'), now);
    expect(checkSerial({ serial: delegated, model: allowing, database, now })).toEqual({
      valid: true,
    });
  });

  it('a serial for another device key than the request is refused', async () => {
    const request = await serialRequest();
    const serial = read('valid/serial-device2');
    expect(checkSerial({ serial, model, serialRequest: request, database, now })).toMatchObject({
      errorClass: 'device identity does not match across assertions',
    });
  });

  it('a model of another type of assertion is refused', async () => {
    expect(checkModel({ model: await serialRequest(), database, now })).toMatchObject({
      errorClass: 'unexpected assertions in the request',
    });
  });
});
