import { describe, expect, it } from 'vitest';
import { AuthError } from './auth-error.js';
import {
  bindDischarge,
  decodeMacaroon,
  encodeMacaroon,
  mintMacaroon,
  signatureOf,
} from './macaroon.js';

// The test vector of publisher-api.md 2.4, cross-checked there with pymacaroons and the real client.
const ROOT =
  'MDAxZGxvY2F0aW9uIHN0b3JlLmFjbWUudGVzdAowMDE4aWRlbnRpZmllciB0b2tfMDAwMQowMDM1Y2lkIHN0b3JlLmFjbWUudGVzdHxleHBpcmVzfDIwMjctMDEtMzFUMDA6MDA6MDBaCjAwMTFjaWQgY2F2XzAwMDEKMDAxOHZpZCBvcGFxdWUtdmlkLTAwMDEKMDAxN2NsIHN0b3JlLmFjbWUudGVzdAowMDJmc2lnbmF0dXJlIJOJ4L-5Z4ubXsdNFH1nSEh6KtvMEHjld3YuYdabUAbSCg';
const DISCHARGE =
  'MDAxZGxvY2F0aW9uIHN0b3JlLmFjbWUudGVzdAowMDE4aWRlbnRpZmllciBjYXZfMDAwMQowMDI5Y2lkIHN0b3JlLmFjbWUudGVzdHxhY2NvdW50fGFjY18wMDAxCjAwMmZzaWduYXR1cmUgB0MmY7FVtqNRD0UYgiO7JIC03p1dfNaefkBpSJKjy_wK';
const BOUND =
  'MDAxZGxvY2F0aW9uIHN0b3JlLmFjbWUudGVzdAowMDE4aWRlbnRpZmllciBjYXZfMDAwMQowMDI5Y2lkIHN0b3JlLmFjbWUudGVzdHxhY2NvdW50fGFjY18wMDAxCjAwMmZzaWduYXR1cmUgUe4SMo_69-PWwAM4ViEZsHiN3p_o83C9yP4IDkHE2tYK';

const rootKey = Buffer.from('root-key-for-test-0001');
const caveatKey = Buffer.from('caveat-key-for-test-0001');
const location = 'store.acme.test';
const rootContents = {
  location,
  identifier: 'tok_0001',
  caveats: [
    { id: 'store.acme.test|expires|2027-01-31T00:00:00Z' },
    { id: 'cav_0001', vid: Buffer.from('opaque-vid-0001'), location },
  ],
};
const dischargeContents = {
  location,
  identifier: 'cav_0001',
  caveats: [{ id: 'store.acme.test|account|acc_0001' }],
};

describe('version-1 macaroons', () => {
  it('P8 are minted byte for byte as the reference does', () => {
    expect(encodeMacaroon(mintMacaroon(rootKey, rootContents))).toBe(ROOT);
    expect(encodeMacaroon(mintMacaroon(caveatKey, dischargeContents))).toBe(DISCHARGE);
  });

  it('P8 are bound as the client binds them', () => {
    const bound = bindDischarge(decodeMacaroon(ROOT), decodeMacaroon(DISCHARGE));
    expect(encodeMacaroon(bound)).toBe(BOUND);
  });

  it('P8 read back to what was minted, and re-encode to the same bytes', () => {
    const { signature, ...contents } = decodeMacaroon(ROOT);
    expect(contents).toEqual(rootContents);
    expect(signatureOf(rootKey, contents).equals(signature)).toBe(true);
    for (const text of [ROOT, DISCHARGE, BOUND]) {
      expect(encodeMacaroon(decodeMacaroon(text))).toBe(text);
    }
    expect(decodeMacaroon(`${ROOT}==`).identifier).toBe('tok_0001');
  });

  it('keep binary values that contain blanks and newlines', () => {
    const vid = Buffer.from(' \n\0 \n');
    const made = mintMacaroon(rootKey, {
      location,
      identifier: 'with space',
      caveats: [{ id: 'a b\nc', vid, location: '' }],
    });
    expect(decodeMacaroon(encodeMacaroon(made))).toEqual(made);
  });

  it('never lose or gain anything when one byte changes: they are refused or their signature fails', () => {
    const bytes = Buffer.from(ROOT, 'base64url');
    // Byte 13 on of the location packet is not signed (the location is a hint).
    const unsigned = '001dlocation '.length + location.length;
    for (let at = 0; at < bytes.length; at += 1) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      let accepted: boolean;
      try {
        const read = decodeMacaroon(changed.toString('base64url'));
        accepted = signatureOf(rootKey, read).equals(read.signature);
      } catch (error) {
        expect(error).toBeInstanceOf(AuthError);
        accepted = false;
      }
      const isHint =
        (at >= '001dlocation '.length && at < unsigned) ||
        // the `cl` of the third party, likewise a hint
        (at >= bytes.indexOf('0017cl ') + 7 && at < bytes.indexOf('002fsignature') - 1);
      expect([at, accepted]).toEqual([at, isHint]);
    }
  });

  it.each([
    ['', 'empty'],
    ['!!!', 'no base64'],
    [Buffer.from('0000').toString('base64url'), 'packet of no length'],
    [Buffer.from('ffffidentifier x\n').toString('base64url'), 'packet longer than the text'],
    [Buffer.from('\u0002\u0001\u0001a').toString('base64url'), 'version 2'],
    [ROOT.slice(0, -4), 'cut'],
  ])('%s is refused (%s)', (text) => {
    expect(() => decodeMacaroon(text)).toThrow(AuthError);
  });

  it('are not written with packets above 65,535 bytes', () => {
    const long = mintMacaroon(rootKey, { location, identifier: 'x'.repeat(65_535), caveats: [] });
    expect(() => encodeMacaroon(long)).toThrow('cannot write a macaroon packet');
  });
});
