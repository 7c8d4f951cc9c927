import { describe, expect, it } from 'vitest';
import { encodeMacaroon, mintMacaroon } from '#libs/auth';
import { readCredentials } from './credentials.js';

const macaroon = (identifier: string): string =>
  encodeMacaroon(
    mintMacaroon(Buffer.from('key'), { location: 'store.acme.test', identifier, caveats: [] }),
  );
const [r, d] = [macaroon('root'), macaroon('discharge')];
const read = (text: string) => readCredentials(text, 'https://store.acme.test:8443');
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const ini = (host: string): string =>
  `[login.ubuntu.com]\nmacaroon = other\n\n[${host}]\nmacaroon = ${r}\nunbound_discharge = ${d}\n`;

describe('credentials of a publisher', () => {
  it.each([
    ['typed', base64(JSON.stringify({ t: 'u1-macaroon', v: { r, d } }))],
    ['untyped', base64(JSON.stringify({ r, d }))],
    ['in INI', ini('store.acme.test')],
    ['in INI and base64', base64(ini('store.acme.test'))],
  ])('are read %s', (_form, text) => {
    expect(read(text)).toEqual({ root: r, discharge: d });
  });

  it.each([
    ['nonsense', 'nonsense'],
    ['another type', base64(JSON.stringify({ t: 'macaroon', v: 'token' }))],
    ['INI of another host', ini('store.other.test')],
    ['what are no macaroons', base64(JSON.stringify({ r: 'x', d: 'y' }))],
  ])('are not taken from %s', (_form, text) => {
    expect(() => read(text)).toThrow('cannot read SNAPCRAFT_STORE_CREDENTIALS');
  });
});
