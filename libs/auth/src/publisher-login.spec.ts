import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  bindDischarge,
  decodeMacaroon,
  encodeMacaroon,
  mintMacaroon,
  signatureOf,
} from './macaroon.js';
import type { Caveat, Macaroon } from './macaroon.js';
import {
  derivePublisherKeys,
  identifyPublisherDischarge,
  identifyPublisherRoot,
  mintPublisherDischarge,
  mintPublisherRoot,
  verifyPublisherLogin,
  verifyUnboundDischarge,
} from './publisher-login.js';

const now = new Date('2026-11-21T10:00:00Z');
const inDays = (days: number): Date => new Date(now.getTime() + days * 86_400_000);
const keys = derivePublisherKeys(Buffer.alloc(32, 7), 'tok_0001');
const [location, ssoLocation] = ['store.acme.test', 'store.acme.test:8443'];

const root = mintPublisherRoot(
  { location, ssoLocation, tokenId: 'tok_0001', caveatId: 'cav_0001', expiresAt: inDays(365) },
  keys.rootKey,
);
const discharge = mintPublisherDischarge(
  { location, caveatId: 'cav_0001', accountId: 'acc_0001', expiresAt: inDays(30) },
  keys.caveatKey,
);
const bind = (r: string, d: string): string =>
  encodeMacaroon(bindDischarge(decodeMacaroon(r), decodeMacaroon(d)));
const login = (r: string, d: string, when = now, k = keys) =>
  verifyPublisherLogin({ root: r, discharges: [bind(r, d)] }, k, when);

/** What any holder can do without a key: append a caveat. */
function append(encoded: string, caveat: Caveat): string {
  const held: Macaroon = decodeMacaroon(encoded);
  const signature = createHmac('sha256', held.signature).update(caveat.id).digest();
  return encodeMacaroon({ ...held, caveats: [...held.caveats, caveat], signature });
}

describe('publisher login', () => {
  it('is accepted with what the token row is looked up by', () => {
    expect(identifyPublisherRoot(root)).toEqual({
      ok: true,
      tokenId: 'tok_0001',
      caveatId: 'cav_0001',
    });
    expect(login(root, discharge)).toEqual({
      ok: true,
      tokenId: 'tok_0001',
      caveatId: 'cav_0001',
      accountId: 'acc_0001',
      expiresAt: inDays(30),
    });
  });

  it('shows the client a third party at the login host, port included', () => {
    const third = decodeMacaroon(root).caveats.find((caveat) => caveat.vid !== undefined);
    expect(third).toMatchObject({ id: 'cav_0001', location: ssoLocation });
  });

  it('ends with the discharge first, which a client can renew, then with the root', () => {
    expect(login(root, discharge, inDays(30))).toMatchObject({
      ok: false,
      code: 'discharge-expired',
    });
    expect(login(root, discharge, inDays(365))).toMatchObject({ ok: false, code: 'expired' });
  });

  it('needs the discharge, bound to this very root', () => {
    expect(verifyPublisherLogin({ root, discharges: [] }, keys, now)).toMatchObject({
      code: 'discharge-missing',
    });
    expect(verifyPublisherLogin({ root, discharges: [discharge] }, keys, now)).toMatchObject({
      code: 'bad-signature',
    });
    const other = append(root, { id: `${location}|expires|2026-12-01T00:00:00Z` });
    expect(
      verifyPublisherLogin({ root, discharges: [bind(other, discharge)] }, keys, now),
    ).toMatchObject({ code: 'bad-signature' });
  });

  it('is refused under the keys of another token or another server', () => {
    const otherToken = derivePublisherKeys(Buffer.alloc(32, 7), 'tok_0002');
    const otherServer = derivePublisherKeys(Buffer.alloc(32, 8), 'tok_0001');
    expect(login(root, discharge, now, otherToken)).toMatchObject({ code: 'bad-signature' });
    expect(login(root, discharge, now, otherServer)).toMatchObject({ code: 'bad-signature' });
    const halfRight = { rootKey: keys.rootKey, caveatKey: otherToken.caveatKey };
    expect(login(root, discharge, now, halfRight)).toMatchObject({ code: 'bad-signature' });
  });

  it('lets a holder shorten its life, and nothing else', () => {
    const shorter = append(root, { id: `${location}|expires|2026-11-21T09:00:00Z` });
    expect(login(shorter, discharge)).toMatchObject({ code: 'expired' });
    const longer = append(root, { id: `${location}|expires|2036-11-21T09:00:00Z` });
    expect(login(longer, discharge)).toMatchObject({ ok: true, expiresAt: inDays(30) });
    const restricted = append(root, { id: `${location}|channels|edge` });
    expect(login(restricted, discharge)).toMatchObject({ code: 'unknown-caveat' });
    const elsewhere = append(discharge, { id: `${location}|account|acc_0002` });
    expect(login(root, elsewhere)).toMatchObject({ code: 'unknown-caveat' });
    const nonsense = append(root, { id: `${location}|expires|tomorrow` });
    expect(login(nonsense, discharge)).toMatchObject({ code: 'unknown-caveat' });
  });

  it('fails closed on macaroons without expiry, without account or with further third parties', () => {
    const bare = encodeMacaroon(
      mintMacaroon(keys.rootKey, { location, identifier: 'tok_0001', caveats: [] }),
    );
    expect(identifyPublisherRoot(bare)).toMatchObject({ code: 'unknown-caveat' });
    const contents = decodeMacaroon(root);
    const twoParties = {
      ...contents,
      caveats: [...contents.caveats, ...contents.caveats.slice(1)],
    };
    const two = encodeMacaroon({ ...twoParties, signature: signatureOf(keys.rootKey, twoParties) });
    expect(login(two, discharge)).toMatchObject({ code: 'unknown-caveat' });
    const empty = encodeMacaroon(
      mintMacaroon(keys.caveatKey, { location, identifier: 'cav_0001', caveats: [] }),
    );
    expect(login(root, empty)).toMatchObject({ code: 'unknown-caveat' });
    const nested = encodeMacaroon(
      mintMacaroon(keys.caveatKey, {
        location,
        identifier: 'cav_0001',
        caveats: [
          ...decodeMacaroon(discharge).caveats,
          { id: 'c', vid: Buffer.from('v'), location },
        ],
      }),
    );
    expect(login(root, nested)).toMatchObject({ code: 'unknown-caveat' });
  });

  it('calls what cannot be read malformed', () => {
    expect(identifyPublisherRoot('garbage')).toMatchObject({ ok: false, code: 'malformed' });
    expect(verifyPublisherLogin({ root, discharges: ['garbage'] }, keys, now)).toMatchObject({
      code: 'malformed',
    });
  });
});

describe('refresh of a discharge', () => {
  it('takes the same old one again and again, expired or not', () => {
    expect(identifyPublisherDischarge(discharge)).toEqual({ ok: true, caveatId: 'cav_0001' });
    const read = verifyUnboundDischarge(discharge, keys.caveatKey);
    expect(read).toEqual({ ok: true, caveatId: 'cav_0001', accountId: 'acc_0001' });
  });

  it('refuses bound, forged and extended ones', () => {
    const check = (d: string) => verifyUnboundDischarge(d, keys.caveatKey);
    expect(check(bind(root, discharge))).toMatchObject({ code: 'bad-signature' });
    expect(verifyUnboundDischarge(discharge, keys.rootKey)).toMatchObject({
      code: 'bad-signature',
    });
    expect(check(append(discharge, { id: 'x|account|acc_0002' }))).toMatchObject({
      code: 'unknown-caveat',
    });
  });
});
