import { randomBytes, randomUUID } from 'node:crypto';
import {
  decodeMacaroon,
  derivePublisherKeys,
  hashPassword,
  identifyPublisherDischarge,
  identifyPublisherRoot,
  mintPublisherDischarge,
  mintPublisherRoot,
  parseAuthorization,
  SALT_BYTES,
  verifyPassword,
  verifyPublisherLogin,
  verifyUnboundDischarge,
} from '#libs/auth';
import { Account, Membership, Person, Snap, Token, type Role, type Tx } from '#libs/database';
import { In } from 'typeorm';
import { LoginThrottle } from '../../brands/login-throttle.js';
import { useSecondFactor } from '../../brands/second-factor.service.js';
import { OperationError } from '../../operation-error.js';
import type { Resources } from '../../resources.js';
import { refusal } from '../wire-code.js';
import {
  LONGEST_CAVEAT_ID,
  readCaveatId,
  writeCaveatId,
  type PendingLogin,
} from './pending-login.js';
import { PERMISSIONS, type Publisher } from './publisher.js';

const DAY_MS = 86_400_000;
/** A login that nobody finished is worth nothing after this. */
const PENDING_MS = 10 * 60_000;
const LONGEST_MS = 366 * DAY_MS;
const DEFAULT_MS = 365 * DAY_MS;
/** After this a client refreshes, without asking its user (publisher-api.md 2.6). */
const DISCHARGE_MS = DAY_MS;
const MOST_FAILURES = 10;
const MOST_FAILURES_PER_ADDRESS = 100;
/** What can log in as a publisher at all. */
const PUBLISHING: readonly Role[] = ['admin', 'publisher', 'releaser'];
const NOBODY = hashPassword('nobody', Buffer.alloc(SALT_BYTES));

export interface RootOrder {
  readonly permissions: readonly string[];
  readonly description: string;
  readonly expiresAt: Date | null;
  /** Names. */
  readonly packages: readonly string[] | null;
  readonly channels: readonly string[] | null;
}

export interface DischargeOrder {
  readonly email: string;
  readonly password: string;
  readonly caveatId: string;
  readonly otp: string | null;
  /** For throttling. */
  readonly address: string;
}

/** The store as its own login service (publisher-api.md 2.2 to 2.6): what `snapcraft login` and every call after it need. */
export class PublisherLoginService {
  private readonly byPerson = new LoginThrottle(MOST_FAILURES);
  private readonly byAddress = new LoginThrottle(MOST_FAILURES_PER_ADDRESS);

  constructor(private readonly resources: Resources) {}

  /** A1: a root macaroon for whoever can discharge it. Throws `not-found` for an unknown snap, `invalid` for the rest. */
  async start(order: RootOrder): Promise<string> {
    const { db, settings } = this.resources;
    const now = db.clock.now();
    const expiresAt = expiryOf(order.expiresAt, now);
    const unknown = order.permissions.find((name) => !PERMISSIONS.includes(name));
    if (unknown !== undefined)
      throw refusal('invalid', 'invalid-field', `Unknown permission '${unknown}'.`);
    const pending: PendingLogin = {
      tokenId: randomUUID(),
      issuedAtMs: now.getTime(),
      expiresAtMs: expiresAt.getTime(),
      description: order.description,
      permissions: [...order.permissions],
      packages:
        order.packages && (await db.asSystem((tx) => findSnapIds(tx, order.packages ?? []))),
      channels: order.channels && [...order.channels],
    };
    const caveatId = writeCaveatId(pending, settings.secret);
    if (caveatId.length > LONGEST_CAVEAT_ID) {
      throw refusal(
        'too-large',
        'invalid-field',
        'cannot limit a login to so many snaps and channels',
      );
    }
    const { rootKey } = derivePublisherKeys(settings.secret, pending.tokenId);
    const location = this.location;
    return mintPublisherRoot(
      { location, ssoLocation: location, tokenId: pending.tokenId, caveatId, expiresAt },
      rootKey,
    );
  }

  /**
   * A2: the discharge for a root, against password and second factor; the token exists from here. An address such as
   * `dev@acme.test/acme` names the account, for people who belong to several. Throws `unauthorized`.
   */
  async discharge(order: DischargeOrder): Promise<string> {
    const { db, settings } = this.resources;
    const now = db.clock.now();
    const pending = readCaveatId(order.caveatId, settings.secret);
    if (!pending || now.getTime() - pending.issuedAtMs > PENDING_MS) {
      throw refusal(
        'invalid',
        'invalid-field',
        'The login request is unknown or too old; start again.',
      );
    }
    const [email = '', username] = order.email.trim().toLowerCase().split('/');
    const person = await this.verifyPerson({ ...order, email }, now);
    const brandId = await db.asSystem(async (tx) => {
      const brandId = await chooseAccount(tx, person.id, username);
      await insertToken(tx, pending, person.id, brandId);
      return brandId;
    });
    return this.mintDischarge(
      pending.tokenId,
      order.caveatId,
      brandId,
      new Date(pending.expiresAtMs),
      now,
    );
  }

  /** A3: a new discharge for an old one. The old one stays good for this call: every process of a CI job brings it again. */
  async refresh(discharge: string): Promise<string> {
    const { db, settings } = this.resources;
    const now = db.clock.now();
    const named = identifyPublisherDischarge(discharge);
    const pending = named.ok ? readCaveatId(named.caveatId, settings.secret) : null;
    if (!named.ok || !pending) throw notAccepted('The discharge cannot be read.');
    const { caveatKey } = derivePublisherKeys(settings.secret, pending.tokenId);
    const verified = verifyUnboundDischarge(discharge, caveatKey);
    const token = verified.ok
      ? await db.asSystem((tx) => findToken(tx, pending.tokenId, now))
      : null;
    if (!verified.ok || !token || token.brandId !== verified.accountId)
      throw notAccepted('The login is over.');
    return this.mintDischarge(token.id, named.caveatId, verified.accountId, token.expiresAt, now);
  }

  /** Whose `Authorization` header it is. Throws `unauthorized`; code `macaroon-needs-refresh` where A3 helps. */
  async recognise(authorization: string | undefined): Promise<Publisher> {
    const { db, settings } = this.resources;
    const header = authorization === undefined ? null : parseAuthorization(authorization);
    if (header?.kind !== 'macaroons') {
      throw refusal(
        'unauthorized',
        'macaroon-authorization-required',
        'Authorization is required: log in first.',
      );
    }
    const named = identifyPublisherRoot(header.root);
    if (!named.ok) throw notAccepted('The login cannot be read.');
    const now = db.clock.now();
    const login = verifyPublisherLogin(
      header,
      derivePublisherKeys(settings.secret, named.tokenId),
      now,
    );
    if (!login.ok && login.code === 'discharge-expired') {
      throw refusal('unauthorized', 'macaroon-needs-refresh', 'The login needs a refresh.');
    }
    if (!login.ok || !this.isOurs(header)) throw notAccepted('The login is not accepted.');
    return db.asSystem(async (tx) => {
      const token = await findToken(tx, login.tokenId, now);
      if (!token || token.brandId !== login.accountId) throw notAccepted('The login is over.');
      return loadPublisher(tx, token, login.accountId);
    });
  }

  /** Host with port, as the client's URL of the login service has it; compared exactly there (publisher-api.md 2.3). */
  private get location(): string {
    return new URL(this.resources.settings.publicUrl).host;
  }

  /** Locations are outside the signatures (publisher-api.md 2.4): that they are ours is checked apart. */
  private isOurs({
    root,
    discharges,
  }: {
    readonly root: string;
    readonly discharges: readonly string[];
  }): boolean {
    const macaroons = [root, ...discharges].map(decodeMacaroon);
    const locations = macaroons.flatMap(({ location, caveats }) => [
      location,
      ...caveats.flatMap((caveat) => caveat.location ?? []),
    ]);
    return locations.every((location) => location === this.location);
  }

  private async verifyPerson(order: DischargeOrder, now: Date): Promise<Person> {
    this.byAddress.check(order.address, now);
    this.byPerson.check(order.email, now);
    const person = await this.resources.db.asSystem((tx) =>
      tx.findOneBy(Person, { email: order.email }),
    );
    // The same work for an unknown person, so that the answer takes as long.
    const isRight = await verifyPassword(order.password, person?.passwordHash || (await NOBODY));
    if (!isRight || !person?.passwordHash) {
      this.byAddress.fail(order.address, now);
      this.byPerson.fail(order.email, now);
      throw wrongPassword();
    }
    if (person.totpSecret !== null) await this.verifySecondFactor(person.id, order, now);
    this.byPerson.forget(order.email);
    return person;
  }

  private async verifySecondFactor(
    personId: string,
    { otp, email }: DischargeOrder,
    now: Date,
  ): Promise<void> {
    if (otp === null) {
      throw refusal('unauthorized', 'twofactor-required', '2-factor authentication required.');
    }
    const isRight = await this.resources.db.asSystem((tx) =>
      useSecondFactor(tx, this.resources, personId, otp),
    );
    if (isRight) return;
    this.byPerson.fail(email, now);
    throw refusal('forbidden', 'twofactor-failure', 'The provided 2-factor key is not recognised.');
  }

  private mintDischarge(
    tokenId: string,
    caveatId: string,
    accountId: string,
    latest: Date,
    now: Date,
  ): string {
    const { caveatKey } = derivePublisherKeys(this.resources.settings.secret, tokenId);
    const expiresAt = new Date(Math.min(now.getTime() + DISCHARGE_MS, latest.getTime()));
    return mintPublisherDischarge(
      { location: this.location, caveatId, accountId, expiresAt },
      caveatKey,
    );
  }
}

const notAccepted = (message: string): Error =>
  refusal('unauthorized', 'macaroon-authorization-required', message);

const wrongPassword = (): Error =>
  refusal('unauthorized', 'invalid-credentials', 'Provided email/password is not correct.');

function expiryOf(wished: Date | null, now: Date): Date {
  const expiresAt = wished ?? new Date(now.getTime() + DEFAULT_MS);
  const leftMs = expiresAt.getTime() - now.getTime();
  if (leftMs > 0 && leftMs <= LONGEST_MS) return expiresAt;
  throw refusal('invalid', 'invalid-field', 'A login must expire within the next 366 days.');
}

async function findSnapIds(tx: Tx, names: readonly string[]): Promise<string[]> {
  const snaps = await tx.findBy(Snap, { name: In([...names]) });
  const missing = names.find((name) => !snaps.some((snap) => snap.name === name));
  if (missing !== undefined) {
    throw refusal('not-found', 'resource-not-found', `Snap not found for name=${missing}`);
  }
  return snaps.map((snap) => snap.id);
}

/** The account that was named, or the only one in which the person publishes. */
async function chooseAccount(
  tx: Tx,
  personId: string,
  username: string | undefined,
): Promise<string> {
  const memberships = await tx.findBy(Membership, { personId, role: In([...PUBLISHING]) });
  const ids = [...new Set(memberships.map((membership) => membership.brandId))];
  const accounts = (await tx.findBy(Account, { id: In(ids) })).filter(
    (account) => username === undefined || account.username === username,
  );
  const [account, ...more] = accounts;
  if (!account)
    throw refusal(
      'forbidden',
      'user-not-ready',
      'You do not publish for any account of this store.',
    );
  if (more.length === 0) return account.id;
  const names = accounts.map((known) => known.username).sort();
  throw refusal(
    'forbidden',
    'user-not-ready',
    `You publish for several accounts (${names.join(', ')}): log in as <your e-mail address>/<account>.`,
  );
}

async function insertToken(
  tx: Tx,
  pending: PendingLogin,
  personId: string,
  brandId: string,
): Promise<void> {
  const { tokenId, permissions, packages, channels, description, expiresAtMs } = pending;
  const inserted = await tx
    .createQueryBuilder()
    .insert()
    .into(Token)
    .values({
      id: tokenId,
      kind: 'publisher',
      // Proven by its own HMAC chain; the column must be unique.
      secretHash: `publisher:${tokenId}:${randomBytes(8).toString('hex')}`,
      personId,
      brandId,
      description: description.slice(0, 200),
      scope: { permissions, ...(packages && { packages }), ...(channels && { channels }) },
      expiresAt: new Date(expiresAtMs),
    })
    .orIgnore()
    .returning('id')
    .execute();
  if ((inserted.raw as unknown[]).length > 0) return;
  throw refusal(
    'conflict',
    'invalid-field',
    'This login request was answered already; start again.',
  );
}

async function findToken(tx: Tx, tokenId: string, now: Date): Promise<Token | null> {
  const isUuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(tokenId);
  const token = isUuid ? await tx.findOneBy(Token, { id: tokenId, kind: 'publisher' }) : null;
  return token && token.revokedAt === null && token.expiresAt > now ? token : null;
}

async function loadPublisher(tx: Tx, token: Token, accountId: string): Promise<Publisher> {
  const person = await tx.findOneByOrFail(Person, { id: token.personId });
  const account = await tx.findOneByOrFail(Account, { id: accountId });
  const memberships = await tx.findBy(Membership, { personId: person.id, brandId: accountId });
  const grants = memberships.map(({ role, limits }) => ({ role, limits }));
  if (!grants.some(({ role }) => PUBLISHING.includes(role))) {
    throw new OperationError('unauthorized', 'The login is over.', {
      wire: 'macaroon-authorization-required',
    });
  }
  return {
    tokenId: token.id,
    personId: person.id,
    email: person.email,
    displayName: person.displayName,
    accountId,
    username: account.username,
    grants,
    permissions: token.scope.permissions ?? [],
    channels: token.scope.channels ?? null,
    packages: token.scope.packages ?? null,
    expiresAt: token.expiresAt,
  };
}
