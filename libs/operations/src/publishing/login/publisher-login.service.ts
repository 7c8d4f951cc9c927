import { randomUUID } from 'node:crypto';
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
import { Person } from '#libs/database';
import { performAct } from '../../brands/act.js';
import { requireHuman, rolesIn, type Principal } from '../../brands/principal.js';
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
import {
  chooseAccount,
  findSnapIds,
  findToken,
  insertToken,
  loadPublisher,
  PUBLISHING,
} from './publisher-token.js';

const DAY_MS = 86_400_000;
/** A login that nobody finished is worth nothing after this. */
const PENDING_MS = 10 * 60_000;
const LONGEST_MS = 366 * DAY_MS;
const DEFAULT_MS = 365 * DAY_MS;
/** After this a client refreshes, without asking its user (publisher-api.md 2.6). */
const DISCHARGE_MS = DAY_MS;
const MOST_FAILURES = 10;
const MOST_FAILURES_PER_ADDRESS = 100;
const NOBODY = hashPassword('nobody', Buffer.alloc(SALT_BYTES));

export interface RootOrder {
  readonly permissions: readonly string[];
  readonly description: string;
  readonly expiresAt: Date | null;
  /** Names. */
  readonly packages: readonly string[] | null;
  readonly channels: readonly string[] | null;
}

/** `days`: how long they are good. */
export interface CredentialsOrder extends Omit<RootOrder, 'expiresAt'> {
  readonly days: number;
}

export interface DischargeOrder {
  readonly email: string;
  readonly password: string;
  readonly caveatId: string;
  readonly otp: string | null;
  /** For throttling. */
  readonly address: string;
}

/** Credentials that were made for a machine; `credentials` is shown once. */
export interface MintedCredentials {
  readonly id: string;
  readonly description: string;
  readonly expiresAt: Date;
  readonly credentials: string;
}

/** The form in which `export-login` writes them (publisher-api.md 2.9). */
const writeCredentials = (r: string, d: string): string =>
  Buffer.from(JSON.stringify({ t: 'u1-macaroon', v: { r, d } })).toString('base64');

/** The store as its own login service (publisher-api.md 2.2 to 2.6): what `snapcraft login` and every call after it need. */
export class PublisherLoginService {
  private readonly byPerson = new LoginThrottle(MOST_FAILURES);
  private readonly byAddress = new LoginThrottle(MOST_FAILURES_PER_ADDRESS);

  constructor(private readonly resources: Resources) {}

  /** A1: a root macaroon for whoever can discharge it. Throws `not-found` for an unknown snap, `invalid` for the rest. */
  async start(order: RootOrder): Promise<string> {
    return this.mintRoot(await this.pendingOf(order, this.resources.db.clock.now())).root;
  }

  /**
   * Credentials for a machine that publishes in somebody's name, without their password (publisher-api.md 2.2): what
   * `SNAPCRAFT_STORE_CREDENTIALS` takes. Throws as `start`, and `forbidden` for machines and for people who do not publish.
   */
  async mint(
    who: Principal,
    brandId: string,
    { days, ...order }: CredentialsOrder,
  ): Promise<MintedCredentials> {
    requireHuman(who, 'make credentials');
    const { db } = this.resources;
    if (!rolesIn(who, brandId).some((role) => PUBLISHING.includes(role)))
      throw new OperationError('forbidden', 'cannot make credentials: you do not publish here');
    const now = db.clock.now();
    const wished = new Date(now.getTime() + days * DAY_MS);
    const { root, caveatId, pending } = this.mintRoot(
      await this.pendingOf({ ...order, expiresAt: wished }, now, brandId),
    );
    const expiresAt = new Date(pending.expiresAtMs);
    const discharge = this.mintDischarge(pending.tokenId, caveatId, brandId, expiresAt, now);
    const act = { who, brandId, action: 'create-credentials', request: { days, ...order } };
    return performAct(db, act, async (tx) => {
      await insertToken(tx, pending, who.personId, brandId);
      const result = { id: pending.tokenId, description: order.description, expiresAt };
      const subject = `token:${pending.tokenId}`;
      const credentials = writeCredentials(root, discharge);
      return { result: { ...result, credentials: '' }, shownOnce: { credentials }, subject };
    });
  }

  private async pendingOf(order: RootOrder, now: Date, accountId?: string): Promise<PendingLogin> {
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

  private mintRoot(pending: PendingLogin): {
    readonly root: string;
    readonly caveatId: string;
    readonly pending: PendingLogin;
  } {
    const { settings } = this.resources;
    const expiresAt = new Date(pending.expiresAtMs);
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
    const root = mintPublisherRoot(
      { location, ssoLocation: location, tokenId: pending.tokenId, caveatId, expiresAt },
      rootKey,
    );
    return { root, caveatId, pending };
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
