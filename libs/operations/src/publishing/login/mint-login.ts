import { randomUUID } from 'node:crypto';
import { derivePublisherKeys, mintPublisherDischarge, mintPublisherRoot } from '#libs/auth';
import type { Resources } from '../../resources.js';
import { refusal } from '../wire-code.js';
import { LONGEST_CAVEAT_ID, writeCaveatId, type PendingLogin } from './pending-login.js';
import { PERMISSIONS } from './publisher.js';
import { findSnapIds } from './publisher-token.js';

const DAY_MS = 86_400_000;
const LONGEST_MS = 366 * DAY_MS;
const DEFAULT_MS = 365 * DAY_MS;
/** After this a client refreshes, without asking its user (publisher-api.md 2.6). */
const DISCHARGE_MS = DAY_MS;

export interface RootOrder {
  readonly permissions: readonly string[];
  readonly description: string;
  readonly expiresAt: Date | null;
  /** Names. */
  readonly packages: readonly string[] | null;
  readonly channels: readonly string[] | null;
}

/** The two macaroons of a login, as the store makes them itself (publisher-api.md 2.4). */
export class LoginMint {
  constructor(private readonly resources: Resources) {}

  /** Host with port, as the client's URL of the login service has it; compared exactly there (publisher-api.md 2.3). */
  get location(): string {
    return new URL(this.resources.settings.publicUrl).host;
  }

  /** What was asked for, checked; where an account is named, for snaps that it may publish. Throws `not-found`, `invalid`. */
  async pending(order: RootOrder, now: Date, accountId?: string): Promise<PendingLogin> {
    const { db } = this.resources;
    const expiresAt = expiryOf(order.expiresAt, now);
    const unknown = order.permissions.find((name) => !PERMISSIONS.includes(name));
    if (unknown !== undefined)
      throw refusal('invalid', 'invalid-field', `Unknown permission '${unknown}'.`);
    return {
      tokenId: randomUUID(),
      issuedAtMs: now.getTime(),
      expiresAtMs: expiresAt.getTime(),
      description: order.description,
      permissions: [...order.permissions],
      packages:
        order.packages &&
        (await db.asSystem((tx) => findSnapIds(tx, order.packages ?? [], accountId))),
      channels: order.channels && [...order.channels],
    };
  }

  /** Throws `too-large` where the limits would not fit into a header. */
  root(pending: PendingLogin): { readonly root: string; readonly caveatId: string } {
    const { secret } = this.resources.settings;
    const { tokenId } = pending;
    const caveatId = writeCaveatId(pending, secret);
    if (caveatId.length > LONGEST_CAVEAT_ID)
      throw refusal(
        'too-large',
        'invalid-field',
        'cannot limit a login to so many snaps and channels',
      );
    const { location } = this;
    const expiresAt = new Date(pending.expiresAtMs);
    const { rootKey } = derivePublisherKeys(secret, tokenId);
    const contents = { location, ssoLocation: location, tokenId, caveatId, expiresAt };
    return { root: mintPublisherRoot(contents, rootKey), caveatId };
  }

  /** Good for a day, and never longer than its root. */
  discharge(tokenId: string, caveatId: string, accountId: string, latest: Date, now: Date): string {
    const { caveatKey } = derivePublisherKeys(this.resources.settings.secret, tokenId);
    const expiresAt = new Date(Math.min(now.getTime() + DISCHARGE_MS, latest.getTime()));
    return mintPublisherDischarge(
      { location: this.location, caveatId, accountId, expiresAt },
      caveatKey,
    );
  }
}

function expiryOf(wished: Date | null, now: Date): Date {
  const expiresAt = wished ?? new Date(now.getTime() + DEFAULT_MS);
  const leftMs = expiresAt.getTime() - now.getTime();
  if (leftMs > 0 && leftMs <= LONGEST_MS) return expiresAt;
  throw refusal('invalid', 'invalid-field', 'A login must expire within the next 366 days.');
}
