import { createHmac, hkdfSync } from 'node:crypto';
import { AuthError } from './auth-error.js';
import { isSameSecret } from './constant-time.js';
import {
  boundSignature,
  decodeMacaroon,
  encodeMacaroon,
  mintMacaroon,
  signatureOf,
} from './macaroon.js';
import type { Macaroon } from './macaroon.js';

// The recommended mode of publisher-api.md 2.2: the store is its own login service. A root macaroon names a token row by id
// and asks for one discharge; account, permissions, packages and channels stay in the row (2.4, step 5).

/** The two HMAC keys of one publisher token. */
export interface PublisherKeys {
  readonly rootKey: Uint8Array;
  readonly caveatKey: Uint8Array;
}

/** Why a publisher's macaroons are refused. `discharge-expired` is the one a client cures by itself (publisher-api.md 2.6). */
export type PublisherRefusal =
  | 'malformed'
  | 'bad-signature'
  | 'unknown-caveat'
  | 'discharge-missing'
  | 'expired'
  | 'discharge-expired';

/** What the macaroons say once verified; `accountId` is who discharged, and the token's row must name the same. */
export interface PublisherLogin {
  readonly ok: true;
  readonly tokenId: string;
  readonly caveatId: string;
  readonly accountId: string;
  readonly expiresAt: Date;
}

/** A refusal with a sentence for logs. */
export interface PublisherLoginRefused {
  readonly ok: false;
  readonly code: PublisherRefusal;
  readonly message: string;
}

/**
 * Both keys of a token from one server secret (32 bytes or more), so that the database alone cannot forge logins.
 * The same secret and id always give the same keys.
 */
export function derivePublisherKeys(serverSecret: Uint8Array, tokenId: string): PublisherKeys {
  const derive = (purpose: string): Buffer =>
    Buffer.from(hkdfSync('sha256', serverSecret, tokenId, `publisher-${purpose}`, 32));
  return { rootKey: derive('root'), caveatKey: derive('caveat') };
}

/** What a root macaroon is made of. Locations are host[:port] without scheme (publisher-api.md 2.3: compared exactly). */
export interface PublisherRoot {
  readonly location: string;
  /** Equals the client's `urlparse(UBUNTU_ONE_SSO_URL).netloc`, port included. */
  readonly ssoLocation: string;
  readonly tokenId: string;
  readonly caveatId: string;
  readonly expiresAt: Date;
}

const wholeSeconds = (time: Date): string => time.toISOString().replace(/\.\d{3}Z$/, 'Z');

/** The answer of `POST /dev/api/acl/`: a root macaroon with an expiry and one third-party caveat. */
export function mintPublisherRoot(root: PublisherRoot, rootKey: Uint8Array): string {
  // The client never opens a vid and the caveat key is found by the caveat's id, so any bytes do (publisher-api.md 2.4).
  const vid = createHmac('sha256', rootKey).update(`vid|${root.caveatId}`).digest();
  return encodeMacaroon(
    mintMacaroon(rootKey, {
      location: root.location,
      identifier: root.tokenId,
      caveats: [
        { id: `${root.location}|expires|${wholeSeconds(root.expiresAt)}` },
        { id: root.caveatId, vid, location: root.ssoLocation },
      ],
    }),
  );
}

/** What a discharge says. */
export interface PublisherDischarge {
  readonly location: string;
  readonly caveatId: string;
  readonly accountId: string;
  readonly expiresAt: Date;
}

/** The answer of `POST /api/v2/tokens/discharge` and `…/refresh`: an unbound discharge macaroon. */
export function mintPublisherDischarge(
  discharge: PublisherDischarge,
  caveatKey: Uint8Array,
): string {
  const { location, caveatId, accountId, expiresAt } = discharge;
  return encodeMacaroon(
    mintMacaroon(caveatKey, {
      location,
      identifier: caveatId,
      caveats: [
        { id: `${location}|account|${accountId}` },
        { id: `${location}|expires|${wholeSeconds(expiresAt)}` },
      ],
    }),
  );
}

class Refused extends Error {
  constructor(
    readonly code: PublisherRefusal,
    message: string,
  ) {
    super(message);
  }
}

function attempt<Result>(work: () => Result): Result | PublisherLoginRefused {
  try {
    return work();
  } catch (error) {
    if (error instanceof Refused) return { ok: false, code: error.code, message: error.message };
    if (error instanceof AuthError && error.code === 'malformed-macaroon') {
      return { ok: false, code: 'malformed', message: error.message };
    }
    throw error;
  }
}

/** The ids to look the token up by, read without any verification. */
export function identifyPublisherRoot(
  root: string,
):
  | { readonly ok: true; readonly tokenId: string; readonly caveatId: string }
  | PublisherLoginRefused {
  return attempt(() => {
    const macaroon = decodeMacaroon(root);
    return { ok: true, tokenId: macaroon.identifier, caveatId: thirdPartyIdOf(macaroon) };
  });
}

/** The caveat id that an unbound or bound discharge answers, read without any verification. */
export function identifyPublisherDischarge(
  discharge: string,
): { readonly ok: true; readonly caveatId: string } | PublisherLoginRefused {
  return attempt(() => ({ ok: true, caveatId: decodeMacaroon(discharge).identifier }));
}

function thirdPartyIdOf(root: Macaroon): string {
  const [wanted, ...more] = root.caveats.filter((caveat) => caveat.vid !== undefined);
  if (wanted === undefined || more.length > 0) {
    throw new Refused('unknown-caveat', 'cannot accept a root without exactly one third party');
  }
  return wanted.id;
}

interface Conditions {
  readonly expiresAt: Date;
  readonly accountId: string | undefined;
}

/**
 * Every first-party caveat must be one that we mint: a holder may add caveats, and a restriction that is not understood must
 * fail closed. Several expiries: the earliest counts. Several accounts: they must agree, for a holder can append one.
 */
function conditionsOf(macaroon: Macaroon): Conditions {
  let expiresAt: Date | undefined;
  const accounts = new Set<string>();
  for (const { id, vid } of macaroon.caveats) {
    if (vid !== undefined) continue;
    const [, condition, value = ''] = /^[^|]*\|(expires|account)\|(.+)$/.exec(id) ?? [];
    const time = condition === 'expires' ? new Date(value) : undefined;
    if (condition === 'account') accounts.add(value);
    else if (time === undefined || Number.isNaN(time.getTime())) {
      throw new Refused('unknown-caveat', `cannot accept the caveat '${id}'`);
    }
    if (time !== undefined && (expiresAt === undefined || time < expiresAt)) expiresAt = time;
  }
  if (expiresAt === undefined)
    throw new Refused('unknown-caveat', 'cannot accept a macaroon without expiry');
  if (accounts.size > 1)
    throw new Refused('unknown-caveat', 'cannot accept two accounts in a macaroon');
  return { expiresAt, accountId: [...accounts][0] };
}

function accountOf(conditions: Conditions): string {
  if (conditions.accountId === undefined) {
    throw new Refused('unknown-caveat', 'cannot accept a discharge without account');
  }
  return conditions.accountId;
}

/**
 * Steps 1 to 4 of publisher-api.md 2.4 for one request, except revocation, which is the row's business. `discharges` are bound.
 *
 * @example
 * const who = verifyPublisherLogin({ root, discharges: [bound] }, derivePublisherKeys(secret, tokenId), now);
 * if (who.ok) who.tokenId; // look up account and permissions there
 */
export function verifyPublisherLogin(
  header: { readonly root: string; readonly discharges: readonly string[] },
  keys: PublisherKeys,
  now: Date,
): PublisherLogin | PublisherLoginRefused {
  return attempt(() => {
    const root = decodeMacaroon(header.root);
    const caveatId = thirdPartyIdOf(root);
    if (!isSameSecret(signatureOf(keys.rootKey, root), root.signature)) {
      throw new Refused('bad-signature', 'cannot verify the root macaroon');
    }
    const discharge = header.discharges.map(decodeMacaroon).find((d) => d.identifier === caveatId);
    if (discharge === undefined) {
      throw new Refused('discharge-missing', 'cannot find the discharge of the root macaroon');
    }
    const bound = boundSignature(root.signature, signatureOf(keys.caveatKey, discharge));
    if (discharge.caveats.some((caveat) => caveat.vid !== undefined)) {
      throw new Refused('unknown-caveat', 'cannot accept a third party inside a discharge');
    }
    if (!isSameSecret(bound, discharge.signature)) {
      throw new Refused('bad-signature', 'cannot verify the discharge macaroon');
    }
    const own = conditionsOf(root);
    const given = conditionsOf(discharge);
    const accountId = accountOf(given);
    if (own.expiresAt <= now) throw new Refused('expired', 'cannot accept an expired token');
    if (given.expiresAt <= now) {
      throw new Refused('discharge-expired', 'cannot accept an expired discharge');
    }
    const expiresAt = own.expiresAt < given.expiresAt ? own.expiresAt : given.expiresAt;
    return { ok: true, tokenId: root.identifier, caveatId, accountId, expiresAt };
  });
}

/**
 * Checks the unbound discharge of a refresh call (publisher-api.md 2.6). Its own expiry is not looked at: each new process of a
 * client brings the same old one again. The caller gives a new one only while the token's row lives, and not past its expiry.
 */
export function verifyUnboundDischarge(
  discharge: string,
  caveatKey: Uint8Array,
):
  | { readonly ok: true; readonly caveatId: string; readonly accountId: string }
  | PublisherLoginRefused {
  return attempt(() => {
    const macaroon = decodeMacaroon(discharge);
    if (!isSameSecret(signatureOf(caveatKey, macaroon), macaroon.signature)) {
      throw new Refused('bad-signature', 'cannot verify the discharge macaroon');
    }
    return {
      ok: true,
      caveatId: macaroon.identifier,
      accountId: accountOf(conditionsOf(macaroon)),
    };
  });
}
